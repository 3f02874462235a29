"""Our mark on the server: owed from the moment an arrival is settled until the server is known to have it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, select, update

from store.folders import Watched
from store.tables import arrival

PENDING = "pending"
DONE = "done"


def pending(connection: Connection, of: Watched, *, limit: int) -> list[int]:
    """UIDs of settled messages of this folder and UIDVALIDITY that still lack our mark, ascending."""
    owed = select(arrival.c.uid).where(arrival.c.effect == PENDING, *_in(of)).order_by(arrival.c.uid).limit(limit)
    return [uid for uid in connection.scalars(owed) if uid is not None]


def done(connection: Connection, of: Watched, uids: Sequence[int]) -> None:
    """The server has our mark on these messages."""
    connection.execute(update(arrival).where(*_in(of), arrival.c.uid.in_(uids)).values(effect=DONE))


def _in(of: Watched) -> tuple[ColumnElement[bool], ...]:
    return (
        arrival.c.mailbox == of.mailbox,
        arrival.c.folder == of.name,
        arrival.c.uidvalidity == of.uidvalidity,
    )
