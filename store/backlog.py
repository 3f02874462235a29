"""What waits: mail without a fate, mail that is owed, mail that was set aside. Counts and ages, no contents."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal, select

from desk.arrival import Fate
from desk.outbox import OutboxState
from store.tables import arrival, outbox


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and since when the oldest of it does (None where nothing waits)."""

    unsettled: int
    unsettled_since: datetime | None
    owed: int
    owed_since: datetime | None
    last_reply: str | None
    """What was said at the latest attempt for the oldest owed mail."""
    sent_at: datetime | None
    """When the youngest mail that went out did; None where none ever did."""
    quarantined: int


def backlog(connection: Connection) -> Backlog:
    """What waits now. Moments are ours (accepted, owed), not the mail server's."""
    # Written into the statement: SQLite does not see that a parameter fits a partial index.
    received = literal(Fate.RECEIVED.value, literal_execute=True)
    unsettled, since = connection.execute(
        select(func.count(), func.min(arrival.c.accepted)).where(arrival.c.fate == received)
    ).one()
    oldest = (
        select(outbox.c.created, outbox.c.last_reply)
        .where(outbox.c.settled.is_(None))
        .order_by(outbox.c.created, outbox.c.id)
        .limit(1)
    )
    owed = connection.scalar(select(func.count()).where(outbox.c.settled.is_(None))) or 0
    first = connection.execute(oldest).one_or_none()
    sent = outbox.c.state == OutboxState.SENT.value
    sent_at = connection.scalar(select(outbox.c.settled).where(sent).order_by(outbox.c.id.desc()).limit(1))
    set_aside = select(func.count()).where(arrival.c.fate == Fate.QUARANTINED.value, arrival.c.erased.is_(None))
    return Backlog(
        unsettled=unsettled,
        unsettled_since=since,
        owed=owed,
        owed_since=first.created if first else None,
        last_reply=first.last_reply if first else None,
        sent_at=sent_at,
        quarantined=connection.scalar(set_aside) or 0,
    )
