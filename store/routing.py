"""Versions of the routing text: added, never changed; the one with the highest number holds.

One text a version, because departments, calendars and rules name one another and are good or bad only together; as it
was written, so that an admin's comments and order come back with it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, select

from desk.errors import RefusedError
from store.database import insert_if_new
from store.tables import routing


class Origin(StrEnum):
    """How a version came into the store."""

    STARTER = "starter"
    """The set that deskbell ships, loaded at a start that found nothing else."""
    FILE = "file"
    """routing.toml, loaded at a start."""
    IMPORT = "import"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who made a version, how and why."""

    author: str
    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version without its text; numbers begin at 1 and have no gaps."""

    number: int
    at: datetime
    authorship: Authorship


@dataclass(frozen=True, slots=True)
class Stored:
    """A version with its text (TOML)."""

    version: Version
    content: str


class VersionMoved(RefusedError):
    """Somebody else stored a version in the meantime; nothing was stored."""


_VERSION = (routing.c.number, routing.c.at, routing.c.author, routing.c.origin, routing.c.reason)
_NEWEST_NUMBER = select(func.coalesce(func.max(routing.c.number), 0))
_STORED = select(*_VERSION, routing.c.content)


def newest_number(connection: Connection) -> int:
    """The number of the version that holds; 0 where there is none."""
    return int(connection.execute(_NEWEST_NUMBER).scalar_one())


def newest(connection: Connection) -> Stored | None:
    """The version that holds, or None where none was stored yet."""
    return find(connection, newest_number(connection))


def find(connection: Connection, number: int) -> Stored | None:
    """The version of that number, or None."""
    row = connection.execute(_STORED.where(routing.c.number == number)).one_or_none()
    return None if row is None else Stored(_version(row[:-1]), row.content)


def history(connection: Connection) -> list[Version]:
    """All versions, newest first."""
    return [_version(row) for row in connection.execute(select(*_VERSION).order_by(routing.c.number.desc()))]


def add(connection: Connection, content: str, by: Authorship, *, base: int, now: datetime) -> int:
    """The text is the version after base; its number. Raises VersionMoved where there is one after base already."""
    row = {
        "number": base + 1,
        "at": now,
        "author": by.author,
        "origin": by.origin.value,
        "reason": by.reason,
        "content": content,
    }
    insert = insert_if_new(connection.dialect.name, routing)
    if newest_number(connection) != base or connection.execute(insert, row).rowcount == 0:
        raise VersionMoved(
            f"version {newest_number(connection)} was stored in the meantime: "
            "look at it (deskbell routing history), then try again"
        )
    return base + 1


def _version(row: tuple[int, datetime, str, str, str]) -> Version:
    number, at, author, origin, reason = row
    return Version(number, at, Authorship(author, Origin(origin), reason))
