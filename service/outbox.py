"""The outbox as a courier sees it: each call one committed transaction.

A recorded outcome is on its way to the disk while the courier already speaks to the relay about the next mail; it is
committed before that one's final dot, because the writer keeps the order.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from delivery.courier import AMBIGUOUS_HOLD
from desk.outbox import Claimed, Verdict
from service.transactions import Commit, Transactions
from store import journal, outbox
from store.database import Database

log = logging.getLogger("deskbell.outbox")


class StoredOutbox:
    """The outbox of a database, for one courier of a start (epoch)."""

    def __init__(self, database: Database, transactions: Transactions, epoch: int) -> None:
        self._database = database
        self._transactions = transactions
        self._epoch = epoch
        self._recording: tuple[Claimed, Commit[None]] | None = None
        self._unrecorded: list[Claimed] = []

    def claim(self, *, now: datetime, limit: int) -> list[Claimed]:
        """The next due mails, from now on held by the caller."""
        self._finish_recording()
        if self._unrecorded:
            self.recover(self._unrecorded, now=now, hold=AMBIGUOUS_HOLD)
            self._unrecorded.clear()
        return self._transactions.run(
            lambda connection: outbox.claim(connection, now=now, limit=limit, holder=self._epoch)
        )

    def reach_dot(self, claimed: Claimed) -> None:
        """From now on the mail may have been accepted; what was recorded before is committed."""
        self._transactions.run(lambda connection: outbox.reach_dot(connection, claimed))

    def record(self, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
        """Write what became of the attempt; committed by the next call at the latest."""
        self._finish_recording()
        detail = {"state": verdict.state.value, "perhaps_sent": verdict.perhaps_sent}
        entry = journal.Record("attempt", outbox_id=claimed.id, detail=detail)

        def work(connection: Connection) -> None:
            outbox.record(connection, claimed, verdict, now=now)
            journal.write(connection, entry, now=now)

        self._recording = claimed, self._transactions.later(work)

    def _finish_recording(self) -> None:
        """The last record is committed, or its mail is to be given back as perhaps sent, before anything is claimed.

        Nothing is raised: the mail in hand has an outcome of its own, which must not be lost with another's.
        """
        if self._recording is not None:
            (claimed, recording), self._recording = self._recording, None
            if (error := recording.exception()) is not None:
                log.error("what became of %s could not be recorded: %s", claimed.message_id, error)
                self._unrecorded.append(claimed)

    def recover(self, held: Sequence[Claimed], *, now: datetime, hold: timedelta) -> None:
        """Give back mails without a recorded outcome."""
        self._transactions.run(lambda connection: outbox.give_back(connection, held, now=now, hold=hold))

    def recover_all(self, *, now: datetime, hold: timedelta) -> tuple[int, int]:
        """Give back every mail held by a start that is no more; how many surely were not sent, how many perhaps."""
        return self._transactions.run(lambda connection: outbox.recover(connection, now=now, hold=hold))

    def next_due(self) -> datetime | None:
        """When the next owed mail is to be tried, or None where nothing is owed."""
        with self._database.read() as connection:
            return outbox.next_due(connection)
