"""Mail that was set aside and that a department was not told of yet: noted with its fate, removed with the word."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from desk.outbox import NoticeKind
from store.database import insert_new
from store.tables import arrival, outbox, request, set_aside

MOST = 500
"""So many are looked at together."""


@dataclass(frozen=True, slots=True)
class Aside:
    """An arrival of which nobody was told yet; department is that of its request, where it has one."""

    arrival_id: int
    at: datetime
    mailbox: str
    department: str | None
    digest: str


def note(connection: Connection, arrival_id: int, *, now: datetime) -> None:
    """A department is to be told of the arrival; noted once."""
    insert_new(connection, set_aside, [{"arrival_id": arrival_id, "at": now}])


def is_any(connection: Connection) -> bool:
    """Whether anybody is to be told of anything."""
    return connection.execute(select(set_aside.c.arrival_id).limit(1)).first() is not None


def every(connection: Connection) -> list[Aside]:
    """What is to be told, oldest first; MOST at most."""
    rows = (
        select(
            arrival.c.id, set_aside.c.at, arrival.c.mailbox, request.c.department, arrival.c.raw_digest.label("digest")
        )
        .select_from(set_aside)
        .join(arrival, arrival.c.id == set_aside.c.arrival_id)
        .outerjoin(request, request.c.number == arrival.c.request_number)
        .order_by(set_aside.c.arrival_id)
        .limit(MOST)
    )
    return [Aside(row.id, row.at, row.mailbox, row.department, row.digest) for row in connection.execute(rows)]


def forget(connection: Connection, ids: Collection[int]) -> None:
    """Nobody is to be told of these arrivals any more."""
    connection.execute(delete(set_aside).where(set_aside.c.arrival_id.in_(list(ids))))


def last_told(connection: Connection, recipient: str, mailbox: str) -> datetime | None:
    """When this address was last told of mail that was set aside at this mailbox; None for never."""
    of = (
        outbox.c.recipient == recipient,
        outbox.c.kind == NoticeKind.SET_ASIDE.value,
        outbox.c.envelope_sender == mailbox,
    )
    last: datetime | None = connection.scalar(select(func.max(outbox.c.created)).where(*of))
    return last


def is_ours(connection: Connection, message_ids: Collection[str]) -> bool:
    """Whether one of these is the Message-ID of a mail of ours."""
    ours = select(outbox.c.id).where(outbox.c.message_id.in_(list(message_ids))).limit(1)
    return bool(message_ids) and connection.execute(ours).first() is not None
