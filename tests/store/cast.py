"""The cast: Anna writes to help@ at noon; her mail lies as UID 7 in the inbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from desk.arrival import Arrival, Envelope, Position, Source
from desk.classification import Classification, Priority, RuleHit
from desk.lifecycle import State
from desk.mail import Address
from desk.outbox import Notice, NoticeKind
from desk.promise import Targets
from desk.request import Request
from store import arrivals, outbox, requests
from store.folders import Watched
from store.tables import arrival

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HELP, ANNA = "help@corp.example", Address("Anna Nowak", "Anna@corp.example")
INBOX = Watched(id=1, mailbox=HELP, name="INBOX", uidvalidity=42, floor_uid=3, cursor_uid=3, floor_at=NOON)
TARGETS = Targets(NOON + HOUR, NOON + 4 * HOUR)
CLASSIFICATION = Classification(
    "it", "printer", Priority.HIGH, 4.5, "facilities", 1.5, (RuleHit("printers", 4.5, ("subject: drukarka",)),)
)


def imap(uid=7, raw=None, **known):
    """An arrival by IMAP; bytes of its own for each UID."""
    raw = b"Subject: %d\r\n\r\n" % uid if raw is None else raw
    arrival = Arrival(HELP, Source.IMAP, NOON, raw, position=Position("INBOX", 42, uid), size=len(raw))
    return replace(arrival, **known)


def door(raw=b"Subject: x\r\n\r\n", **known):
    """An arrival by our own door, which gives it no position."""
    envelope = Envelope("anna@corp.example", HELP)
    return replace(Arrival(HELP, Source.LMTP, NOON, raw, envelope, size=len(raw)), **known)


def accept(database, *received, epoch=1):
    """The arrivals are in the ledger, as after step 1."""
    with database.write() as connection:
        arrivals.accept(connection, [arrivals.pack(one) for one in received], now=NOON, epoch=epoch)


def waiting(database, *, epoch=1, limit=100):
    """What is not settled and was not tried."""
    with database.read() as connection:
        return arrivals.waiting(connection, epoch=epoch, limit=limit)


def settle(database, arrival_id, fate="opened", **values):
    """The arrival has its fate."""
    with database.write() as connection:
        epoch = connection.scalar(select(arrival.c.epoch).where(arrival.c.id == arrival_id))
        arrivals.record_fate(connection, arrival_id, {"fate": fate, **values}, epoch=epoch)


def new_request(number=1001, **known):
    """A request of Anna's."""
    request = Request(
        number, "Drukarka", ANNA, HELP, "it", State.NEW, Priority.HIGH, "pl", NOON, NOON + HOUR, NOON + 4 * HOUR
    )
    return replace(request, **known)


def open_request(database, request=None):
    """The request is stored; its number."""
    with database.write() as connection:
        request = request or new_request(requests.next_number(connection))
        requests.open_request(connection, request, category=CLASSIFICATION.category)
    return request.number


def notice(name="r1", kind=NoticeKind.RECEIPT, **known):
    """A mail of ours to Anna."""
    told = Notice(kind, ANNA.key, f"<{name}@corp.example>", HELP, b"content of %s" % name.encode(), TARGETS)
    return replace(told, **known)


def owe(database, *notices, number=None, now=NOON):
    """The mails are owed about one request; the number of each in the outbox."""
    number = number or open_request(database)
    with database.write() as connection:
        return [outbox.owe(connection, number, one, now=now) for one in notices]
