"""How late a receipt is: on time, late enough for an apology, or so late that it would only puzzle.

Counted in working time of the department: whoever wrote on Friday night and is answered on Monday morning has waited
for nobody who was at work.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from desk.calendar import Calendar
from desk.targets import add_working_time

TOLERATED = timedelta(hours=1)
"""Working time after which a receipt says that it is late."""
TOO_OLD = timedelta(days=5)
"""Age of a mail that gets no receipt any more; staff see it."""
GATHERING = timedelta(minutes=1)
"""How long a late receipt waits for others to the same person, which it then answers too."""


class Lateness(StrEnum):
    """What the age of a mail means for its receipt."""

    ON_TIME = "on-time"
    LATE = "late"
    TOO_OLD = "too-old"


def lateness(calendar: Calendar, received_at: datetime, now: datetime) -> Lateness:
    """How late a receipt would be now. Raises NoWorkingTime for a calendar that never works."""
    if now - received_at > TOO_OLD:
        return Lateness.TOO_OLD
    if now - received_at <= TOLERATED:
        return Lateness.ON_TIME
    return Lateness.LATE if add_working_time(calendar, received_at, TOLERATED) < now else Lateness.ON_TIME


def brakes(*, late: int, held: int, limit: int) -> bool:
    """Whether a late receipt is held for a person to look at: too many in an hour, or others are held already."""
    return held > 0 or late >= limit
