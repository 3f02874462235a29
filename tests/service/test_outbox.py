"""The stored outbox: what a courier learned is written once, however often the database was away in between."""

import pytest
from sqlalchemy.exc import DataError, OperationalError

from delivery.courier import AMBIGUOUS_HOLD
from desk.outbox import OutboxState, Verdict
from service.outbox import StoredOutbox
from service.transactions import DirectTransactions
from tests.store.cast import NOON, notice, owe

AWAY = OperationalError("UPDATE", {}, Exception("server closed the connection"))
SENT = Verdict(OutboxState.SENT, "250 ok")
ROWS = "SELECT state, attempts, ambiguous FROM outbox ORDER BY id"


class Unsteady(DirectTransactions):
    """Raises these, one after the other, instead of committing; or after the commit, whose answer is lost."""

    def __init__(self, database):
        super().__init__(database)
        self.before, self.after = [], []

    def run(self, work):
        if self.before:
            raise self.before.pop(0)
        found = super().run(work)
        if self.after:
            raise self.after.pop(0)
        return found


@pytest.fixture
def transactions(database):
    return Unsteady(database)


@pytest.fixture
def outbox(database, transactions):
    return StoredOutbox(database, transactions, 7)


def rows(database, query=ROWS):
    with database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def claimed(database, outbox):
    owe(database, notice())
    (found,) = outbox.claim(now=NOON, limit=10)
    outbox.reach_dot(found)
    return found


def test_an_outcome_the_database_did_not_take_is_written_before_anything_else_is_claimed(
    database, outbox, transactions
):
    mail = claimed(database, outbox)
    transactions.before = [AWAY, AWAY]
    outbox.record(mail, SENT, now=NOON)
    with pytest.raises(OperationalError):
        outbox.claim(now=NOON, limit=10)
    assert rows(database) == [("sending", 0, 0)]
    assert outbox.claim(now=NOON, limit=10) == []
    assert rows(database) == [("sent", 1, 0)]


def test_an_outcome_that_was_taken_although_nobody_heard_of_it_is_written_once(database, outbox, transactions):
    mail = claimed(database, outbox)
    transactions.after = [AWAY]
    outbox.record(mail, SENT, now=NOON)
    assert outbox.claim(now=NOON, limit=10) == []
    assert rows(database) == [("sent", 1, 0)]
    assert rows(database, "SELECT count(*) FROM journal") == [(1,)]


def test_an_outcome_of_a_mail_that_another_took_over_is_forgotten(database, outbox, transactions):
    mail = claimed(database, outbox)
    transactions.before = [AWAY]
    outbox.record(mail, SENT, now=NOON)
    other = StoredOutbox(database, DirectTransactions(database), 8)
    assert other.recover_all(now=NOON, hold=AMBIGUOUS_HOLD) == (0, 1)
    assert outbox.claim(now=NOON, limit=10) == []
    assert rows(database) == [("due", 0, 1)]


def test_an_outcome_that_cannot_be_written_at_all_is_a_mail_perhaps_sent(database, outbox, transactions):
    mail = claimed(database, outbox)
    broken = DataError("UPDATE", {}, Exception("no such character"))
    transactions.before = [broken, broken]
    outbox.record(mail, SENT, now=NOON)
    assert outbox.claim(now=NOON, limit=10) == []
    assert rows(database) == [("due", 0, 1)]
    assert [one.perhaps_sent for one in outbox.claim(now=NOON + AMBIGUOUS_HOLD, limit=10)] == [True]
