"""The daemon of a simulated world: the real loops over the faulty ports, one step at a time, thrown away by a crash."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from delivery.courier import AMBIGUOUS_HOLD, Chance, Courier
from desk.acknowledge import External, Mode
from desk.limiter import Limits
from desk.mail import Mail
from intake.mailbox import MailboxError
from service.asides import AsideNews
from service.evening import EveningReport, Evenings
from service.house import UNSIGNED, House, Mailbox, Surroundings, starter_house
from service.outbox import StoredOutbox
from service.parser import InlineParser, ParserDied
from service.pipeline import Pipeline, Ports
from service.rewording import reword_outdated
from service.watch import FolderWatch, Spec, WatchPorts
from service.writer import PieceFailed
from store import meta
from store.database import Database, TransactionLost
from tests.simulator.letters import LARGEST, MAILBOX, OTHER
from tests.simulator.mailserver import MailServer
from tests.simulator.relay import Relay
from tests.simulator.world import Crash, Violation, World

T = TypeVar("T")
Work = Callable[[Connection], Any]
COURIERS = ("courier 1", "courier 2")
LOOPS = ("watch", "settle", "evening", "asides", *COURIERS)
ADMIN = "admin@corp.example"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of; a mutant puts a broken one in."""

    pipeline: type[Pipeline] = Pipeline
    watch: type[FolderWatch] = FolderWatch
    outbox: type[StoredOutbox] = StoredOutbox
    recovers: bool = True


@dataclass(frozen=True, slots=True)
class Surrounding:
    """All that survives a crash."""

    world: World
    database: Database
    server: MailServer
    relay: Relay
    house: House
    parts: Parts = field(default_factory=Parts)


def house(mode: Mode, limits: Limits | None = None) -> House:
    """One mailbox with the starter rules."""
    departments = {MAILBOX: "it", OTHER: "hr"}
    mailboxes = {
        one: Mailbox(one, frozenset({one}), department, mode, External.LIMITED)
        for one, department in departments.items()
    }
    empty = starter_house(Surroundings(UNSIGNED, "Europe/Warsaw"))
    return replace(empty, mailboxes=mailboxes, own_domains=frozenset({"corp.example"}), limits=limits)


class Promised(Future[T]):
    """A future that has the writer do its work where somebody waits for it: there is no other thread."""

    def __init__(self, write: Callable[[], None]) -> None:
        super().__init__()
        self._write = write

    def result(self, timeout: float | None = None) -> T:
        """As of any future."""
        self._wait()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As of any future."""
        self._wait()
        return super().exception(timeout)

    def _wait(self) -> None:
        while not self.done():
            self._write()


class FaultyTransactions:
    """The one writer (service.writer) without its thread: work in order, in groups that share a commit.

    The process can die, or the database fail, at each statement and on both ends. What was only submitted is committed
    whenever the writer comes to it, at the latest before any later work.
    """

    def __init__(self, around: Surrounding) -> None:
        self._world = around.world
        self._relay = around.relay
        self._database = around.database
        self._queue: list[tuple[Work, Future[Any]]] = []

    def run(self, work: Callable[[Connection], T]) -> T:
        """As service.transactions says; whoever dies after the commit never hears of it."""
        return self._begun(work).result()

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """As service.transactions says."""
        future = self._begun(work)
        self.perhaps_write()
        return future

    def later(self, work: Callable[[Connection], T]) -> "Future[T]":
        """As service.transactions says: it may be committed much later, but before anything that comes behind it."""
        return self._begun(work)

    def perhaps_write(self) -> None:
        """The writer may come to what is queued, while others do something else."""
        if self._queue and self._world.random.random() < 0.5:
            self._write()

    def _begun(self, work: Callable[[Connection], T]) -> "Future[T]":
        future: Future[T] = Promised(self._write)
        self._queue.append((work, future))
        return future

    def _write(self) -> None:
        """One group: all of it is committed, or nothing; where one piece fails, each by itself."""
        size = self._world.random.randint(1, len(self._queue))
        group, self._queue = self._queue[:size], self._queue[size:]
        outcomes = self._outcomes([work for work, _ in group])
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _outcomes(self, works: Sequence[Work]) -> list[Any]:
        try:
            return self._committed(works)
        except PieceFailed as failed:
            if len(works) == 1:
                return [failed.reason]
            return [outcome for work in works for outcome in self._outcomes([work])]
        except (OperationalError, TransactionLost) as error:
            return [error] * len(works)
        finally:
            self._world.fuse = 0

    def _committed(self, works: Sequence[Work]) -> list[Any]:
        self._world.may_crash("before begin")
        self._world.light_fuse()
        with self._database.write() as connection:
            results = [_result(work, connection) for work in works]
            self._world.fuse = 0
            self._world.may_crash("before commit")
            self._world.may_refuse("commit")
        self._relay.committed()
        self._world.may_crash("after commit")
        return results


def _result(work: Work, connection: Connection) -> Any:
    try:
        return work(connection)
    except Exception as error:
        raise PieceFailed(error) from error


_PARSED: dict[bytes, Mail] = {}
"""Parsing depends on nothing but the bytes, and is a third of the work."""


class MortalParser(InlineParser):
    """The real parser, but some mails are more than it can bear."""

    def __init__(self, world: World) -> None:
        self._world = world

    def parse_batch(self, items: Sequence[tuple[bytes, str | None]]) -> list[Mail | ParserDied]:
        """The process may die before it has parsed anything."""
        if items:
            self._world.may_crash("parse")
        return super().parse_batch(items)

    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail; dies of a killer."""
        if b"\r\nX-Poison: killer" in raw:
            self._world.die("of a killer")
        if b"\r\nX-Poison: poison" in raw:
            raise ParserDied("poison")
        if raw not in _PARSED:
            _PARSED[raw] = super().parse(raw, envelope_sender=envelope_sender)
        return _PARSED[raw]


