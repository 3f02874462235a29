"""The mails themselves, as they came in: for looking back."""

import zlib
from dataclasses import dataclass

from sqlalchemy import Connection, select

from desk.arrival import Fate
from desk.request import reference_of
from store.tables import arrival, raw, request


@dataclass(frozen=True, slots=True)
class Opening:
    """A stored mail that opened a request."""

    reference: str
    mailbox: str
    department: str
    """That of the request."""
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
    columns = (request.c.number, request.c.department, arrival.c.mailbox, arrival.c.envelope_sender, raw.c.content)
    joined = select(*columns).join_from(arrival, raw).join(request, request.c.number == arrival.c.request_number)
    row = connection.execute(joined.where(arrival.c.id == arrival_id)).one()
    reference, content = reference_of(row.number), zlib.decompress(row.content)
    return Opening(reference, row.mailbox, row.department, row.envelope_sender, content)
