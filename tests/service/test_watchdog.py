"""A loop that stands still is not hidden by others that move."""

import logging
from dataclasses import dataclass

import pytest

from service.watchdog import Watchdog


@dataclass
class Clock:
    """Seconds that pass when told."""

    time: float = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watchdog(clock):
    """Settling may take ten seconds, a folder a hundred."""
    watchdog = Watchdog(clock)
    watchdog.beat("settle", patience=10)
    watchdog.beat("folder", patience=100)
    return watchdog


def said(watchdog):
    told = []
    watchdog.report(told.append)
    return told


def test_while_every_loop_comes_round_the_manager_hears_it(watchdog, clock):
    clock.time = 10
    assert said(watchdog) == ["WATCHDOG=1"]


def test_one_loop_that_stands_still_silences_us_however_the_others_move(watchdog, clock, caplog):
    for clock.time in range(11):
        watchdog.beat("folder", patience=100)
    clock.time = 10.5
    watchdog.beat("folder", patience=100)
    assert watchdog.stuck() == ["settle"]
    with caplog.at_level(logging.ERROR):
        assert said(watchdog) == []
    assert caplog.messages == ["no progress for too long: settle"]


def test_a_loop_that_comes_round_after_all_is_alive_again(watchdog, clock):
    clock.time = 50
    assert said(watchdog) == []
    watchdog.beat("settle", patience=10)
    assert said(watchdog) == ["WATCHDOG=1"]


def test_each_loop_has_its_own_patience(watchdog, clock):
    clock.time = 101
    assert watchdog.stuck() == ["folder", "settle"]
