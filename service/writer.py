"""The one writer: work from every thread, committed in groups.

A disk that syncs a hundred times a second still takes a thousand mails a second when they share commits. Each piece of
work has a savepoint of its own, so that one that fails takes no other with it; results are handed out after COMMIT.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from store.database import Database

T = TypeVar("T")
Work = Callable[[Connection], Any]
Job = tuple[Work, "Future[Any]"]

GROUP = 64
"""At most this many pieces of work share a commit."""


class WriterStopped(Exception):
    """The writer takes no more work: the daemon is stopping."""


class Writer:
    """A thread that owns the write side of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._stopped = False
        self._taking = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Queue the work; the future resolves after COMMIT, or fails and then nothing of the work happened."""
        future: Future[T] = Future()
        with self._taking:  # nothing is queued behind the end mark: nobody would answer it
            if self._stopped:
                future.set_exception(WriterStopped("the daemon is stopping"))
            else:
                self._jobs.put((work, future))
        return future

    def run(self, work: Callable[[Connection], T]) -> T:
        """Queue the work and wait for its commit."""
        return self.submit(work).result()

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        with self._taking:
            self._stopped = True
            self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (first := self._jobs.get()) is not None:
            group, last = self._group(first)
            self._commit(group)
            if last:
                break

    def _group(self, first: Job) -> tuple[list[Job], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:  # nobody waits: what we have is the group
                return group, False
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[Job]) -> None:
        # Whoever gave up waiting is left out; from here on nobody can: a cancelled future refuses its result.
        group = [job for job in group if job[1].set_running_or_notify_cancel()]
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], BaseException]] = []
        try:
            with self._database.write() as connection:
                for work, future in group:
                    try:
                        with connection.begin_nested():
                            result = work(connection)
                        done.append((future, result))
                    except Exception as error:  # noqa: BLE001 - the savepoint is rolled back: the caller still has its mail
                        failed.append((future, error))
        except Exception as error:  # noqa: BLE001 - BEGIN or COMMIT failed: every caller still has its mail
            done, failed = [], [(future, error) for _, future in group]
        for future, reason in failed:
            future.set_exception(reason)
        for future, result in done:
            future.set_result(result)
