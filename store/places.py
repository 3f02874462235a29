"""Where arrivals lie on the server, once it has numbered a folder anew (RFC 3501 section 2.3.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, select, update

from store.effects import DONE, PENDING
from store.folders import Watched
from store.tables import arrival


@dataclass(frozen=True, slots=True)
class Place:
    """An arrival, the UID its message has now, and whether it carries our mark there."""

    arrival_id: int
    uid: int
    marked: bool


@dataclass(frozen=True, slots=True)
class Stranded:
    """An arrival that lies under another UIDVALIDITY. named: it is known to have a Message-ID."""

    id: int
    digest: str
    received: datetime
    named: bool


def stranded(connection: Connection, of: Watched, *, limit: int) -> list[Stranded]:
    """The newest arrivals of this folder that lie under another UIDVALIDITY, oldest first."""
    chosen = (
        select(arrival.c.id, arrival.c.raw_digest, arrival.c.received, arrival.c.message_id.is_not(None))
        .where(arrival.c.mailbox == of.mailbox, arrival.c.folder == of.name, arrival.c.uidvalidity != of.uidvalidity)
        .order_by(arrival.c.id.desc())
        .limit(limit)
    )
    return [Stranded(*row) for row in connection.execute(chosen)][::-1]


def relocate(connection: Connection, of: Watched, places: Sequence[Place]) -> None:
    """Each of the arrivals lies in that folder, under its UIDVALIDITY; the settled ones get our mark there."""
    if not places:
        return
    owed = case((arrival.c.effect.is_(None), None), else_=bindparam("mark"))
    moved = (
        update(arrival)
        .where(arrival.c.id == bindparam("found"))
        .values(uidvalidity=of.uidvalidity, uid=bindparam("there"), effect=owed)
    )
    rows = [
        {"found": place.arrival_id, "there": place.uid, "mark": DONE if place.marked else PENDING} for place in places
    ]
    connection.execute(moved, rows)
