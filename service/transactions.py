"""How a step gets its transaction: it hands over the work and has the result once that is committed."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from store.database import Database

T = TypeVar("T")


class Transactions(Protocol):
    """Runs work in a write transaction."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Give the work's result after its changes are committed; any exception means that nothing of it happened."""
        ...


class DirectTransactions:
    """A transaction of its own for each piece of work, in the caller's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run and commit the work."""
        with self._database.write() as connection:
            return work(connection)
