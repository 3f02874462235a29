"""Bells: rung before or while somebody waits, often or once, by any thread."""

import select
import threading

import pytest

from service.bell import Bell, SocketBell

LONG = 3600.0


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def socket_bell():
    bell = SocketBell()
    yield bell
    bell.close()


def heard(bell):
    return bool(select.select([bell.heard], [], [], 0)[0])


def asleep(bell, seconds):
    sleeper = threading.Thread(target=bell.wait, args=(seconds,), daemon=True)
    sleeper.start()
    return sleeper


def wakes(sleeper):
    sleeper.join(30)
    return not sleeper.is_alive()


def test_who_was_rung_before_does_not_fall_asleep(bell):
    bell.ring()
    assert wakes(asleep(bell, LONG))


def test_who_sleeps_is_woken(bell):
    sleeper = asleep(bell, LONG)
    bell.ring()
    assert wakes(sleeper)


def test_several_rings_are_one(bell):
    for _ in range(3):
        bell.ring()
    bell.wait(LONG)
    assert not bell._rung.is_set()


def test_who_is_not_rung_wakes_when_the_time_is_over(bell):
    assert wakes(asleep(bell, 0.001))
    assert wakes(asleep(bell, 0))


def test_a_ring_makes_the_socket_readable_until_it_is_emptied(socket_bell):
    assert not heard(socket_bell)
    socket_bell.ring()
    socket_bell.ring()
    assert heard(socket_bell)
    socket_bell.heard.recv(4096)
    assert not heard(socket_bell)


def test_rings_that_nobody_hears_block_nobody_and_one_is_heard_later(socket_bell):
    for _ in range(10_000):
        socket_bell.ring()
    assert heard(socket_bell)


def test_nobody_waits_in_reading_what_was_not_rung(socket_bell):
    with pytest.raises(BlockingIOError):
        socket_bell.heard.recv(1)


def test_who_waits_on_nothing_else_is_woken_by_a_socket_bell_too(socket_bell):
    sleeper = asleep(socket_bell, LONG)
    socket_bell.ring()
    assert wakes(sleeper)
    assert not heard(socket_bell)
    assert wakes(asleep(socket_bell, 0.001)), "the time is over"


def test_after_closing_both_ends_are_given_back():
    bell = SocketBell()
    bell.close()
    assert bell.heard.fileno() == -1
