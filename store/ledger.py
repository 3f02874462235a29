"""The ledger as people and scripts read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, select

from desk.arrival import Fate
from desk.request import reference_of
from store.tables import arrival


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


def find(connection: Connection, arrival_id: int) -> Line | None:
    """The arrival of that number, or None."""
    row = connection.execute(_LINE, {"wanted": arrival_id}).one_or_none()
    return None if row is None else _line(row)


def _line(row: Row[Any]) -> Line:
    values = row._asdict()
    number = values.pop("request_number")
    values["fate"] = Fate(values["fate"])
    return Line(reference=reference_of(number) if number is not None else None, **values)
