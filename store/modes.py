"""The modes that admins gave to mailboxes; the configuration's hold for the others."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from desk.acknowledge import Mode
from store.database import insert_new
from store.tables import mode

_EVERY = select(mode.c.mailbox, mode.c.mode, mode.c.changed, mode.c.author)


@dataclass(frozen=True, slots=True)
class Given:
    """Who gave a mailbox its mode, and when."""

    mode: Mode
    changed: datetime
    author: str


def every(connection: Connection) -> dict[str, Given]:
    """Each mailbox that was given a mode, by its folded address."""
    rows = connection.execute(_EVERY)
    return {row.mailbox: Given(Mode(row.mode), row.changed, row.author) for row in rows}


def give(connection: Connection, mailbox: str, given: Given) -> None:
    """The mailbox has that mode from now on, whatever it had."""
    values = {"mode": given.mode.value, "changed": given.changed, "author": given.author}
    insert_new(connection, mode, [{"mailbox": mailbox, **values}])
    connection.execute(update(mode).where(mode.c.mailbox == mailbox).values(**values))
