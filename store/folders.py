"""Where each watched folder begins and how far it has been read, per UIDVALIDITY (RFC 3501 section 2.3.1.1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from store.tables import arrival, folder


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder under one UIDVALIDITY. Mail with a UID up to floor_uid, or older than floor_at, is none of ours."""

    id: int
    mailbox: str
    name: str
    uidvalidity: int
    floor_uid: int
    cursor_uid: int
    floor_at: datetime


_COLUMNS = (
    folder.c.id,
    folder.c.mailbox,
    folder.c.name,
    folder.c.uidvalidity,
    folder.c.floor_uid,
    folder.c.cursor_uid,
    folder.c.floor_at,
)


def watched(connection: Connection, *, mailbox: str, name: str) -> list[Watched]:
    """Each UIDVALIDITY this folder had, the first one first."""
    rows = select(*_COLUMNS).where(folder.c.mailbox == mailbox, folder.c.name == name).order_by(folder.c.id)
    return [Watched(*row) for row in connection.execute(rows)]


def watch(connection: Connection, new: Watched) -> None:
    """Begin to watch a folder under a UIDVALIDITY; the id given is not used."""
    connection.execute(
        insert(folder).values(
            mailbox=new.mailbox,
            name=new.name,
            uidvalidity=new.uidvalidity,
            floor_uid=new.floor_uid,
            cursor_uid=new.cursor_uid,
            floor_at=new.floor_at,
        )
    )


def advance(connection: Connection, folder_id: int, *, uid: int) -> None:
    """Move the cursor up to the UID; never back."""
    behind = (folder.c.id == folder_id) & (folder.c.cursor_uid < uid)
    connection.execute(update(folder).where(behind).values(cursor_uid=uid))


def uids_in_ledger(connection: Connection, of: Watched) -> set[int]:
    """The UIDs above the floor that have a row in the ledger."""
    rows = select(arrival.c.uid).where(
        arrival.c.mailbox == of.mailbox,
        arrival.c.folder == of.name,
        arrival.c.uidvalidity == of.uidvalidity,
        arrival.c.uid > of.floor_uid,
    )
    return {uid for uid in connection.scalars(rows) if uid is not None}


def uids_below_floor(connection: Connection, of: Watched) -> set[int]:
    """The UIDs up to the floor that have a row in the ledger: old mail that was taken in."""
    rows = select(arrival.c.uid).where(
        arrival.c.mailbox == of.mailbox,
        arrival.c.folder == of.name,
        arrival.c.uidvalidity == of.uidvalidity,
        arrival.c.uid <= of.floor_uid,
    )
    return {uid for uid in connection.scalars(rows) if uid is not None}
