"""An installation made ready to run or to be read: lock, schema, key and epoch, in the order that cannot lose one."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from desk.errors import RefusedError
from desk.marker import Installed
from desk.token import Keyring
from service.keys import KeyTrouble, fingerprint, fingerprint_of, make_keys, read_keys
from service.settings import Settings
from store import leases, meta, schema, turns
from store.database import Database

_FINGERPRINT = "key_fingerprint"
KEYS = "keys"
"""Where the database says which keys it is used with: whoever runs looks for a change of it."""
_EPOCH = "epoch"
_INSTANCE = "instance"
LEASE_SECONDS = 15.0
"""How long after its last sign of life a daemon counts as living, where several share a database."""


class AlreadyRunning(RefusedError):
    """Another daemon serves this database."""


def is_file(settings: Settings) -> bool:
    """Whether the database is a file of this machine, which one daemon serves."""
    return settings.database.url.startswith("sqlite:")


class NotChanged(RefusedError):
    """The database could not be written."""


def database_path(settings: Settings) -> Path:
    """The database file, where it is one."""
    return Path(settings.database.url.removeprefix("sqlite:///"))


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """No second daemon serves this file within the block. Raises AlreadyRunning. PostgreSQL takes any number."""
    if not is_file(settings):
        yield
        return
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

    Raises SchemaMismatch, DatabaseUnusable, KeyTrouble. A key is made only for a database that never had one, because a
    new key would orphan each token and Message-ID that went out.
    """
    schema.reach(database)
    with turns.starting(database):
        keyring = _prepared(database, settings)
        with database.write() as connection:
            return keyring, _next_start(connection, shared=database.is_shared)


def _next_start(connection: Connection, *, shared: bool) -> int:
    """The number of this start; from its first moment on it counts as living."""
    epoch = meta.count_up(connection, _EPOCH, start=1)
    if shared:
        leases.keep(connection, [lease_of(epoch)], holder=epoch, seconds=LEASE_SECONDS)
    return epoch


def lease_of(epoch: int) -> str:
    """The name of the lease that says that a start is alive."""
    return f"start {epoch}"


def epoch_of(connection: Connection) -> int:
    """The number of the latest start, for who writes beside it; 0 where there was none."""
    return int(meta.read(connection, _EPOCH) or 0)


def prepare(database: Database, settings: Settings) -> Keyring:
    """Schema and key are there and belong together, as in begin; nothing counts as started."""
    schema.reach(database)
    with turns.starting(database):
        return _prepared(database, settings)


def _prepared(database: Database, settings: Settings) -> Keyring:
    schema.prepare(database)
    with database.write() as connection:
        if meta.read(connection, _INSTANCE) is None:
            meta.write(connection, _INSTANCE, secrets.token_hex(8))
    return _keyring(database, settings.keys.file)


def instance_of(connection: Connection) -> str:
    """What tells this database from every other one, but for its copies; empty where it was never prepared."""
    return meta.read(connection, _INSTANCE) or ""


def installed(database: Database) -> Installed:
    """The database as other databases are told of it: the place is this host and the database's own name."""
    name = database.name if database.is_shared else str(Path(database.name).absolute())
    with database.read() as connection:
        return Installed(instance_of(connection), f"{socket.gethostname()} with {name}", datetime.now(UTC))


def known_keys(connection: Connection) -> dict[str, str]:
    """The fingerprints of the keys this database was used with, by name; empty where it never was."""
    told = meta.read(connection, KEYS)
    if told is not None:
        return dict(json.loads(told))
    oldest = meta.read(connection, _FINGERPRINT)  # as written before keys could be added
    return {} if oldest is None else {"": oldest}


def remember_keys(connection: Connection, keyring: Keyring) -> None:
    """From now on this database is used with these keys, and with none less."""
    meta.write(connection, _FINGERPRINT, fingerprint(keyring))
    meta.write(connection, KEYS, json.dumps({key.name: fingerprint_of(key) for key in keyring.keys}))


def fitting_keys(database: Database, path: Path) -> Keyring:
    """The keys of the file, which are those of the database and may be more. Raises KeyTrouble."""
    with database.read() as connection:
        known = known_keys(connection)
    elsewhere = ", or copy it from the machine of the first start" if database.is_shared else ""
    if known and not path.exists():
        raise KeyTrouble(f"{path}: the key of this database is missing: restore it from a backup{elsewhere}")
    keyring = read_keys(path)
    there = {key.name: fingerprint_of(key) for key in keyring.keys} | {"": fingerprint(keyring)}
    if known and not known.items() & there.items():
        raise KeyTrouble(f"{path}: is not the key this database was used with: restore that one from a backup")
    if missing := sorted(name for name, one in known.items() if there.get(name) != one):
        words = f"{path}: key {', '.join(missing)} of this database is missing: restore the file from a backup"
        raise KeyTrouble(f"{words}{', or copy it from the machine where the key was added' if elsewhere else ''}")
    return keyring


def _keyring(database: Database, path: Path) -> Keyring:
    with database.read() as connection:
        known = known_keys(connection)
    if not known and not path.exists():
        make_keys(path, secrets.token_bytes)
    keyring = fitting_keys(database, path)
    if known != {key.name: fingerprint_of(key) for key in keyring.keys}:
        with database.write() as connection:
            remember_keys(connection, keyring)
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
    if is_file(settings):
        _check_file(database_path(settings))
    database = Database(settings.database.url)
    try:
        yield database
    finally:
        database.close()


def _check_file(path: Path) -> None:
    if not path.exists():
        raise schema.SchemaMismatch(f"{path}: there is no database yet: `deskbell run` creates it")
    if not os.access(path, os.R_OK):
        raise schema.SchemaMismatch(f"{path}: cannot be read by this user")


@contextmanager
def changing(settings: Settings) -> Iterator[Database]:
    """The database, for a command that changes something beside a running daemon.

    Raises SchemaMismatch, and NotChanged where it cannot be written; then its transaction did not happen.
    """
    with reading(settings) as database:
        try:
            yield database
        except OperationalError as error:  # no mail is in hand, and the transaction was rolled back
            words = " ".join(str(error.orig).split())
            raise NotChanged(f"{database.name}: nothing was changed: {words}") from error


def is_missing(settings: Settings) -> bool:
    """Whether the database is a file that is not there."""
    return is_file(settings) and not database_path(settings).exists()


def exists(settings: Settings) -> bool:
    """Whether there is a database with anything in it. Raises DatabaseUnusable."""
    if is_file(settings):
        path = database_path(settings)
        return path.exists() and path.stat().st_size > 0
    database = Database(settings.database.url)
    try:
        return not schema.is_empty(database)
    finally:
        database.close()
