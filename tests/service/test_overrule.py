"""Decisions of a person: all of what was asked or nothing, with the reason, and in the journal."""

import json

import pytest

from desk.outbox import OutboxState
from service.overrule import Author, DatabaseTrouble, Refused, drop, hold, release, retry
from store import holding
from tests.service.cast import NOON, imap, mail, works

EVE = Author("eve", NOON)


@pytest.fixture
def office():
    """Arrival 1 is quarantined, 2 is opened; its two mails are owed."""
    with works() as office:
        office.parser.poison.add(b"Printer 1")
        office.accept(imap(1), imap(2))
        office.settle()
        office.parser.poison.clear()
        yield office


def journal(office, event):
    rows = office.rows(f"SELECT arrival_id, outbox_id, detail FROM journal WHERE event = '{event}' ORDER BY id")
    return [(arrival or outbox, json.loads(detail)) for arrival, outbox, detail in rows]


def fates(office):
    return office.rows("SELECT fate, reason FROM arrival ORDER BY id")


def states(office):
    return [state for (state,) in office.rows("SELECT state FROM outbox ORDER BY id")]


def test_the_cast_is_as_it_says(office):
    assert [fate for fate, _ in fates(office)] == ["quarantined", "opened"]
    assert states(office) == ["due", "due"]


def test_a_quarantined_mail_that_is_tried_anew_is_settled_by_the_next_step(office):
    retry(office.database, [1], EVE)
    office.settle()
    assert fates(office)[0] == ("opened", "new-request")
    assert journal(office, "retried") == [
        (1, {"by": "eve", "fate": "quarantined", "reason": "failed 3 times"}),
    ]


def test_a_mail_that_fails_again_has_three_more_attempts_and_is_quarantined_again(office):
    office.parser.poison.add(b"Printer 1")
    retry(office.database, [1], EVE)
    asked = len(office.parser.asked)
    office.settle()
    assert fates(office)[0] == ("quarantined", "failed 3 times")
    assert sum(mail(1) in batch for batch in office.parser.asked[asked:]) == 3


def test_a_settled_mail_is_not_tried_anew_and_takes_the_others_with_it(office):
    before = fates(office)
    with pytest.raises(Refused, match=r"2 is settled: its fate is opened; 9 is not in the ledger; nothing was changed"):
        retry(office.database, [1, 2, 9], EVE)
    assert fates(office) == before
    assert journal(office, "retried") == []


def test_a_mail_too_large_is_not_tried_anew(office):
    office.accept(imap(3, complete=False))
    office.settle()
    with pytest.raises(Refused, match="3 is oversize: only its header was kept"):
        retry(office.database, [3], EVE)


def test_a_dropped_mail_is_filed_with_the_reason_in_the_journal_and_can_be_tried_after_all(office):
    drop(office.database, 1, "an empty fax", EVE)
    assert fates(office)[0] == ("filed", "dropped")
    detail = {"by": "eve", "why": "an empty fax", "fate": "quarantined", "reason": "failed 3 times"}
    assert journal(office, "dropped") == [(1, detail)]
    retry(office.database, [1], EVE)
    office.settle()
    assert fates(office)[0] == ("opened", "new-request")


def test_only_what_is_set_aside_can_be_dropped(office):
    with pytest.raises(Refused, match="2 is not in quarantine: its fate is opened"):
        drop(office.database, 2, "no", EVE)
    with pytest.raises(Refused, match="9 is not in the ledger"):
        drop(office.database, 9, "no", EVE)


def test_mails_are_held_and_released_once_each(office):
    hold(office.database, [1, 2], EVE)
    hold(office.database, [1], EVE)
    assert states(office) == ["held", "held"]
    release(office.database, [2], EVE)
    assert states(office) == ["held", "due"]
    assert journal(office, "held") == [(1, {"by": "eve"}), (2, {"by": "eve"})]
    assert journal(office, "released") == [(2, {"by": "eve"})]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("sending", "is being sent at this moment"),
        ("sent", "was sent already"),
        ("refused", "was refused for good"),
        ("expired", "was given up after five days"),
    ],
)
def test_a_mail_in_flight_or_settled_is_not_held_and_says_why(office, state, why):
    with office.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET state = '{state}' WHERE id = 2")
    with pytest.raises(Refused, match=f"2 {why}"):
        hold(office.database, [1, 2], EVE)
    assert states(office) == ["due", state]
    assert journal(office, "held") == []


def test_what_is_not_held_is_not_released(office):
    hold(office.database, [1], EVE)
    with pytest.raises(Refused, match="2 is not held: its state is due; 7 is not in the outbox"):
        release(office.database, [1, 2, 7], EVE)
    assert states(office) == ["held", "due"]


def test_a_database_that_cannot_be_written_is_told_in_one_line(office):
    with office.database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    words = "cannot be written now: attempt to write a readonly database; nothing was changed"
    with pytest.raises(DatabaseTrouble, match=words):
        hold(office.database, [1], EVE)


def test_every_state_but_due_and_held_has_a_reason_not_to_be_held(office):
    for state in set(OutboxState) - {OutboxState.DUE, OutboxState.HELD}:
        with office.database.write() as connection:
            connection.exec_driver_sql(f"UPDATE outbox SET state = '{state}' WHERE id = 1")
        with pytest.raises(Refused):
            hold(office.database, [1], EVE)
    with office.database.read() as connection:
        assert holding.states(connection, [1]) == {1: state}


def test_a_mail_that_is_tried_anew_waits_for_whichever_daemon_has_time(desk):
    """Also where several share a database: it belongs to no start, and is tried alone."""
    desk.parser.poison.add(b"Printer 1")
    desk.accept(imap(1))
    desk.settle()
    desk.parser.poison.clear()
    retry(desk.database, [1], EVE)
    other = desk.restarted()
    other.settle()
    assert fates(other) == [("opened", "new-request")]
