"""What became of a mailbox's mail since the last report, as the evening tells it; no text of a mail is read.

Counted along the journal, not along the clock: each mail is told once, however long it took to be settled.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from desk.arrival import Fate
from store import parts
from store.tables import arrival, entry, journal

ENDINGS = ("settled", "quarantined")
"""The records of the journal by which an arrival gets its fate, one for each."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was told when; key ends in the mailbox, where it is about one."""

    at: datetime
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An arrival: who wrote, what became of it, and the trace of how."""

    id: int
    received: datetime
    writer: str | None
    departments: tuple[str, ...]
    """Those of its request."""
    fate: Fate
    reason: str
    receipt: str
    trace: dict[str, Any]


def last(connection: Connection) -> int:
    """The id of the newest record of the journal; 0 where there is none."""
    return connection.scalar(select(func.max(journal.c.id))) or 0


def seen(connection: Connection, mailbox: str, *, after: int) -> list[Seen]:
    """Every arrival of the mailbox that was settled or set aside since that record of the journal."""
    rows = connection.execute(
        select(
            arrival.c.id,
            arrival.c.received,
            entry.c.author,
            arrival.c.request_number,
            arrival.c.fate,
            arrival.c.reason,
            arrival.c.receipt,
            arrival.c.trace,
        )
        .select_from(journal)
        .join(arrival, arrival.c.id == journal.c.arrival_id)
        .outerjoin(entry, entry.c.arrival_id == arrival.c.id)
        .where(journal.c.id > after, journal.c.event.in_(ENDINGS), arrival.c.mailbox == mailbox)
        .order_by(journal.c.id)
    ).all()
    departments = parts.departments(connection, {row.request_number for row in rows if row.request_number is not None})
    return [
        Seen(
            id=row.id,
            received=row.received,
            writer=row.author,
            departments=departments.get(row.request_number, ()),
            fate=Fate(row.fate),
            reason=row.reason or "",
            receipt=row.receipt or "",
            trace=row.trace or {},
        )
        for row in rows
    ]


def alarms(connection: Connection, *, after: int) -> list[Alarm]:
    """The alarms since that record of the journal."""
    told = select(journal.c.at, journal.c.detail).where(journal.c.id > after, journal.c.event == "alarm")
    rows = connection.execute(told.order_by(journal.c.id))
    return [Alarm(row.at, str(row.detail["alarm"]), str(row.detail["words"])) for row in rows]
