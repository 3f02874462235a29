"""The ledger as people and scripts read it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, bindparam, func, select

from desk.arrival import Fate
from desk.request import reference_of
from store.folders import Watched
from store.tables import arrival, journal


@dataclass(frozen=True, slots=True)
class Line:
    """One arrival: where it came in, what became of it, and why."""

    id: int
    mailbox: str
    source: str
    folder: str | None
    uidvalidity: int | None
    uid: int | None
    received: datetime
    accepted: datetime
    size: int
    message_id: str | None
    fate: Fate
    reason: str | None
    receipt: str | None
    evidence: int | None
    attempts: int
    reference: str | None
    trace: dict[str, Any] | None
    erased: datetime | None = None
    """Since when nothing of its content is left."""


_LINES: Select[Any] = select(
    arrival.c.id,
    arrival.c.mailbox,
    arrival.c.source,
    arrival.c.folder,
    arrival.c.uidvalidity,
    arrival.c.uid,
    arrival.c.received,
    arrival.c.accepted,
    arrival.c.size,
    arrival.c.message_id,
    arrival.c.fate,
    arrival.c.reason,
    arrival.c.receipt,
    arrival.c.evidence,
    arrival.c.attempts,
    arrival.c.request_number,
    arrival.c.trace,
    arrival.c.erased,
)

# Typed, because people name numbers that no column can hold.
_LINE = _LINES.where(arrival.c.id == bindparam("wanted", type_=BigInteger))


def every(connection: Connection, *, mailbox: str | None, fate: Fate | None) -> list[Line]:
    """All arrivals, oldest first; of one mailbox or fate where given."""
    chosen = _LINES.order_by(arrival.c.id)
    if mailbox is not None:
        chosen = chosen.where(arrival.c.mailbox == mailbox)
    if fate is not None:
        chosen = chosen.where(arrival.c.fate == fate.value)
    return [_line(row) for row in connection.execute(chosen)]


def mailboxes(connection: Connection) -> list[str]:
    """Every mailbox that an arrival came to."""
    return list(connection.scalars(select(arrival.c.mailbox).distinct()))


def of_fates(connection: Connection, fates: Collection[Fate]) -> list[Line]:
    """All arrivals with one of these fates that are not erased, oldest first."""
    whole = arrival.c.fate.in_([fate.value for fate in fates]) & arrival.c.erased.is_(None)
    chosen = _LINES.where(whole).order_by(arrival.c.id)
    return [_line(row) for row in connection.execute(chosen)]


def of_ids(connection: Connection, ids: Collection[int]) -> dict[int, Line]:
    """Those of the arrivals that exist; within a write transaction nobody else changes them any more."""
    chosen = _LINES.where(arrival.c.id.in_(list(ids))).order_by(arrival.c.id).with_for_update()
    return {row.id: _line(row) for row in connection.execute(chosen)}


def find(connection: Connection, arrival_id: int) -> Line | None:
    """The arrival of that number, or None."""
    row = connection.execute(_LINE, {"wanted": arrival_id}).one_or_none()
    return None if row is None else _line(row)


def _line(row: Row[Any]) -> Line:
    values = row._asdict()
    number = values.pop("request_number")
    values["fate"] = Fate(values["fate"])
    return Line(reference=reference_of(number) if number is not None else None, **values)


def newest(connection: Connection) -> int:
    """The id of the last arrival, 0 where there is none."""
    return connection.scalar(select(func.max(arrival.c.id))) or 0


def brought(connection: Connection, digest: str, *, after: int) -> list[Line]:
    """The arrivals with these bytes (hex SHA-256) whose id is greater, oldest first."""
    chosen = _LINES.where(arrival.c.id > after, arrival.c.raw_digest == digest).order_by(arrival.c.id)
    return [_line(row) for row in connection.execute(chosen)]


def owed_for(connection: Connection, number: int, arrival_id: int) -> tuple[str, ...]:
    """The kinds of mail that became owed because of an arrival on that request, as the journal says."""
    settled = (
        select(journal.c.detail)
        .where(journal.c.request_number == number, journal.c.arrival_id == arrival_id, journal.c.event == "settled")
        .order_by(journal.c.id)
    )
    return tuple(kind for detail in connection.scalars(settled) for kind in detail.get("owed", ()))


def fates_of(connection: Connection, of: Watched) -> dict[int, Fate]:
    """The fate of each message above the folder's floor, by UID: of this UIDVALIDITY alone."""
    rows = select(arrival.c.uid, arrival.c.fate).where(*_above_the_floor(of))
    return {row.uid: Fate(row.fate) for row in connection.execute(rows)}


def message_ids_of(connection: Connection, of: Watched) -> dict[int, str | None]:
    """The Message-ID of each of the same messages, by UID; None of one that has none, or is not settled."""
    rows = select(arrival.c.uid, arrival.c.message_id).where(*_above_the_floor(of))
    return {row.uid: row.message_id for row in connection.execute(rows)}


def _above_the_floor(of: Watched) -> tuple[ColumnElement[bool], ...]:
    return (
        arrival.c.mailbox == of.mailbox,
        arrival.c.folder == of.name,
        arrival.c.uidvalidity == of.uidvalidity,
        arrival.c.uid > of.floor_uid,
    )
