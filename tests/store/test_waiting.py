"""Receipts that wait: found while nobody can have got them, changed then and never later."""

import pytest

from desk.outbox import NoticeKind, OutboxState, Verdict
from desk.promise import Targets
from store import outbox, waiting
from tests.store.cast import ANNA, HELP, HOUR, MINUTE, NOON, SECOND, TARGETS, notice, owe

LATER = NOON + 10 * MINUTE


@pytest.fixture
def receipt(database):
    """Anna's receipt waits for ten past twelve."""
    (outbox_id,) = owe(database, notice())
    with database.write() as connection:
        waiting.postpone(connection, outbox_id, until=LATER)
    return outbox_id


def find(database, *, now=NOON, recipient=ANNA.key, mailbox=HELP):
    with database.write() as connection:
        return waiting.waiting_for(connection, recipient, mailbox, now=now)


def claim(database, now):
    with database.write() as connection:
        return outbox.claim(connection, now=now, limit=10, holder=1)


def test_a_waiting_receipt_is_found_with_the_requests_it_answers(database, receipt):
    found = find(database)
    assert (found.id, found.numbers, found.content, found.worded) == (receipt, (1001,), b"content of r1", LATER)


@pytest.mark.parametrize(
    "other", [{"now": LATER}, {"recipient": "ben@corp.example"}, {"mailbox": "hr@corp.example"}], ids=str
)
@pytest.mark.usefixtures("receipt")
def test_a_receipt_that_is_due_or_somebody_elses_is_not_found(database, other):
    assert find(database, **other) is None


def test_a_receipt_is_claimed_when_its_moment_has_come(database, receipt):
    assert claim(database, LATER - SECOND) == []
    assert [one.id for one in claim(database, LATER)] == [receipt]


@pytest.mark.usefixtures("receipt")
def test_what_a_courier_holds_or_held_to_the_dot_is_changed_no_more(database):
    before = find(database)
    (claimed,) = claim(database, LATER)
    with database.write() as connection:
        assert not waiting.reword(connection, before, b"other", now=LATER)
        outbox.reach_dot(connection, claimed)
        verdict = Verdict(OutboxState.DUE, "perhaps", next_attempt=LATER, perhaps_sent=True)
        outbox.record(connection, claimed, verdict, now=LATER)
        assert not waiting.reword(connection, before, b"other", now=LATER)
        assert waiting.outdated(connection, now=LATER + 9 * HOUR, limit=10) == []
    assert [one.content for one in claim(database, LATER + 9 * HOUR)] == [b"content of r1"]


@pytest.mark.usefixtures("receipt")
def test_a_receipt_whose_promise_has_passed_is_not_claimed_until_it_promises_something_else(database):
    late = TARGETS.first_response
    assert claim(database, late) == []
    with database.write() as connection:
        (found,) = waiting.outdated(connection, now=late, limit=10)
        waiting.promises(connection, found.id, 1001, Targets(late + HOUR, late + 2 * HOUR))
        assert waiting.reword(connection, found, b"other words", now=late)
        assert waiting.outdated(connection, now=late, limit=10) == []
    assert [one.content for one in claim(database, late)] == [b"other words"]


def test_a_promise_that_is_made_again_is_the_same_row_and_the_requests_own(database, receipt):
    with database.write() as connection:
        for hours in (5, 6):
            waiting.promises(connection, receipt, 1001, Targets(NOON + hours * HOUR, NOON + 9 * HOUR))
        rows = connection.exec_driver_sql("SELECT kind, due FROM promise ORDER BY kind").all()
        due = connection.exec_driver_sql("SELECT first_response_due FROM request").scalar_one()
    assert [row[0] for row in rows] == ["first-response", "resolution"]
    assert str(rows[0][1]) == str(due)
    assert "18:00:00" in str(due)


def test_a_held_receipt_goes_nowhere_until_it_is_released_for_that_reason(database, receipt):
    with database.write() as connection:
        waiting.postpone(connection, receipt, until=LATER, hold_reason=waiting.BRAKE)
        assert waiting.held(connection, waiting.BRAKE) == 1
    assert claim(database, LATER) == []
    assert find(database, now=LATER).id == receipt
    with database.write() as connection:
        assert outbox.next_due(connection) is None
        assert waiting.release(connection, "another reason", now=LATER) == 0
        assert waiting.release(connection, waiting.BRAKE, now=LATER) == 1
    assert [one.id for one in claim(database, LATER)] == [receipt]


@pytest.mark.usefixtures("receipt")
def test_a_receipt_that_answers_many_takes_in_no_more(database, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_JOINED", 1)
    assert find(database) is None


def test_a_notification_is_no_receipt(database):
    (outbox_id,) = owe(database, notice("n1", NoticeKind.NOTIFICATION, targets=None))
    with database.write() as connection:
        waiting.postpone(connection, outbox_id, until=LATER)
    assert find(database) is None