class Process:
    """One life of the daemon, from its start (service.daemon) to a crash."""

    def __init__(self, around: Surrounding) -> None:
        world, parts, transactions = around.world, around.parts, FaultyTransactions(around)
        self._world = world
        self._server = around.server
        self._busy: list[str] = []
        self._in_hand = False
        """Something is on its way through the pipeline, or failed in it: who dies now seems to die of that."""
        self._database = database = around.database
        self._transactions, self._house = transactions, around.house
        epoch = transactions.run(lambda connection: meta.count_up(connection, "epoch", start=1))
        ports = Ports(database, transactions, MortalParser(world), world.now)
        self._pipeline = parts.pipeline(ports, around.house, epoch=epoch)
        watch = WatchPorts(around.server.open, self._pipeline, database, transactions, world.now)
        self._watch = parts.watch(Spec(MAILBOX, "INBOX", "auto", LARGEST), watch)
        chance = Chance(world.now, world.random.random)
        if parts.recovers:
            parts.outbox(database, transactions, epoch).recover_all(now=world.now(), hold=AMBIGUOUS_HOLD)
        self._couriers = {
            name: Courier(parts.outbox(database, transactions, epoch), around.relay, chance) for name in COURIERS
        }
        self._evening = EveningReport(transactions, around.house, Evenings(time(17), (ADMIN,)))
        self._asides = AsideNews(database, transactions, around.house)
        world.take_turn = self._another
        world.meanwhile = transactions.perhaps_write

    def step(self, loop: str) -> bool:
        """One step of a loop; what the daemon logs and tries again is swallowed, anything else is a fault of ours."""
        if loop in self._busy:
            return False
        self._busy.append(loop)
        try:
            return self._step(loop)
        except (MailboxError, OperationalError, TransactionLost):
            return True
        except Crash:
            self._server.deaths += self._in_hand
            raise
        except Exception as error:
            raise Violation(f"{loop}: {type(error).__name__}: {error}") from error
        finally:
            self._busy.remove(loop)

    def _step(self, loop: str) -> bool:
        if loop == "watch":
            return self._watched()
        if loop == "settle":
            self._in_hand = True
            self._in_hand = self._pipeline.settle()
            return self._in_hand
        if loop == "evening":
            return self._evening.step(self._world.now())
        if loop == "asides":
            return self._asides.step(self._world.now())
        reword_outdated(self._database, self._transactions, self._house, self._world.now())
        return self._couriers[loop].step()

    def _watched(self) -> bool:
        try:
            self._watch.open()
            worked = self._watch.step()
            if not worked and self._world.wild:
                self._watch.rest(None)
        except BaseException:
            self._watch.close()
            raise
        return worked

    def _another(self) -> None:
        """While one loop waits for the network another makes a step; not while that one waits too."""
        if len(self._busy) < 2:
            self.step(self._world.random.choice(LOOPS))
