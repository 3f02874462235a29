"""What became of a mailbox's mail within a time, as the evening report tells it; no text of a mail is read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from desk.arrival import Fate
from store.tables import arrival, entry, journal, request


@dataclass(frozen=True, slots=True)
class Seen:
    """An arrival: who wrote, what became of it, and the trace of how."""

    id: int
    received: datetime
    writer: str | None
    department: str | None
    fate: Fate
    reason: str
    receipt: str
    trace: dict[str, Any]


def seen(connection: Connection, mailbox: str, *, after: datetime, until: datetime) -> list[Seen]:
    """Every arrival accepted in that time, oldest first."""
    rows = connection.execute(
        select(
            arrival.c.id,
            arrival.c.received,
            entry.c.author,
            request.c.department,
            arrival.c.fate,
            arrival.c.reason,
            arrival.c.receipt,
            arrival.c.trace,
        )
        .outerjoin(entry, entry.c.arrival_id == arrival.c.id)
        .outerjoin(request, request.c.number == arrival.c.request_number)
        .where(arrival.c.mailbox == mailbox, arrival.c.accepted > after, arrival.c.accepted <= until)
        .order_by(arrival.c.id)
    )
    return [
        Seen(
            id=row.id,
            received=row.received,
            writer=row.author,
            department=row.department,
            fate=Fate(row.fate),
            reason=row.reason or "",
            receipt=row.receipt or "",
            trace=row.trace or {},
        )
        for row in rows
    ]


def alarms(connection: Connection, *, after: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """The alarms of that time, with their moments."""
    told = select(journal.c.at, journal.c.detail).where(
        journal.c.event == "alarm", journal.c.at > after, journal.c.at <= until
    )
    return [(row.at, str(row.detail["words"])) for row in connection.execute(told.order_by(journal.c.id))]
