"""The way of a mail, in order. Each step is done elsewhere; this names them and decides nothing.

1 accept       raw bytes and a ledger row, committed before anything is flagged or answered 250
2 parse        bytes -> Mail, in a process that may die
3 guard        person or machine, and how well the sender is proven
4 thread       the request it continues
5 classify     language, department, priority
6 decide       fate, receipt, news, promised moments
7 store        all of that and the owed mails: one commit
8 acknowledge  the courier hands the owed mails over
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from desk.arrival import Arrival, Fate, Source
from desk.aside import is_told
from desk.mail import Mail
from service.failure import failure
from service.house import House
from service.judged import Judged, judge
from service.modes import with_modes
from service.parser import ParserDied
from service.settle import Settling, settle
from service.transactions import Commit, Transactions
from store import arrivals, asides, journal, modes, turns
from store.arrivals import UNCLAIMED, ArrivalLost, Waiting
from store.database import Database, TransactionLost, is_about_the_values
from store.effects import PENDING
from store.modes import Given
from store.turns import Turn

log = logging.getLogger("deskbell.pipeline")

BATCH = 25
MAX_ATTEMPTS = 3
"""A mail that made us fail this often is set aside with its bytes, for a person to look at."""


class Parser(Protocol):
    """Makes Mails of bytes; a mail that kills it yields ParserDied in its place."""

    def start(self) -> None:
        """It can be asked. Raises ParserUnavailable where it cannot run at all, which is no mail's fault."""
        ...

    def parse_batch(self, items: Sequence[tuple[bytes, str | None]]) -> list[Mail | ParserDied]:
        """One answer for each (raw, envelope sender), in order."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What the pipeline reaches the world through."""

    database: Database
    transactions: Transactions
    parser: Parser
    now: Callable[[], datetime]


