"""Says in the log what does not work, by a road that needs neither a mailbox nor a relay.

The findings of `deskbell health`, looked at by the daemon itself, so that a thread that hangs or a relay that takes
nothing is told by one that does not hang. Each trouble is an error when it begins and once an hour while it lasts.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from service.finding import Finding, State
from service.health import STALE, health
from service.settings import Settings
from store.database import Database

log = logging.getLogger("deskbell.alarm")

LOOK_SECONDS = 60.0
AGAIN = timedelta(hours=1)


class Alarm:
    """What was bad the last time it looked; silent for STALE after the start, when everything is old by nature."""

    def __init__(self, database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
        self._database = database
        self._settings = settings
        self._now = now
        self._began = now()
        self._told: dict[str, datetime] = {}

    def step(self) -> bool:
        """Whatever turned bad, or well again, was written; never any work to go on with."""
        now = self._now()
        if now - self._began > STALE:
            for finding in health(self._database, self._settings, now):
                self._tell(finding, now)
        return False

    def _tell(self, finding: Finding, now: datetime) -> None:
        told = self._told.get(finding.check)
        if finding.state is not State.BAD:
            if told is not None:
                del self._told[finding.check]
                log.info("%s: well again", finding.check)
            return
        if told is None or now - told >= AGAIN:
            self._told[finding.check] = now
            log.error("%s: %s (%s)", finding.check, finding.meaning, finding.advice)
