"""Turns on PostgreSQL: one transaction at a time, and the rest wait for its end."""

import threading

import pytest
from sqlalchemy.exc import OperationalError

from store import meta, turns
from store.turns import Turn

pytestmark = pytest.mark.server
DEADLINE = 30


def may_take(database, turn):
    """Whether the turn can be had now."""
    from sqlalchemy import text

    try:
        with database.write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            turns.take(connection, turn)
    except OperationalError:
        return False
    return True


def test_a_turn_is_had_by_one_until_its_transaction_ends(postgres_database):
    with postgres_database.write() as connection:
        turns.take(connection, Turn.SETTLING)
        assert not may_take(postgres_database, Turn.SETTLING)
        assert may_take(postgres_database, Turn.LEASES)
    assert may_take(postgres_database, Turn.SETTLING)


def test_a_transaction_that_fails_gives_its_turn_back(postgres_database):
    def fails():
        with postgres_database.write() as connection:
            turns.take(connection, Turn.SETTLING)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert may_take(postgres_database, Turn.SETTLING)


def test_who_comes_second_sees_what_the_first_committed(postgres_database):
    """Also where it was waiting meanwhile."""
    begun, seen = threading.Event(), []

    def second():
        with postgres_database.write() as connection:
            meta.read(connection, "key")
            begun.set()
            turns.take(connection, Turn.SETTLING)
            seen.append(meta.read(connection, "key"))

    thread = threading.Thread(target=second)
    with postgres_database.write() as connection:
        turns.take(connection, Turn.SETTLING)
        thread.start()
        assert begun.wait(DEADLINE)
        meta.write(connection, "key", "first")
    thread.join(DEADLINE)
    assert seen == ["first"]


def test_two_first_starts_prepare_one_after_the_other(postgres_database):
    with turns.starting(postgres_database):
        assert not may_take(postgres_database, Turn.STARTING)
    assert may_take(postgres_database, Turn.STARTING)
