"""What only one transaction at a time may do, whichever daemon it belongs to.

SQLite gives every write transaction the whole database. On PostgreSQL a transaction that needs a turn takes an advisory
lock, which ends with it, however it ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from sqlalchemy import Connection, Integer, bindparam, func, select, text

from store.database import Database
from store.prepared import Prepared

_OURS = 0x6465736B
"""Tells our advisory locks from those of whatever else uses the database."""
_LOCK = Prepared(select(func.pg_advisory_xact_lock(_OURS, bindparam("turn", type_=Integer))))


class Turn(IntEnum):
    """What there are turns for. A value stays what it is: daemons of two versions may run side by side."""

    STARTING = 1
    """Schema, key and number of a start."""
    SETTLING = 2
    """What an arrival means depends on all that were settled before: no two are settled at once."""
    LEASES = 3


def take(connection: Connection, turn: Turn) -> None:
    """Nobody else has this turn until the transaction ends. Raises OperationalError where it does not come in time."""
    if connection.dialect.name == "postgresql":
        _LOCK.rows(connection, {"turn": turn})


@contextmanager
def starting(database: Database) -> Iterator[None]:
    """No other daemon prepares this database within the block. On SQLite the lock file has seen to that."""
    if not database.is_shared:
        yield
        return
    with database.write() as connection:
        # Migrations of a large database take as long as they take.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        take(connection, Turn.STARTING)
        yield
