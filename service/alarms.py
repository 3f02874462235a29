"""Word to whoever runs deskbell that something is wrong: once in the log and in the journal, not for every mail."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection

from store import journal, meta

log = logging.getLogger("deskbell.alarms")

QUIET = timedelta(minutes=30)
"""An alarm that goes on for so long is given again."""


def alarm(connection: Connection, key: str, words: str, *, now: datetime) -> bool:
    """The alarm is told, unless the same one was within QUIET; whether it was."""
    name = f"alarm {key}"
    before = meta.read(connection, name)
    if before is not None and abs(now - datetime.fromisoformat(before)) < QUIET:
        return False
    meta.write(connection, name, now.isoformat())
    journal.write(connection, journal.Record("alarm", detail={"alarm": key, "words": words}), now=now)
    log.error("%s", words)
    return True
