"""Connections and transactions, and nothing about what is in them.

SQLite runs with WAL and synchronous=FULL (a reported commit survives a power cut), every write transaction begins with
BEGIN IMMEDIATE (a deferred one would fail half way when another writer comes first), foreign keys are on, and the
driver's own implicit transactions are switched off, because they would leave half a migration behind.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 10


class TransactionLost(Exception):
    """The database gave the transaction up by itself, as SQLite does on a full disk: nothing of it is kept."""


class Database:
    """One database; `write` and `read` open transactions on it."""

    def __init__(self, url: str) -> None:
        memory = url in ("sqlite://", "sqlite:///:memory:")
        shared: dict[str, Any] = (
            {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if memory else {}
        )
        self._engine = create_engine(url, hide_parameters=True, **shared)
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine)
        self._writing = self._engine.execution_options(deskbell_write=True)

    @property
    def engine(self) -> Engine:
        """The engine, for migrations."""
        return self._engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back whole by any exception."""
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and changes nothing."""
        with self._engine.connect() as connection:
            yield connection
            connection.rollback()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What is done in the block is undone alone by an exception in it; the transaction goes on.

    In the driver's words, because SQLAlchemy's own savepoints are compiled anew each time: that was the largest single
    cost of the writer.
    """
    _check_still_open(connection)
    connection.exec_driver_sql("SAVEPOINT one_piece")
    try:
        yield
    except BaseException:  # the caller still has whatever this piece was about
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_piece")
        connection.exec_driver_sql("RELEASE SAVEPOINT one_piece")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT one_piece")


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, leaving out those whose unique key is there already."""
    if rows:
        connection.execute(insert_if_new(connection, table), [dict(row) for row in rows])


def insert_if_new(connection: Connection, table: Table) -> Any:
    """A statement that inserts a row and leaves out one whose unique key is there already."""
    return _insert_if_new(connection.dialect.name, table)


def insert_returning_id(connection: Connection, table: Table) -> Any:
    """The same, giving the id of the row, or nothing where it was left out."""
    return _insert_returning_id(connection.dialect.name, table)


@cache
def _insert_if_new(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()


@cache
def _insert_returning_id(dialect: str, table: Table) -> Any:
    return _insert_if_new(dialect, table).returning(table.c.id)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("deskbell_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    event.listen(engine, "commit", _check_still_open)


def _check_still_open(connection: Connection) -> None:
    # SQLite's driver takes a COMMIT without transaction for success, and SAVEPOINT would begin another one.
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and not driver.in_transaction:  # type: ignore[union-attr]
        raise TransactionLost("the database rolled the transaction back by itself: is the disk full?")
