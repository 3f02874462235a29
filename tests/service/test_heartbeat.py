"""A loop that stands still is not hidden by others that move."""

import logging
from dataclasses import dataclass

import pytest

from service.heartbeat import Heartbeats


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
def heartbeats(clock):
    """Settling may take ten seconds, a folder a hundred."""
    heartbeats = Heartbeats(clock)
    heartbeats.beat("settle", patience=10)
    heartbeats.beat("folder", patience=100)
    return heartbeats


def said(heartbeats):
    told = []
    heartbeats.report(told.append)
    return told


def test_while_every_loop_comes_round_the_manager_hears_it(heartbeats, clock):
    clock.time = 10
    assert said(heartbeats) == ["WATCHDOG=1"]


def test_one_loop_that_stands_still_silences_us_however_the_others_move(heartbeats, clock, caplog):
    for clock.time in range(11):
        heartbeats.beat("folder", patience=100)
    clock.time = 10.5
    heartbeats.beat("folder", patience=100)
    assert heartbeats.stuck() == ["settle"]
    with caplog.at_level(logging.ERROR):
        assert said(heartbeats) == []
    assert caplog.messages == ["no progress for too long: settle"]


def test_a_loop_that_comes_round_after_all_is_alive_again(heartbeats, clock):
    clock.time = 50
    assert said(heartbeats) == []
    heartbeats.beat("settle", patience=10)
    assert said(heartbeats) == ["WATCHDOG=1"]


def test_each_loop_has_its_own_patience(heartbeats, clock):
    clock.time = 101
    assert heartbeats.stuck() == ["folder", "settle"]
