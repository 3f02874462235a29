"""The simulator: the real loops against every fault it knows, and proof that it would notice a broken order."""

import multiprocessing
import os

import pytest

from tests.simulator.mutants import MUTANTS, NONE
from tests.simulator.torture import Result, run, run_on_all_cores, told

FEW, MANY = range(25), range(1000, 1600)
CAUGHT_WITHIN = range(1000)


def assert_every_promise_kept(result: Result) -> None:
    assert not result.failures, (
        f"replay with: python -m tests.simulator --replay {min(result.failures)}\n{result.failures}"
    )


def test_a_thousand_crashes_lose_nothing_and_double_nothing_unexplained():
    result = run(FEW)
    assert_every_promise_kept(result)
    assert result.crashes >= 1_000, told(result, 1)


@pytest.mark.slow
def test_twenty_thousand_crashes_lose_nothing_and_double_nothing_unexplained():
    result = run_on_all_cores(MANY, jobs=min(4, os.cpu_count() or 1))
    assert_every_promise_kept(result)
    assert result.worlds == len(MANY)
    assert result.crashes >= 20_000, told(result, 1)
    assert result.again > 0, "no mail was accepted twice: the gap after the dot was never hit"


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [name for name in MUTANTS if name != NONE])
def test_a_broken_order_is_caught(mutant):
    assert any(run([seed], mutant).failures for seed in CAUGHT_WITHIN)


def test_a_seed_is_one_world_in_any_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        elsewhere = pool.apply(run, ([7],))
        pool.close()
        pool.join()
    here = [run([seed]).digest for seed in (7, 8, 7)]
    assert here[0] == here[2] == elsewhere.digest
    assert here[0] != here[1]
