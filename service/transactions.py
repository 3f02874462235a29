"""How a step gets its transaction: it hands over the work and has the result once that is committed."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from store.database import Database

T = TypeVar("T")
Commit = Future
"""A commit on its way: result() returns once it is durable, and raises what prevented it."""


class Transactions(Protocol):
    """Runs work in a write transaction."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """Give the work's result after its changes are committed; any exception means that nothing of it happened."""
        ...

    def run_each(self, works: Sequence[Callable[[Connection], T]]) -> list[T | Exception]:
        """Run each of them, in order; for one that failed its exception, and nothing of that one happened."""
        ...

    def submit(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """Begin the work, behind all that was begun before; the future resolves after its commit."""
        ...


class DirectTransactions:
    """A transaction of its own for each piece of work, in the caller's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run and commit the work."""
        with self._database.write() as connection:
            return work(connection)

    def run_each(self, works: Sequence[Callable[[Connection], T]]) -> list[T | Exception]:
        """Run and commit each of them."""
        return [self._result(work) for work in works]

    def submit(self, work: Callable[[Connection], T]) -> "Commit[T]":
        """Run and commit the work at once."""
        future: Future[T] = Future()
        outcome = self._result(work)
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
        return future

    def _result(self, work: Callable[[Connection], T]) -> T | Exception:
        try:
            return self.run(work)
        except Exception as error:  # noqa: BLE001 - rolled back: the caller has the mail, and now the reason
            return error
