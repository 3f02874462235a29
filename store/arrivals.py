"""The ledger of arrivals: accepted once, settled once, each with exactly one fate."""

import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, or_, select, update

from desk.arrival import Arrival, Envelope, Fate, Position, Source
from store.database import insert_if_new, insert_into
from store.leases import living
from store.prepared import Prepared
from store.tables import arrival, raw

UNCLAIMED = -1
"""The epoch of an arrival that belongs to no start yet: whichever daemon has time claims it. Starts count from 1; those
of epoch 0 are tried alone, as what a start left over."""
COMPRESSION = 1
"""zlib level: 6 costs half as much again and saves a few percent on mail."""
COMPRESSED_UP_TO = 256 * 1024
"""Octets; above, a mail is mostly attachments in base64: much work for a quarter of its size."""


class ArrivalLost(Exception):
    """Another start holds this arrival now, or has settled it; nothing of what we made of it counts."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An arrival ready to be written: digest (hex SHA-256) and compressed bytes are made before the transaction."""

    arrival: Arrival
    digest: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """An arrival that is not settled yet, with its number in the ledger and how often it was tried.

    epoch: the start that holds it.
    """

    id: int
    arrival: Arrival
    attempts: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """An arrival with the same content that came before."""

    id: int
    mailbox: str
    received: datetime
    request_number: int | None
    fate: Fate


def receipt_of(connection: Connection, number: int) -> str:
    """What was decided about the receipt of a request, such as "limited: external-limited"."""
    opened = select(arrival.c.receipt).where(arrival.c.request_number == number, arrival.c.fate == Fate.OPENED.value)
    return connection.scalar(opened) or ""


def pack(one: Arrival) -> Packed:
    """The arrival with its digest and compressed bytes; the costly part, done outside the transaction."""
    level = COMPRESSION if len(one.raw) <= COMPRESSED_UP_TO else 0
    return Packed(one, hashlib.sha256(one.raw).hexdigest(), zlib.compress(one.raw, level))


def accept(connection: Connection, packed: Sequence[Packed], *, now: datetime, epoch: int) -> None:
    """Write the raw bytes and a ledger row for each; a message that is in the ledger already changes nothing."""
    contents = {
        one.digest: {"digest": one.digest, "size": len(one.arrival.raw), "content": one.content} for one in packed
    }
    dialect = connection.dialect.name
    _keep_bytes(dialect).run_each(connection, list(contents.values()))
    _insert(dialect).run_each(connection, [_row(one, now, epoch) for one in packed])


@cache
def _insert(dialect: str) -> Prepared:
    return Prepared(insert_if_new(dialect, arrival))


@cache
def _keep_bytes(dialect: str) -> Prepared:
    """Insert the bytes of a mail; where they were erased, they are there again. An empty mail has none to erase."""
    new = insert_into(dialect, raw)
    anew = {"content": new.excluded.content, "size": new.excluded.size}
    return Prepared(new.on_conflict_do_update(index_elements=[raw.c.digest], set_=anew, where=raw.c.size == 0))


def _row(one: Packed, now: datetime, epoch: int) -> dict[str, Any]:
    position = one.arrival.position
    return {
        "mailbox": one.arrival.mailbox,
        "source": one.arrival.source.value,
        "folder": position.folder if position else None,
        "uidvalidity": position.uidvalidity if position else None,
        "uid": position.uid if position else None,
        "received": one.arrival.received_at,
        "accepted": now,
        "epoch": epoch,
        "size": one.arrival.size or len(one.arrival.raw),
        "complete": one.arrival.complete,
        "replayed": one.arrival.replayed,
        "before_floor": one.arrival.before_floor,
        "raw_digest": one.digest,
        "envelope_sender": one.arrival.envelope.sender,
        "envelope_recipient": one.arrival.envelope.recipient,
        "attempts": 0,
        "fate": Fate.RECEIVED.value,
    }


_WAITING: Select[Any] = (
    select(
        arrival.c.id,
        arrival.c.attempts,
        arrival.c.epoch,
        arrival.c.mailbox,
        arrival.c.source,
        arrival.c.folder,
        arrival.c.uidvalidity,
        arrival.c.uid,
        arrival.c.received,
        arrival.c.size,
        arrival.c.replayed,
        arrival.c.complete,
        arrival.c.before_floor,
        arrival.c.envelope_sender,
        arrival.c.envelope_recipient,
        raw.c.content,
    )
    .join_from(arrival, raw)
    .where(arrival.c.fate == Fate.RECEIVED.value)
)


