"""An installation made ready to run or to be read: lock, schema, key and epoch, in the order that cannot lose one."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from desk.errors import RefusedError
from desk.token import Keyring
from service.keys import KeyTrouble, fingerprint, make_keys, read_keys
from service.settings import Settings
from store import meta, schema
from store.database import Database

_FINGERPRINT = "key_fingerprint"
_EPOCH = "epoch"


class AlreadyRunning(RefusedError):
    """Another daemon serves this database."""


class NotChanged(RefusedError):
    """The database could not be written."""


def database_path(settings: Settings) -> Path:
    """The database file."""
    return Path(settings.database.url.removeprefix("sqlite:///"))


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """No second daemon serves this database within the block. Raises AlreadyRunning."""
    path = database_path(settings)
    with path.with_name(f"{path.name}.lock").open("a", encoding="ascii") as lock:
        _lock(lock, path)
        yield


def _lock(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # the other daemon has every mail; this one has touched none
        raise AlreadyRunning(f"another deskbell serves {path}: stop it first, or give this one its own") from None


def begin(database: Database, settings: Settings) -> tuple[Keyring, int]:
    """Schema and key are there and belong together; the keys, and the number of this start.

    Raises SchemaMismatch, KeyTrouble. A key is made only for a database that never had one, because a new key would
    orphan each token and Message-ID that went out.
    """
    keyring = prepare(database, settings)
    with database.write() as connection:
        return keyring, meta.count_up(connection, _EPOCH, start=1)


def epoch_of(connection: Connection) -> int:
    """The number of the latest start, for who writes beside it; 0 where there was none."""
    return int(meta.read(connection, _EPOCH) or 0)


def prepare(database: Database, settings: Settings) -> Keyring:
    """Schema and key are there and belong together, as in begin; nothing counts as started."""
    schema.prepare(database)
    return _keyring(database, settings.keys.file)


def known_fingerprint(database: Database) -> str | None:
    """The fingerprint of the key this database was used with; None where it never was."""
    with database.read() as connection:
        return meta.read(connection, _FINGERPRINT)


def _keyring(database: Database, path: Path) -> Keyring:
    known = known_fingerprint(database)
    if known is not None and not path.exists():
        raise KeyTrouble(f"{path}: the key of this database is missing: restore it from a backup")
    keyring = read_keys(path) if path.exists() else make_keys(path, secrets.token_bytes)
    if known is not None and fingerprint(keyring) != known:
        raise KeyTrouble(f"{path}: is not the key this database was used with: restore that one from a backup")
    if known is None:
        with database.write() as connection:
            meta.write(connection, _FINGERPRINT, fingerprint(keyring))
    return keyring


@contextmanager
def reading(settings: Settings) -> Iterator[Database]:
    """The database, for a command that only reads. Raises SchemaMismatch where there is none of ours."""
    with reading_any(settings) as database:
        schema.require(database)
        yield database


@contextmanager
def reading_any(settings: Settings) -> Iterator[Database]:
    """The database, whatever schema it has. Raises SchemaMismatch where there is none, or none that can be read."""
    path = database_path(settings)
    if not path.exists():
        raise schema.SchemaMismatch(f"{path}: there is no database yet: `deskbell run` creates it")
    if not os.access(path, os.R_OK):
        raise schema.SchemaMismatch(f"{path}: cannot be read by this user")
    database = Database(settings.database.url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def changing(settings: Settings) -> Iterator[Database]:
    """The database, for a command that changes something beside a running daemon.

    Raises SchemaMismatch, and NotChanged where it cannot be written; then its transaction did not happen.
    """
    with reading(settings) as database:
        try:
            yield database
        except OperationalError as error:  # no mail is in hand, and the transaction was rolled back
            raise NotChanged(f"{database_path(settings)}: nothing was changed: {error.orig}") from error


def exists(settings: Settings) -> bool:
    """Whether there is a database with anything in it."""
    path = database_path(settings)
    return path.exists() and path.stat().st_size > 0
