"""What waits is counted, and dated by our own clock."""

from desk.outbox import OutboxState, Verdict
from store import outbox
from store.backlog import Backlog, backlog
from tests.store.cast import HOUR, MINUTE, NOON, accept, imap, notice, open_request, owe, settle


def now_waiting(database):
    with database.read() as connection:
        return backlog(connection)


def sent(database, *, now):
    with database.write() as connection:
        (claimed,) = outbox.claim(connection, now=now, limit=1, holder=1)
        outbox.record(connection, claimed, Verdict(OutboxState.SENT, "250 taken"), now=now)


def test_nothing_waits_in_a_fresh_database(database):
    assert now_waiting(database) == Backlog(0, None, 0, None, None, None, 0)


def test_unsettled_mail_waits_since_it_was_accepted_and_not_since_its_own_date(database):
    accept(database, imap(7, received_at=NOON - 100 * HOUR), imap(8))
    settle(database, 1)
    waiting = now_waiting(database)
    assert (waiting.unsettled, waiting.unsettled_since) == (1, NOON)


def test_quarantined_mail_is_counted_and_settled(database):
    accept(database, imap(7), imap(8))
    settle(database, 1, "quarantined")
    waiting = now_waiting(database)
    assert (waiting.quarantined, waiting.unsettled) == (1, 1)


def test_the_oldest_owed_mail_tells_what_was_said_last(database):
    number = open_request(database)
    owe(database, notice("a"), number=number)
    owe(database, notice("b"), number=number, now=NOON + HOUR)
    with database.write() as connection:
        (claimed,) = outbox.claim(connection, now=NOON, limit=1, holder=1)
        outbox.record(connection, claimed, Verdict(OutboxState.DUE, "451 later", NOON + 2 * HOUR), now=NOON)
    waiting = now_waiting(database)
    assert (waiting.owed, waiting.owed_since, waiting.last_reply, waiting.sent_at) == (2, NOON, "451 later", None)


def test_what_went_out_is_owed_no_more_and_dates_the_last_sending(database):
    number = open_request(database)
    owe(database, notice("a"), number=number)
    sent(database, now=NOON + MINUTE)
    waiting = now_waiting(database)
    assert (waiting.owed, waiting.owed_since, waiting.sent_at) == (0, None, NOON + MINUTE)
