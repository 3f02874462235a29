"""The append-only record: rows are added, never changed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from store.prepared import Prepared
from store.tables import journal


@dataclass(frozen=True, slots=True)
class Record:
    """What happened, to which request, arrival and outgoing mail, with details that hold no text of a mail."""

    event: str
    request_number: int | None = None
    arrival_id: int | None = None
    outbox_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


_INSERT = Prepared(insert(journal))


def write(connection: Connection, record: Record, *, now: datetime) -> None:
    """Add the record."""
    row = {
        "at": now,
        "event": record.event,
        "request_number": record.request_number,
        "arrival_id": record.arrival_id,
        "outbox_id": record.outbox_id,
        "detail": record.detail,
    }
    _INSERT.run(connection, row)
