"""An older database made one of this program: all migrations or none; of a file a copy beside it first."""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from desk.errors import RefusedError
from service.installation import AlreadyRunning, database_path, is_file, locked, reading_any
from service.settings import Settings
from store import leases, schema
from store.schema import Versions

_PAGES = 2_000
"""Pages copied at a time; in between it is told how far the copy is."""

Told = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""


class NotCopied(RefusedError):
    """The copy could not be made; the database was not touched."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was found, and the copy of it, if one was made: PostgreSQL's admin makes backups."""

    versions: Versions
    copy: Path | None


def versions(settings: Settings) -> Versions:
    """What the database has and what it needs. Raises SchemaMismatch."""
    with reading_any(settings) as database:
        return schema.versions(database)


def upgrade(settings: Settings, told: Told) -> Upgraded:
    """The database has our schema. Raises AlreadyRunning, SchemaMismatch, NotCopied, UpgradeFailed: it is as it was."""
    from store import migrating  # noqa: PLC0415 - Alembic, which only this needs

    if versions(settings).is_outdated:
        _refuse_beside_others(settings)
    with locked(settings):
        found = versions(settings)
        if not found.is_outdated:
            return Upgraded(found, None)
        copy = _copied(database_path(settings), found.found, told) if is_file(settings) else None
        try:
            migrating.upgrade(settings.database.url)
        except BaseException:  # every mail is in the database, which is as it was: its copy is of no use
            if copy is not None:
                copy.unlink()
            raise
        return Upgraded(found, copy)


def _refuse_beside_others(settings: Settings) -> None:
    """Of a file its lock tells. A daemon that starts meanwhile finds another schema than its own and ends."""
    if is_file(settings):
        return
    with reading_any(settings) as database, database.read() as connection:
        if leases.is_anyone_living(connection):
            raise AlreadyRunning(f"a deskbell serves {database.name}: stop it first, and each other one")


def _copied(database: Path, revision: str, told: Told) -> Path:
    copy = _free_name(database.with_name(f"{database.name}.schema-{revision}"))
    try:
        # Its own file from the first moment, and for its owner alone: SQLite would make it for everybody.
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(database, copy, told)
    except (OSError, sqlite3.Error) as error:  # every mail is in the database, which was only read
        copy.unlink(missing_ok=True)
        raise NotCopied(f"{copy}: no copy can be made, so nothing was changed: {_words(error)}") from error
    return copy


def _words(error: OSError | sqlite3.Error) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _free_name(wanted: Path) -> Path:
    names = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def _copy(database: Path, copy: Path, told: Told) -> None:
    source, target = sqlite3.connect(database, timeout=10), sqlite3.connect(copy)
    try:
        source.backup(target, pages=_PAGES, progress=lambda _status, left, every: told(every - left, every))
    finally:
        source.close()
        target.close()
