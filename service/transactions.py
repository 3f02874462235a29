"""How a step gets its transaction: it hands over the work and has the result once that is committed."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from store.database import Database

T = TypeVar("T")
Commit = Future
"""A commit on its way: result() returns once it is durable, and raises what prevented it."""


class Transactions(Protocol):
    """Runs work in a write transaction; more than once where others that shared it failed, and only the last counts."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Give the work's result after its changes are committed; any exception means that nothing of it happened."""
        ...

    def submit(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """Begin the work, behind all that was begun before; the future resolves after its commit."""
        ...

    def later(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """The same for work that may wait some milliseconds to share a commit."""
        ...


class DirectTransactions:
    """A transaction of its own for each piece of work, in the caller's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run and commit the work."""
        with self._database.write() as connection:
            return work(connection)

    def submit(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """Run and commit the work at once."""
        future: Future[T] = Future()
        outcome = self._result(work)
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
        return future

    def later(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """Run and commit the work at once."""
        return self.submit(work)

    def _result(self, work: Callable[[Connection], T]) -> T | Exception:
        try:
            return self.run(work)
        except Exception as error:  # noqa: BLE001 - rolled back: the caller has the mail, and now the reason
            return error
