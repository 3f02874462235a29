"""The outbox as a courier sees it: each call one committed transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.outbox import Claimed, Verdict
from service.transactions import Transactions
from store import journal, outbox
from store.database import Database


class StoredOutbox:
    """The outbox of a database."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database = database
        self._transactions = transactions

    def claim(self, *, now: datetime, limit: int) -> list[Claimed]:
        """The next due mails, from now on held by the caller."""
        return self._transactions.run(lambda connection: outbox.claim(connection, now=now, limit=limit))

    def reach_dot(self, claimed: Claimed) -> None:
        """From now on the mail may have been accepted."""
        self._transactions.run(lambda connection: outbox.reach_dot(connection, claimed))

    def record(self, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
        """Write what became of the attempt."""
        detail = {"state": verdict.state.value, "perhaps_sent": verdict.perhaps_sent}
        record = journal.Record("attempt", outbox_id=claimed.id, detail=detail)

        def work(connection: Connection) -> None:
            outbox.record(connection, claimed, verdict, now=now)
            journal.write(connection, record, now=now)

        self._transactions.run(work)

    def recover(self, held: Sequence[Claimed], *, now: datetime, hold: timedelta) -> None:
        """Give back mails without a recorded outcome."""
        ids = [claimed.id for claimed in held]
        self._transactions.run(lambda connection: outbox.recover(connection, ids, now=now, hold=hold))

    def recover_all(self, *, now: datetime, hold: timedelta) -> tuple[int, int]:
        """Give back every mail that an earlier start held; how many surely were not sent, and how many perhaps."""
        return self._transactions.run(lambda connection: outbox.recover(connection, None, now=now, hold=hold))

    def next_due(self) -> datetime | None:
        """When the next owed mail is to be tried, or None where nothing is owed."""
        with self._database.read() as connection:
            return outbox.next_due(connection)
