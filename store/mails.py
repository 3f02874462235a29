"""The mails themselves, as they came in: for looking back."""

import zlib
from dataclasses import dataclass

from sqlalchemy import Connection, select

from desk.arrival import Fate
from desk.request import reference_of
from store import parts
from store.tables import arrival, raw


@dataclass(frozen=True, slots=True)
class Opening:
    """A stored mail that opened a request."""

    reference: str
    mailbox: str
    departments: tuple[str, ...]
    """Those of the request."""
    envelope_sender: str | None
    raw: bytes


def opened_lately(connection: Connection, count: int) -> list[int]:
    """The arrivals that opened the last requests, oldest first; as many as count, or all."""
    whole = (
        arrival.c.fate == Fate.OPENED.value,
        arrival.c.complete,
        arrival.c.request_number.is_not(None),
        arrival.c.erased.is_(None),
    )
    newest = select(arrival.c.id).where(*whole).order_by(arrival.c.id.desc()).limit(count)
    return sorted(connection.scalars(newest))


def opening(connection: Connection, arrival_id: int) -> Opening:
    """The mail of one of those arrivals."""
    columns = (arrival.c.request_number, arrival.c.mailbox, arrival.c.envelope_sender, raw.c.content)
    row = connection.execute(select(*columns).join_from(arrival, raw).where(arrival.c.id == arrival_id)).one()
    number, content = row.request_number, zlib.decompress(row.content)
    departments = parts.departments(connection, [number])[number]
    return Opening(reference_of(number), row.mailbox, departments, row.envelope_sender, content)
