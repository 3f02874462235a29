"""The cast: an office with help@ and hr@, a Monday noon, and mails for them."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from desk.acknowledge import External, Mode
from desk.arrival import Arrival, Envelope, Position, Source
from desk.limiter import Limits
from service.house import UNSIGNED, House, Mailbox, Surroundings, starter_house
from service.parser import InlineParser, ParserDied
from service.pipeline import Pipeline, Ports
from service.transactions import DirectTransactions
from store import schema
from store.database import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELP, HR = "help@corp.example", "hr@corp.example"
MAIL = b"From: Anna <anna@corp.example>\r\nSubject: Printer %d\r\nMessage-ID: <%d@corp.example>\r\n\r\nJam.\r\n"


def mail(number=1):
    """A mail of Anna's about her printer."""
    return MAIL % (number, number)


def office():
    """The starter set with two mailboxes in UTC; help@ is it@ as well, outside senders get two receipts a day."""
    mailboxes = {
        HELP: Mailbox(HELP, frozenset({HELP, "it@corp.example"}), "it", Mode.FULL, External.LIMITED),
        HR: Mailbox(HR, frozenset({HR}), "hr", Mode.FULL, External.LIMITED),
    }
    house = starter_house(Surroundings(UNSIGNED, "UTC"))
    return replace(house, mailboxes=mailboxes, own_domains=frozenset({"corp.example"}), limits=Limits())


def imap(uid=1, raw=None, **known):
    """An arrival by IMAP."""
    raw = mail(uid) if raw is None else raw
    arrival = Arrival(HELP, Source.IMAP, NOON, raw, position=Position("INBOX", 42, uid), size=len(raw))
    return replace(arrival, **known)


def door(raw, sender="anna@corp.example", **known):
    """An arrival by LMTP."""
    return replace(Arrival(HELP, Source.LMTP, NOON, raw, Envelope(sender, HELP), size=len(raw)), **known)


@dataclass
class Clock:
    """The time it was told."""

    time: datetime = NOON

    def __call__(self):
        return self.time

    def pass_by(self, **amount):
        self.time += timedelta(**amount)


@dataclass
class MortalParser(InlineParser):
    """Dies of each mail that holds one of these words, and remembers what it was asked."""

    poison: set[bytes] = field(default_factory=set)
    asked: list[list[bytes]] = field(default_factory=list)

    def parse_batch(self, items):
        self.asked.append([raw for raw, _ in items])
        return super().parse_batch(items)

    def parse(self, raw, *, envelope_sender):
        if any(word in raw for word in self.poison):
            raise ParserDied("ran out of memory")
        return super().parse(raw, envelope_sender=envelope_sender)


@dataclass
class Works:
    """A pipeline on a database, with all that it touches."""

    database: Database
    transactions: DirectTransactions
    parser: MortalParser
    clock: Clock
    pipeline: Pipeline
    house: House

    def accept(self, *arrivals):
        self.transactions.run(self.pipeline.acceptance(arrivals))

    def settle(self):
        """Settle until nothing waits."""
        while self.pipeline.settle():
            pass

    def take_in_hand(self):
        """What will be settled next is claimed."""
        self.pipeline._next_batch()

    def restarted(self, epoch=2):
        """The same database after a new start."""
        return _works(self.database, self.parser, self.clock, epoch, self.house)

    def rows(self, query):
        with self.database.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


_USUAL = Limits()


@contextmanager
def works():
    """A pipeline of the office, on a database in memory."""
    with works_with(_USUAL) as desk:
        yield desk


@contextmanager
def works_with(limits):
    """The same under other limits."""
    database = Database("sqlite://")
    schema.prepare(database)
    yield works_on(database, limits)
    database.close()


def works_on(database, limits=_USUAL):
    """A pipeline of the office on that database."""
    return _works(database, MortalParser(), Clock(), 1, replace(office(), limits=limits))


def _works(database, parser, clock, epoch, house):
    transactions = DirectTransactions(database)
    ports = Ports(database, transactions, parser, clock)
    return Works(database, transactions, parser, clock, Pipeline(ports, house, epoch=epoch), house)
