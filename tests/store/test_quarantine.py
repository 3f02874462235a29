"""What was set aside can be looked at, tried anew, and filed for good."""

import pytest

from desk.arrival import Fate
from store import arrivals, ledger, quarantine
from tests.store.cast import accept, imap, settle, waiting


def every(database):
    with database.read() as connection:
        return quarantine.every(connection)


def find(database, arrival_id):
    with database.read() as connection:
        return ledger.find(connection, arrival_id)


def test_quarantined_and_oversize_mail_is_set_aside_and_no_other(database):
    accept(database, *(imap(number) for number in range(1, len(Fate) + 1)))
    for number, fate in enumerate(Fate, start=1):
        settle(database, number, fate.value)
    assert [one.fate for one in every(database)] == [Fate.QUARANTINED, Fate.OVERSIZE]


def test_the_bytes_come_back_as_they_came(database):
    raw = bytes(range(256)) * 5_000
    accept(database, imap(raw=raw))
    with database.read() as connection:
        line = ledger.find(connection, 1)
        assert quarantine.octets(connection, line) == raw
        assert quarantine.octets(connection, line, most=300) == raw[:300]
        assert quarantine.size(connection, line) == len(raw)


def test_a_mail_that_is_tried_anew_waits_as_if_it_came_from_an_earlier_start(database):
    """So it is tried alone: whatever it did to us before, it takes no other with it."""
    accept(database, imap(1), imap(2))
    settle(database, 1, "quarantined", reason="failed 3 times", receipt="never: quarantined", effect="done")
    with database.write() as connection:
        arrivals.count_attempt(connection, [1])
        quarantine.retry(connection, [1])
        suspects = arrivals.suspects(connection, epoch=1, limit=10)
    assert [(one.id, one.attempts) for one in suspects] == [(1, 0)]
    assert [one.id for one in waiting(database)] == [2]
    line = find(database, 1)
    assert (line.fate, line.reason, line.receipt) == (Fate.RECEIVED, None, None)


@pytest.mark.parametrize("fate", ["quarantined", "oversize"])
def test_what_is_dropped_is_filed_and_no_longer_set_aside(database, fate):
    accept(database, imap())
    settle(database, 1, fate)
    with database.write() as connection:
        quarantine.drop(connection, 1)
    assert every(database) == []
    assert (find(database, 1).fate, find(database, 1).reason) == (Fate.FILED, quarantine.DROPPED)
