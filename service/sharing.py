"""What one daemon of several on the same database has to itself: its sign of life, and the folders that it watches.

Mail in the database needs no such thing: arrivals and owed mails are claimed one by one. A folder is watched by whoever
has its lease. Where two do for a moment, because one stood still, each of their writes still happens once.
"""

import time
from collections.abc import Sequence

from service.installation import LEASE_SECONDS, lease_of
from store import leases
from store.database import Database

KEEP_SECONDS = 3.0
"""Between two signs of life, and between two looks for what a dead daemon left."""
POLL_SECONDS = 1.0
"""A loop with nothing to do looks this often for what another daemon stored."""


class Share:
    """The leases of one start (epoch). On a database that is not shared it has everything, and does nothing."""

    def __init__(self, database: Database, epoch: int, folders: Sequence[str]) -> None:
        self._database = database
        self._epoch = epoch
        self._names = [lease_of(epoch), *folders]
        # Replaced as a whole: other threads ask.
        self._held: tuple[frozenset[str], float] = (frozenset(), 0.0)

    @property
    def is_shared(self) -> bool:
        """Whether there may be others."""
        return self._database.is_shared

    def keep(self) -> bool:
        """What was ours stays ours for another while, and what nobody holds becomes ours.

        False where our own time had run out: whatever kept us from the database may have kept the others too, so that
        none of them is to be taken for dead yet.
        """
        if not self.is_shared:
            return True
        begun = time.monotonic()
        in_time = begun < self._held[1]
        with self._database.write() as connection:
            held = leases.keep(connection, self._names, holder=self._epoch, seconds=LEASE_SECONDS)
        self._held = held, begun + LEASE_SECONDS
        return in_time

    def holds(self, folder: str) -> bool:
        """Whether the folder is ours to watch; not after a lease that we could not renew."""
        held, until = self._held
        return not self.is_shared or (folder in held and time.monotonic() < until)

    def release(self) -> None:
        """The others need not wait until our leases end."""
        if self.is_shared:
            with self._database.write() as connection:
                leases.release(connection, holder=self._epoch)
