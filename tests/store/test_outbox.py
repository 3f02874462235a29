"""Owed mail: written once, held by one courier at a time, settled once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from desk.outbox import Claimed, NoticeKind, OutboxState, Phase, Verdict
from store import leases, outbox
from store.database import Database
from store.outbox import ClaimLost
from store.tables import outbox as table
from store.tables import promise
from tests.store.cast import HELP, HOUR, MINUTE, NOON, SECOND, TARGETS, notice, open_request, owe

HOLD = timedelta(seconds=20)
SENT = Verdict(OutboxState.SENT, "250 ok")
LATER = Verdict(OutboxState.DUE, "451 later", NOON + MINUTE)


def claim(database, *, now=NOON, limit=10, holder=1):
    with database.write() as connection:
        return outbox.claim(connection, now=now, limit=limit, holder=holder)


def reach_dot(database, claimed):
    with database.write() as connection:
        outbox.reach_dot(connection, claimed)


def record(database, claimed, verdict, *, now=NOON):
    with database.write() as connection:
        outbox.record(connection, claimed, verdict, now=now)


def recover(database, *, now=NOON):
    with database.write() as connection:
        return outbox.recover(connection, now=now, hold=HOLD)


def give_back(database, *held, now=NOON):
    with database.write() as connection:
        return outbox.give_back(connection, held, now=now, hold=HOLD)


def next_due(database):
    with database.read() as connection:
        return outbox.next_due(connection)


def row(database, number=1):
    with database.read() as connection:
        return connection.execute(select(table).where(table.c.id == number)).one()


def test_an_owed_mail_is_due_at_once_and_claimed_as_it_was_written(database):
    assert owe(database, notice()) == [1]
    assert next_due(database) == NOON
    assert claim(database) == [
        Claimed(1, 1, 0, NOON, "<r1@corp.example>", HELP, "anna@corp.example", b"content of r1", perhaps_sent=False)
    ]


def test_the_same_message_id_is_owed_once_whatever_else_it_says(database):
    owe(database, notice())
    assert owe(database, notice(content=b"other", recipient="bob@corp.example")) == [None]
    assert [one.content for one in claim(database)] == [b"content of r1"]


def test_what_was_sent_is_not_owed_again(database):
    owe(database, notice())
    record(database, claim(database)[0], SENT)
    assert owe(database, notice()) == [None]
    assert next_due(database) is None


def test_the_promises_a_mail_tells_are_recorded_with_it(database):
    number = open_request(database)
    owe(database, notice(), notice("n1", NoticeKind.NOTIFICATION, targets=None), number=number)
    with database.read() as connection:
        rows = connection.execute(select(promise).order_by(promise.c.id)).all()
    assert [tuple(one)[1:] for one in rows] == [
        (number, 1, "first-response", TARGETS.first_response),
        (number, 1, "resolution", TARGETS.resolution),
    ]


def test_a_mail_owed_twice_promises_once(database):
    owe(database, notice())
    owe(database, notice())
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(promise)) == 2


def test_a_mail_about_no_request_is_refused(database):
    with pytest.raises(IntegrityError):
        owe(database, notice(), number=999)


def test_people_come_before_staff_and_old_before_new(database):
    staff = NoticeKind.NOTIFICATION
    owe(database, notice("n1", staff), notice("r1"), now=NOON)
    owe(database, notice("n0", staff), notice("r0"), now=NOON - HOUR)
    names = ["<r0@corp.example>", "<r1@corp.example>", "<n0@corp.example>", "<n1@corp.example>"]
    assert [one.message_id for one in claim(database, limit=3)] == names[:3]
    assert [one.message_id for one in claim(database)] == names[3:]


def test_nothing_is_claimed_before_its_time(database):
    owe(database, notice(), now=NOON + SECOND)
    assert claim(database) == []
    assert len(claim(database, now=NOON + SECOND)) == 1


def test_a_claimed_mail_is_claimed_by_nobody_else(sqlite):
    owe(sqlite, notice("r1"), notice("r2"))
    other = Database(str(sqlite.engine.url))
    assert [one.id for one in claim(sqlite, limit=1)] == [1]
    assert [one.id for one in claim(other)] == [2]
    assert claim(sqlite) == []
    other.close()


def test_a_claimed_mail_is_not_due(database):
    owe(database, notice())
    claim(database)
    assert next_due(database) is None


@pytest.mark.parametrize("final", [OutboxState.SENT, OutboxState.REFUSED, OutboxState.EXPIRED])
def test_a_settled_mail_is_never_touched_again(database, final):
    owe(database, notice())
    record(database, claim(database)[0], Verdict(final, "reply"), now=NOON + SECOND)
    assert claim(database, now=NOON + HOUR) == []
    assert recover(database) == (0, 0)
    assert next_due(database) is None
    found = row(database)
    assert (found.state, found.settled, found.last_reply, found.attempts) == (final, NOON + SECOND, "reply", 1)


def test_a_deferred_mail_is_due_when_the_verdict_says(database):
    owe(database, notice())
    record(database, claim(database)[0], LATER)
    assert next_due(database) == NOON + MINUTE
    (again,) = claim(database, now=NOON + MINUTE)
    assert (again.attempts, again.fence, again.perhaps_sent) == (1, 2, False)
    assert (row(database).settled, row(database).last_reply) == (None, "451 later")


def test_a_mail_that_was_perhaps_sent_says_so_ever_after(database):
    owe(database, notice())
    record(database, claim(database)[0], replace(LATER, perhaps_sent=True))
    (again,) = claim(database, now=NOON + MINUTE)
    assert again.perhaps_sent
    record(database, again, LATER)
    assert claim(database, now=NOON + MINUTE)[0].perhaps_sent
    assert row(database).ambiguous == 1


def test_the_earliest_of_what_is_owed_is_the_next(database):
    owe(database, notice("r1"), now=NOON + HOUR)
    owe(database, notice("r2"), now=NOON + MINUTE)
    assert next_due(database) == NOON + MINUTE


def test_nothing_is_owed_in_an_empty_outbox(database):
    assert next_due(database) is None
    assert claim(database) == []


def test_who_stopped_before_the_dot_did_not_send_and_the_mail_is_due_at_once(database):
    owe(database, notice())
    claim(database)
    assert recover(database, now=NOON + HOUR) == (1, 0)
    (again,) = claim(database)
    assert (again.attempts, again.fence, again.perhaps_sent) == (0, 3, False)


def test_who_stopped_after_the_dot_perhaps_sent_and_the_mail_waits(database):
    owe(database, notice())
    reach_dot(database, claim(database)[0])
    assert recover(database, now=NOON + HOUR) == (0, 1)
    assert next_due(database) == NOON + HOUR + HOLD
    (again,) = claim(database, now=NOON + HOUR + HOLD)
    assert again.perhaps_sent
    assert "perhaps sent" in row(database).last_reply


def test_only_the_mails_named_are_given_back(database):
    owe(database, *(notice(f"r{number}") for number in range(4)))
    claimed = claim(database)
    reach_dot(database, claimed[1])
    assert give_back(database, claimed[0], claimed[1]) == (1, 1)
    assert [one.id for one in claim(database, now=NOON + HOLD)] == [claimed[0].id, claimed[1].id]
    assert give_back(database) == (0, 0)


def test_giving_back_twice_is_giving_back_once(database):
    owe(database, notice("r1"), notice("r2"))
    reach_dot(database, claim(database)[0])
    assert recover(database) == (1, 1)
    assert recover(database) == (0, 0)
    assert row(database).ambiguous == 1


@pytest.mark.parametrize("late", [reach_dot, lambda database, claimed: record(database, claimed, SENT)])
def test_what_an_earlier_holder_knows_counts_no_more(database, late):
    owe(database, notice())
    (first,) = claim(database)
    recover(database)
    (second,) = claim(database)
    with pytest.raises(ClaimLost, match="r1@corp"):
        late(database, first)
    assert (row(database).state, row(database).phase) == (OutboxState.SENDING, Phase.CLAIMED)
    record(database, second, SENT)
    assert row(database).state == OutboxState.SENT


def test_a_claim_given_back_is_lost_even_before_somebody_else_has_it(database):
    owe(database, notice())
    (claimed,) = claim(database)
    recover(database)
    with pytest.raises(ClaimLost):
        record(database, claimed, SENT)
    assert row(database).state == OutboxState.DUE


def test_only_receipts_to_this_address_since_then_are_counted(database):
    number = open_request(database)
    owe(database, notice("old"), number=number, now=NOON - HOUR)
    owe(database, notice("r1"), notice("n1", NoticeKind.NOTIFICATION), number=number)
    owe(database, notice("r2", recipient="bob@corp.example"), number=number)
    with database.read() as connection:
        counted = [
            outbox.receipts_since(connection, recipient="anna@corp.example", since=since)
            for since in (NOON - HOUR, NOON, NOON + SECOND)
        ]
    assert counted == [2, 1, 0]


def test_a_receipt_counts_from_when_it_was_owed_not_from_when_it_was_sent(database):
    owe(database, notice())
    record(database, claim(database)[0], Verdict(OutboxState.REFUSED, "550"), now=NOON + HOUR)
    with database.read() as connection:
        assert outbox.receipts_since(connection, recipient="anna@corp.example", since=NOON) == 1


def living(database, *starts):
    """These starts are alive, as several on one PostgreSQL are."""
    with database.write() as connection:
        for start in starts:
            leases.keep(connection, [f"start {start}"], holder=start, seconds=60)


def test_what_a_living_start_holds_is_not_recovered_by_another(database):
    owe(database, notice("r1"), notice("r2"))
    claim(database, limit=1, holder=7)
    claim(database, limit=1, holder=8)
    living(database, 7)
    assert recover(database) == (1, 0)
    assert [one.message_id for one in claim(database, holder=9)] == ["<r2@corp.example>"]


def test_what_somebody_else_took_over_is_not_given_back_by_its_earlier_holder(database):
    owe(database, notice())
    (lost,) = claim(database, holder=7)
    recover(database)
    (theirs,) = claim(database, holder=8)
    assert give_back(database, lost) == (0, 0)
    reach_dot(database, theirs)


@pytest.mark.server
def test_two_couriers_that_claim_at_once_get_different_mails(postgres_database):
    """The second does not wait for the first."""
    database = postgres_database
    owe(database, notice("r1"), notice("r2"))
    with database.write() as first, database.write() as second:
        claimed = [outbox.claim(one, now=NOON, limit=1, holder=holder) for one, holder in ((first, 7), (second, 8))]
    assert [[one.id for one in found] for found in claimed] == [[1], [2]]