_FRESH = (
    _WAITING.where(
        arrival.c.epoch == bindparam("now_epoch"), arrival.c.attempts == 0, arrival.c.id > bindparam("after")
    )
    .order_by(arrival.c.id)
    .limit(bindparam("most"))
)


def waiting(connection: Connection, *, epoch: int, limit: int, after: int = 0) -> list[Waiting]:
    """The next unsettled arrivals that no start died on: those of this epoch that were not tried yet, oldest first."""
    values = {"now_epoch": epoch, "after": after, "most": limit}
    return [_waiting(row) for row in connection.execute(_FRESH, values)]


_UNCLAIMED = (
    _WAITING.where(arrival.c.epoch == UNCLAIMED, arrival.c.attempts == 0)
    .order_by(arrival.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=arrival, skip_locked=True)
)


def claim(connection: Connection, *, epoch: int, limit: int) -> list[Waiting]:
    """The oldest arrivals that belong to nobody; from now on they are this start's."""
    found = [_waiting(row) for row in connection.execute(_UNCLAIMED, {"most": limit})]
    if found:
        ids = [one.id for one in found]
        connection.execute(update(arrival).where(arrival.c.id.in_(ids)).values(epoch=epoch))
    return [replace(one, epoch=epoch) for one in found]


def suspects(connection: Connection, *, epoch: int, limit: int) -> list[Waiting]:
    """Unsettled arrivals that this start tried before, or that were left by one that is no more; least tried first."""
    ours = and_(arrival.c.epoch == epoch, arrival.c.attempts > 0)
    left_over = arrival.c.epoch.not_in([epoch, UNCLAIMED]) & arrival.c.epoch.not_in(living())
    chosen = _WAITING.where(or_(ours, left_over)).order_by(arrival.c.attempts, arrival.c.id).limit(limit)
    return [_waiting(row) for row in connection.execute(chosen)]


def take_over(connection: Connection, one: Waiting, *, epoch: int) -> bool:
    """The arrival is this start's, unless another took it or settled it since it was read: then False."""
    as_read = (arrival.c.id == one.id) & (arrival.c.epoch == one.epoch) & (arrival.c.fate == Fate.RECEIVED.value)
    return connection.execute(update(arrival).where(as_read).values(epoch=epoch)).rowcount == 1


def _waiting(row: Row[Any]) -> Waiting:
    position = Position(row.folder, row.uidvalidity, row.uid) if row.folder is not None else None
    found = Arrival(
        mailbox=row.mailbox,
        source=Source(row.source),
        received_at=row.received,
        raw=zlib.decompress(row.content),
        envelope=Envelope(row.envelope_sender, row.envelope_recipient),
        position=position,
        replayed=row.replayed,
        size=row.size,
        complete=row.complete,
        before_floor=row.before_floor,
    )
    return Waiting(row.id, found, row.attempts, row.epoch)


def count_attempt(connection: Connection, ids: Collection[int]) -> None:
    """Add one attempt to each of the arrivals."""
    statement = update(arrival).where(arrival.c.id.in_(list(ids))).values(attempts=arrival.c.attempts + 1)
    connection.execute(statement)


_RECORD_FATE = Prepared(
    update(arrival).where(
        arrival.c.id == bindparam("of"),
        arrival.c.epoch == bindparam("held_by"),
        arrival.c.fate == Fate.RECEIVED.value,
    )
)


def record_fate(connection: Connection, arrival_id: int, values: Mapping[str, Any], *, epoch: int) -> None:
    """Write the fate of an unsettled arrival with all that led to it.

    Raises ArrivalLost where it has a fate already, or where that start does not hold it any more.
    """
    if _RECORD_FATE.run(connection, {"of": arrival_id, "held_by": epoch, **values}) != 1:
        raise ArrivalLost(f"arrival {arrival_id} is in other hands")


_EARLIER = Prepared(
    select(arrival.c.id, arrival.c.mailbox, arrival.c.received, arrival.c.request_number, arrival.c.fate)
    .where(arrival.c.content_key == bindparam("key"), arrival.c.id != bindparam("but"))
    .order_by(arrival.c.id)
)


def earlier(connection: Connection, *, content_key: str, but: int) -> list[Earlier]:
    """The other settled arrivals with the same content, oldest first."""
    rows = _EARLIER.rows(connection, {"key": content_key, "but": but})
    return [
        Earlier(number, mailbox, received, request, Fate(fate)) for number, mailbox, received, request, fate in rows
    ]
