"""Leases: each has one holder, until it is given back or its time is over by the database's clock."""

from sqlalchemy import select

from store import leases
from tests.servers.dovecot import until

FOREVER, MOMENT = 3600, 0.001


def keep(database, *names, holder=1, seconds=FOREVER):
    with database.write() as connection:
        return leases.keep(connection, names, holder=holder, seconds=seconds)


def living(database):
    with database.read() as connection:
        return sorted(connection.scalars(leases.living()))


def clock(database):
    with database.read() as connection:
        return connection.scalar(select(leases.Milliseconds()))


def test_what_nobody_holds_is_had_by_who_asks_first(database):
    assert keep(database, "inbox", "archive", holder=1) == {"inbox", "archive"}
    assert keep(database, "inbox", "sent", holder=2) == {"sent"}
    assert living(database) == [1, 1, 2]


def test_who_has_a_lease_keeps_it_by_asking_again(database):
    keep(database, "inbox", holder=1)
    assert keep(database, "inbox", holder=1) == {"inbox"}
    assert living(database) == [1]


def test_a_lease_ends_by_the_clock_of_the_database_and_then_anybody_may_have_it(database):
    keep(database, "inbox", holder=1, seconds=MOMENT)
    until(lambda: living(database) == [])
    assert keep(database, "inbox", holder=2) == {"inbox"}
    assert keep(database, "inbox", holder=1) == frozenset()


def test_asking_again_moves_the_end(database):
    keep(database, "inbox", holder=1, seconds=MOMENT)
    keep(database, "inbox", holder=1, seconds=FOREVER)
    ends = clock(database) + MOMENT * 1000
    until(lambda: clock(database) > ends)
    assert living(database) == [1]


def test_what_is_given_back_is_free_at_once_and_nothing_of_anybody_else(database):
    keep(database, "inbox", holder=1)
    keep(database, "sent", holder=2)
    with database.write() as connection:
        leases.release(connection, holder=1)
    assert living(database) == [2]
    assert keep(database, "inbox", "sent", holder=2) == {"inbox", "sent"}


def test_the_clock_counts_milliseconds_and_goes_on_within_a_transaction(database):
    with database.write() as connection:
        first = connection.scalar(select(leases.Milliseconds()))
        until(lambda: connection.scalar(select(leases.Milliseconds())) > first)
    assert abs(clock(database) - first) < 60_000
