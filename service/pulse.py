"""The daemon's signs of life, written so rarely that they cost nothing, and at once when something goes wrong."""

import os
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.transactions import Transactions
from store import leases, pulses
from store.pulses import Origin, Pulse

EVERY = timedelta(seconds=50)
"""A loop that rests a minute at most writes once a minute."""
START = "start"
"""The sign of the start itself: loops that are not seen yet are not missed before long."""
_LONGEST = 300


def here(start: int) -> Origin:
    """That start, on this machine."""
    return Origin(start, os.uname().nodename)


class Heartbeat:
    """Each loop tells how its step went; the first of a kind, and one a minute, are written.

    The kind of trouble is what stands before its details in brackets, which may differ each time.
    """

    def __init__(
        self, transactions: Transactions, now: Callable[[], datetime], origin: Origin, *, folders: Collection[str] = ()
    ) -> None:
        self._transactions = transactions
        self._now = now
        self._origin = origin
        self._folders = frozenset(folders)
        self._written: dict[str, tuple[datetime, str | None]] = {}
        self._lock = threading.Lock()

    def begin(self) -> None:
        """The start is known, and those that are no more are forgotten."""
        self._transactions.run(self._begin)

    def _begin(self, connection: Connection) -> None:
        now = self._now()
        pulses.forget(connection, but={self._origin.start, *leases.starts(connection)})
        pulses.write(connection, Pulse(START, now, now, None, self._origin))

    def beat(self, name: str, *, trouble: str | None = None) -> None:
        """The loop made a step, well or not. Nothing is waited for: a database in trouble shows by old signs."""
        now, kind = self._now(), None if trouble is None else trouble.partition("(")[0]
        with self._lock:
            at, was = self._written.get(name, (None, kind))
            if at is not None and kind == was and now - at < EVERY:
                return
            self._written[name] = now, kind
        origin = None if name in self._folders else self._origin
        last_well = now if trouble is None else None
        pulse = Pulse(name, now, last_well, trouble and trouble[:_LONGEST], origin)
        self._transactions.later(lambda connection: pulses.write(connection, pulse))
