"""The daemon's signs of life, written so rarely that they cost nothing, and at once when something goes wrong."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from service.transactions import Transactions
from store import pulses
from store.pulses import Pulse

EVERY = timedelta(seconds=50)
"""A loop that rests a minute at most writes once a minute."""
_LONGEST = 300


class Heartbeat:
    """Each loop tells how its step went; the first of a kind, and one a minute, are written.

    The kind of trouble is what stands before its details in brackets, which may differ each time.
    """

    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now
        self._written: dict[str, tuple[datetime, str | None]] = {}
        self._lock = threading.Lock()

    def beat(self, name: str, *, trouble: str | None = None) -> None:
        """The loop made a step, well or not. Nothing is waited for: a database in trouble shows by old signs."""
        now, kind = self._now(), None if trouble is None else trouble.partition("(")[0]
        with self._lock:
            at, was = self._written.get(name, (None, kind))
            if at is not None and kind == was and now - at < EVERY:
                return
            self._written[name] = now, kind
        pulse = Pulse(name, now, now if trouble is None else None, trouble and trouble[:_LONGEST])
        self._transactions.later(lambda connection: pulses.write(connection, pulse))
