"""The outbox as a courier sees it: each call one committed transaction.

A recorded outcome is on its way to the disk while the courier already speaks to the relay about the next mail; it is
committed before that one's final dot, because the writer keeps the order.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from delivery.alias import alias_in
from delivery.courier import AMBIGUOUS_HOLD
from desk.outbox import Claimed, OutboxState, Verdict
from service.transactions import Commit, Transactions
from store import aliases, journal, outbox
from store.database import Database, is_about_the_values
from store.outbox import ClaimLost

log = logging.getLogger("deskbell.outbox")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a mail, and when."""

    claimed: Claimed
    verdict: Verdict
    at: datetime

    def record(self, connection: Connection) -> None:
        """Write it. Raises ClaimLost."""
        detail = {"state": self.verdict.state.value, "perhaps_sent": self.verdict.perhaps_sent}
        outbox.record(connection, self.claimed, self.verdict, now=self.at)
        journal.write(connection, journal.Record("attempt", outbox_id=self.claimed.id, detail=detail), now=self.at)
        if (alias := _alias(self.claimed, self.verdict)) is not None:
            aliases.add(connection, self.claimed.id, alias)


class StoredOutbox:
    """The outbox of a database, for one courier of a start (epoch)."""

    def __init__(self, database: Database, transactions: Transactions, epoch: int) -> None:
        self._database = database
        self._transactions = transactions
        self._epoch = epoch
        self._recording: tuple[Attempt, Commit[None]] | None = None
        self._unrecorded: list[Attempt] = []

    def claim(self, *, now: datetime, limit: int) -> list[Claimed]:
        """The next due mails, from now on held by the caller."""
        self._finish_recording()
        while self._unrecorded:
            self._record_again(self._unrecorded[0])
            del self._unrecorded[0]
        return self._transactions.run(
            lambda connection: outbox.claim(connection, now=now, limit=limit, holder=self._epoch)
        )

    def reach_dot(self, claimed: Claimed) -> None:
        """From now on the mail may have been accepted; what was recorded before is committed."""
        self._transactions.run(lambda connection: outbox.reach_dot(connection, claimed))

    def record(self, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
        """Write what became of the attempt; committed by the next call at the latest."""
        self._finish_recording()
        attempt = Attempt(claimed, verdict, now)
        self._recording = attempt, self._transactions.later(attempt.record)

    def _finish_recording(self) -> None:
        """The last record is committed, or is to be made once more before anything is claimed.

        Nothing is raised: the mail in hand has an outcome of its own, which must not be lost with another's.
        """
        if self._recording is not None:
            (attempt, recording), self._recording = self._recording, None
            if (error := recording.exception()) is not None:
                log.error("what became of %s could not be recorded: %s", attempt.claimed.message_id, error)
                self._unrecorded.append(attempt)

    def _record_again(self, attempt: "Attempt") -> None:
        """What became of the mail is known here alone: while the database is away this raises, and is tried again."""
        try:
            self._transactions.run(attempt.record)
        except ClaimLost:  # recorded after all, or in other hands
            return
        except DBAPIError as error:
            if not is_about_the_values(error):
                raise
            # It cannot be written at all: as if nothing were known, it is perhaps sent.
            self.recover([attempt.claimed], now=attempt.at, hold=AMBIGUOUS_HOLD)

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


def _alias(claimed: Claimed, verdict: Verdict) -> str | None:
    """The Message-ID that the relay says it gave the mail."""
    if verdict.state is not OutboxState.SENT:
        return None
    return alias_in(verdict.reply, known=(claimed.message_id, claimed.recipient, claimed.envelope_sender))
