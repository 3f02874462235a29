"""What addresses were told: counted by address, domain, mailbox and time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desk.limiter import Told
from store import limiter
from store.limiter import Sender, Window
from tests.store.cast import HELP, HOUR, MINUTE, NOON, notice, open_request, owe

ANNA = Sender("anna@corp.example", "", HELP, own=True)
EVE = Sender("eve@shop.example", "shop.example", HELP, own=False)
DAY = timedelta(days=1)


@pytest.fixture
def told(database):
    """Writes a receipt to somebody at that many minutes before noon."""
    number = open_request(database)
    (outbox_id,) = owe(database, notice(), number=number)

    def write(sender, minutes, *, late=False, **known):
        with database.write() as connection:
            one = Told(NOON - minutes * MINUTE, "words", **known)
            limiter.write(connection, sender, one, outbox_id=outbox_id, late=late)

    return write


def test_an_address_is_told_its_own_receipts_in_their_order(database, told):
    told(ANNA, 5, waited=True)
    told(ANNA, -30, echo=True)
    told(ANNA, 60)
    told(EVE, 1)
    with database.read() as connection:
        found = limiter.told(connection, ANNA.address, since=NOON - HOUR)
    assert found == (Told(NOON - 5 * MINUTE, "words", waited=True), Told(NOON + 30 * MINUTE, "words", echo=True))


def test_of_very_many_receipts_the_newest_are_looked_at(database, told, monkeypatch):
    monkeypatch.setattr(limiter, "_TOLD", limiter._TOLD.limit(2))
    for minutes in (3, 2, 1):
        told(ANNA, minutes)
    with database.read() as connection:
        found = limiter.told(connection, ANNA.address, since=NOON - DAY)
    assert [one.at for one in found] == [NOON - 2 * MINUTE, NOON - MINUTE]


def test_a_domain_is_counted_whoever_of_it_writes(database, told):
    told(EVE, 1)
    told(replace(EVE, address="adam@shop.example"), 2)
    told(EVE, 24 * 60)
    told(ANNA, 1)
    with database.read() as connection:
        assert limiter.told_to_domain(connection, "shop.example", since=NOON - DAY) == 2


@pytest.mark.parametrize(
    ("mailbox", "most", "expected"), [(None, 10, 3), (None, 2, 2), (HELP, 10, 2), ("other@corp.example", 10, 0)]
)
def test_a_window_is_counted_for_all_or_one_mailbox_and_not_beyond_what_is_asked(
    database, told, mailbox, most, expected
):
    """What still waits is not in it, nor what is exactly as old as the window."""
    for minutes in (10, 9, 1, -1):
        told(ANNA, minutes)
    told(replace(ANNA, mailbox="hr@corp.example"), 2)
    with database.read() as connection:
        window = Window(NOON - 10 * MINUTE, NOON)
        assert limiter.told_in(connection, mailbox, window, most=most) == expected


def test_people_are_our_own_each_once(database, told):
    for minutes in (1, 2):
        told(ANNA, minutes)
    told(replace(ANNA, address="ben@corp.example", mailbox="hr@corp.example"), 3)
    told(EVE, 1)
    told(replace(ANNA, address="old@corp.example"), 60)
    with database.read() as connection:
        assert limiter.people(connection, None, since=NOON - HOUR) == 2
        assert limiter.people(connection, HELP, since=NOON - HOUR) == 1


def test_late_receipts_are_counted_and_old_rows_forgotten(database, told):
    told(ANNA, 1, late=True)
    told(ANNA, 60, late=True)
    told(ANNA, 1)
    with database.write() as connection:
        assert limiter.late_since(connection, NOON - HOUR) == 1
        assert limiter.forget(connection, before=NOON - 30 * MINUTE) == 1
        assert len(limiter.told(connection, ANNA.address, since=NOON - DAY)) == 2