class Pipeline:
    """Steps 1 to 7 for one installation; epoch counts its starts."""

    def __init__(self, ports: Ports, house: House, *, epoch: int) -> None:
        self._ports = ports
        self._configured = self._obeyed = self._house = house
        self._modes: dict[str, Given] = {}
        self._epoch = epoch
        self._storing: Storing | None = None
        self._spared: set[int] = set()
        """Arrivals whose counted attempt the database prevented: their next attempt is that one."""

    def move_into(self, house: House) -> None:
        """What is parsed from now on is settled by that house; what is in hand keeps the one it began with."""
        self._configured = house

    def acceptance(self, received: Sequence[Arrival]) -> Callable[[Connection], None]:
        """Step 1 as work for a transaction: once that is committed the bytes are durable."""
        packed = [arrivals.pack(one) for one in received]
        now = self._ports.now()
        epoch = UNCLAIMED if self._ports.database.is_shared else self._epoch
        return lambda connection: arrivals.accept(connection, packed, now=now, epoch=epoch)

    def settle(self) -> bool:
        """Steps 2 to 7 for the next arrivals; False where none was waiting.

        While the writer stores a batch the next one is parsed; it is begun only when that one is known to be stored.
        """
        self._ports.parser.start()
        batch, house = self._next_batch(), self._house
        judged = self._judged(batch, house)
        stored = self._finish_storing()
        if batch.items:
            outcomes = [self._begun(one, result, house) for one, result in zip(batch.items, judged, strict=True)]
            self._storing = Storing(batch, outcomes)
        return stored or bool(batch.items)

    def _judged(self, batch: "Batch", house: House) -> list["Judged | Exception"]:
        items = [(one.arrival.raw, one.arrival.envelope.sender) for one in batch.items]
        parsed = self._ports.parser.parse_batch(items)
        return [self._judged_or_reason(one, mail, house) for one, mail in zip(batch.items, parsed, strict=True)]

    def _judged_or_reason(self, one: Waiting, mail: Mail | ParserDied, house: House) -> "Judged | Exception":
        if isinstance(mail, ParserDied):
            return mail
        try:
            return judge(one.arrival, mail, house)
        except Exception as error:  # noqa: BLE001 - it is still received; the attempt is counted with this reason
            return error

    def _finish_storing(self) -> bool:
        """Look at what became of the batch that was handed to the writer; False where there was none."""
        if self._storing is None:
            return False
        storing, self._storing = self._storing, None
        outcomes = [one if isinstance(one, Exception) else one.exception() for one in storing.outcomes]
        self._look_at(storing.batch, outcomes)
        return True

    def _next_batch(self) -> "Batch":
        """Fresh arrivals first; else one that failed before or was left over when a start died.

        That one comes alone and its attempt is counted first, so that it can take no other with it, and no other has
        to answer for it.
        """
        with self._ports.database.read() as connection:
            self._obey(modes.every(connection))
        fresh = self._fresh()
        if fresh or self._storing is not None:
            return Batch(fresh)
        with self._ports.database.read() as connection:
            suspects = arrivals.suspects(connection, epoch=self._epoch, limit=1)
        if not suspects:
            return Batch([])
        suspect = suspects[0]
        if self._failures(suspect) >= MAX_ATTEMPTS:
            self._ports.transactions.run(lambda connection: self._quarantine(connection, suspect))
            return self._next_batch()
        if not self._ports.transactions.run(lambda connection: self._taken_over(connection, suspect)):
            return self._next_batch()
        self._spared.discard(suspect.id)
        return Batch([replace(suspect, epoch=self._epoch)], counted=True)

    def _fresh(self) -> list[Waiting]:
        """Arrivals nobody tried yet. Where several daemons share a database they are claimed first."""
        if self._ports.database.is_shared:
            claimed = self._ports.transactions.run(
                lambda connection: arrivals.claim(connection, epoch=self._epoch, limit=BATCH)
            )
            if claimed or self._storing is not None:
                return claimed
        after = self._storing.batch.items[-1].id if self._storing is not None else 0
        with self._ports.database.read() as connection:
            return arrivals.waiting(connection, epoch=self._epoch, limit=BATCH, after=after)

    def _taken_over(self, connection: Connection, suspect: Waiting) -> bool:
        """Whether it is ours to try; then this attempt is counted."""
        if not arrivals.take_over(connection, suspect, epoch=self._epoch):
            return False
        if suspect.id not in self._spared:
            arrivals.count_attempt(connection, [suspect.id])
        return True

    def _obey(self, given: dict[str, Given]) -> None:
        """From now on the mailboxes have the modes they were given."""
        configured = self._configured  # Another thread may move us meanwhile.
        if given != self._modes or configured is not self._obeyed:
            self._house, self._modes, self._obeyed = with_modes(configured, given), given, configured

    def _failures(self, one: Waiting) -> int:
        """Attempts that failed, as far as this arrival alone can have been the cause."""
        return one.attempts - (one.id in self._spared)

    def _begun(self, one: Waiting, judged: "Judged | Exception", house: House) -> "Commit[None] | Exception":
        """Steps 4, 6 and 7 for one arrival are in the writer's hands; or why they cannot be done."""
        if isinstance(judged, Exception):
            return judged

        def work(connection: Connection) -> None:
            turns.take(connection, Turn.SETTLING)
            settle(Settling(connection, house, one, judged, self._ports.now()))

        return self._ports.transactions.submit(work)

    def _look_at(self, batch: "Batch", outcomes: Sequence[object]) -> None:
        """Count the attempt of each arrival that failed by its own fault; trouble of the database is nobody's fault.

        Either way it is still received, with everything as it was before. One that is in other hands is not ours.
        """
        failed = [
            (one, error)
            for one, error in zip(batch.items, outcomes, strict=True)
            if isinstance(error, Exception) and not isinstance(error, ArrivalLost)
        ]
        for one, error in failed:
            if isinstance(error, DBAPIError | TransactionLost) and not is_about_the_values(error):
                self._spared |= {one.id for one in batch.items} if batch.counted else set()
                raise error
            log.error("arrival %d could not be settled: %s", one.id, failure(error))
        if failed and not batch.counted:
            ids = [one.id for one, _ in failed]
            self._ports.transactions.run(lambda connection: arrivals.count_attempt(connection, ids))

    def _quarantine(self, connection: Connection, one: Waiting) -> None:
        reason = f"failed {self._failures(one)} times"
        values = {"fate": Fate.QUARANTINED.value, "reason": reason, "receipt": "never: quarantined"}
        if one.arrival.source is Source.IMAP:
            values["effect"] = PENDING
        arrivals.record_fate(connection, one.id, values, epoch=one.epoch)
        mailbox = self._house.mailboxes.get(one.arrival.mailbox)
        if mailbox is not None and is_told(one.arrival, Fate.QUARANTINED, mailbox.mode):
            asides.note(connection, one.id, now=self._ports.now())
        record = journal.Record("quarantined", arrival_id=one.id, detail={"reason": reason})
        journal.write(connection, record, now=self._ports.now())
        log.error("arrival %d is quarantined: %s", one.id, reason)


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrivals to settle together; counted: their attempt was written before it was made."""

    items: list[Waiting]
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Storing:
    """A batch in the writer's hands, without those that failed before."""

    batch: Batch
    outcomes: list[Commit[None] | Exception]
