"""Connections and transactions, and nothing about what is in them.

SQLite runs with WAL and synchronous=FULL (a reported commit survives a power cut), every write transaction begins with
BEGIN IMMEDIATE (a deferred one would fail half way when another writer comes first), foreign keys are on, and the
driver's own implicit transactions are switched off, because they would leave half a migration behind. What holds for
PostgreSQL stands in postgres.py.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

from store.postgres import engine_for, name_of

BUSY_SECONDS = 10


class TransactionLost(Exception):
    """The database gave the transaction up by itself, as SQLite does on a full disk: nothing of it is kept."""


class Database:
    """One database; `write` and `read` open transactions on it."""

    _reading: Engine

    def __init__(self, url: str) -> None:
        if url.startswith("postgresql"):
            self._engine = self._writing = engine_for(make_url(url))
            # All statements of a reading see the state at its first one.
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
            return
        memory = url in ("sqlite://", "sqlite:///:memory:")
        shared: dict[str, Any] = (
            {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if memory else {}
        )
        self._engine = self._reading = self._writing = create_engine(url, hide_parameters=True, **shared)
        _prepare_sqlite(self._engine, begin="BEGIN")
        if not memory:
            # What is written has a connection of its own: its page cache stays true, because nobody else writes.
            self._writing = create_engine(url, hide_parameters=True, pool_size=1)
            _prepare_sqlite(self._writing, begin="BEGIN IMMEDIATE")

    @property
    def engine(self) -> Engine:
        """The engine that writes, for migrations."""
        return self._writing

    @property
    def is_shared(self) -> bool:
        """Whether several daemons may serve it."""
        return self._engine.dialect.name == "postgresql"

    @property
    def name(self) -> str:
        """Which database this is, in words that hold no password."""
        return name_of(self._engine.url) if self.is_shared else str(self._engine.url.database)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back whole by any exception."""
        with self._writing.begin() as connection:
            yield connection

    def write_connection(self) -> "WriteConnection":
        """For one thread that writes often."""
        return WriteConnection(self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and changes nothing."""
        with self._reading.connect() as connection:
            yield connection
            connection.rollback()

    def forget_old_pages(self) -> None:
        """The log of SQLite holds nothing of what was erased, unless somebody reads at this moment."""
        if self.is_shared or self._writing is self._engine:
            return
        log = sqlite3.connect(self.name, timeout=0.1, isolation_level=None)
        with closing(log), suppress(sqlite3.OperationalError):  # it is busy: the log is written over in time
            log.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
        self._writing.dispose()


class WriteConnection:
    """Write transactions of one thread, one after the other, on a connection that is kept.

    Taking it from the pool and giving it back costs more than a small transaction. PostgreSQL may be restarted between
    two of them, which the pool sees to: there each transaction asks the pool.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As Database.write."""
        if self._database.is_shared:
            with self._database.write() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self._database.engine.connect()
        try:
            with self._kept.begin():
                yield self._kept
        except BaseException:  # rolled back; a connection that met trouble is not used again
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            kept.close()


def is_about_the_values(error: BaseException) -> bool:
    """Whether the database refused what was to be written, and not the moment: tried again it fails again.

    Constraints, values no column takes, and what is too large for an index (SQLSTATE class 54, "program limit").
    """
    if not isinstance(error, DBAPIError):
        return False
    return isinstance(error, IntegrityError | DataError) or str(getattr(error.orig, "sqlstate", "")).startswith("54")


def in_sqlalchemys_words(
    error: Exception, sql: str, error_class: type[Exception], *, connection_lost: bool = False
) -> BaseException:
    """What SQLAlchemy raises for an error of the driver, without the values."""
    return DBAPIError.instance(
        sql, None, error, error_class, hide_parameters=True, connection_invalidated=connection_lost
    )


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, leaving out those whose unique key is there already."""
    if rows:
        connection.execute(insert_if_new(connection.dialect.name, table), [dict(row) for row in rows])


@cache
def insert_if_new(dialect: str, table: Table) -> Any:
    """A statement that inserts a row and leaves out one whose unique key is there already."""
    return insert_into(dialect, table).on_conflict_do_nothing()


def insert_into(dialect: str, table: Table) -> Any:
    """An INSERT in the words of that database alone: PostgreSQL's are many, and SQLite does without them."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def _prepare_sqlite(engine: Engine, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # Pages that every mail changes are copied home once in a while, not every 4 MB.
            "wal_autocheckpoint=4000",
            # What is erased is overwritten: else its bytes stay in the file for whoever looks. Debian's default.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        try:
            _driver(connection).execute(begin)
        except sqlite3.Error as error:  # nothing was begun
            raise in_sqlalchemys_words(error, begin, sqlite3.Error) from error

    @event.listens_for(engine, "commit")
    def _check_still_open(connection: Connection) -> None:
        # The driver takes a COMMIT without transaction for success.
        if not _driver(connection).in_transaction:
            raise TransactionLost("the database rolled the transaction back by itself: is the disk full?")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
