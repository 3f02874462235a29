"""The one writer: work from every thread, committed in groups.

A disk that syncs a hundred times a second still takes a thousand mails a second when they share commits. Where one
piece of work fails, its group is rolled back and each piece is done again in a transaction of its own, so that it takes
no other with it. Results are handed out after COMMIT. A group is closed after some milliseconds, so that short work
does not wait for long.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from store.database import Database

T = TypeVar("T")
Work = Callable[[Connection], Any]

GROUP = 64
"""At most this many pieces of work share a commit."""
GROUP_SECONDS = 0.01
"""No further work is added to a group that took this long."""
LINGER_SECONDS = 0.002
"""How long patient work waits for company. What a courier records finds its next mail's dot within this time."""


class WriterStopped(Exception):
    """The writer takes no more work: the daemon is stopping."""


class PieceFailed(Exception):
    """A piece of work raised this reason, and its group is rolled back for it."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Job:
    """A piece of work and the future that is waiting for it."""

    __slots__ = ("_error", "_result", "future", "patient", "work")

    def __init__(self, work: Work, *, patient: bool = False) -> None:
        self.work = work
        self.patient = patient
        """Nobody stands still until it is committed: it may wait some milliseconds for company."""
        self.future: Future[Any] = Future()
        self._result: Any = None
        self._error: Exception | None = None

    def _is_wanted(self) -> bool:
        """Whether somebody still waits; if so nobody can give up from now on: a cancelled future refuses its result."""
        running, cancelled = self.future.running(), self.future.cancelled()
        return running or (not cancelled and self.future.set_running_or_notify_cancel())

    def run(self, connection: Connection) -> None:
        """Do the work and remember its result; nothing, where nobody waits for it any more."""
        if self._is_wanted():
            self._result = self.work(connection)

    def fail(self, error: Exception) -> None:
        """Remember why nothing of the work happened."""
        self._error = error

    def tell(self) -> None:
        """Resolve the future: by the work's own result, or by what prevented it."""
        if not self._is_wanted():
            return  # whoever gave up waiting still has the mail
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)


class Writer:
    """A thread that owns the write side of the database."""

    def __init__(self, database: Database) -> None:
        self._writing = database.write_connection()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._stopped = False
        self._taking = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Queue the work; the future resolves after COMMIT, or fails and then nothing of the work happened."""
        return self._take(Job(work))

    def later(self, work: Callable[[Connection], T]) -> "Future[T]":
        """The same for work that may wait for company: it shares a commit with what comes within milliseconds."""
        return self._take(Job(work, patient=True))

    def _take(self, job: Job) -> "Future[Any]":
        with self._taking:  # nothing is queued behind the end: nobody would answer it
            if self._stopped:
                job.fail(WriterStopped("the daemon is stopping"))
                job.tell()
            else:
                self._jobs.put(job)
        return job.future

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
        while (job := self._jobs.get()) is not None:
            self._commit(job)
        self._writing.close()

    def _commit(self, first: Job) -> None:
        group: list[Job] = []
        try:
            with self._writing.transaction() as connection:
                self._fill(group, first, connection)
        except PieceFailed as failed:  # all of the group is rolled back
            self._commit_alone(group, failed)
        except Exception as error:  # noqa: BLE001 - COMMIT failed or the disk is gone: every caller still has its mail
            for job in group or [first]:
                job.fail(error)
        for job in group or [first]:
            job.tell()

    def _commit_alone(self, group: Sequence[Job], failed: PieceFailed) -> None:
        """Each piece of a group that was rolled back; the only one of its group has had its chance."""
        if len(group) == 1:
            group[0].fail(failed.reason)
            return
        for job in group:
            try:
                with self._writing.transaction() as connection:
                    job.run(connection)
            except Exception as error:  # noqa: BLE001 - rolled back: the caller still has its mail
                job.fail(error)

    def _fill(self, group: list[Job], first: Job, connection: Connection) -> None:
        """Run the first job, and those that wait, until nobody waits or the group is full."""
        closes = time.monotonic() + GROUP_SECONDS
        patience = LINGER_SECONDS
        job: Job | None = first
        while job is not None:
            group.append(job)
            try:
                job.run(connection)
            except Exception as error:  # rolled back with its group
                raise PieceFailed(error) from error
            patience = patience if job.patient else 0.0
            job = self._waiting(patience) if len(group) < GROUP and time.monotonic() < closes else None

    def _waiting(self, patience: float) -> Job | None:
        try:
            job = self._jobs.get(timeout=patience) if patience else self._jobs.get_nowait()
        except queue.Empty:  # nobody waits: what we have is the group
            return None
        if job is None:
            self._jobs.put(None)  # the end is for _serve to see, behind this group
        return job
