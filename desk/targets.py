"""By when we promise: working time counted along a calendar, in moments, never in wall-clock arithmetic.

Hours are local, elapsed time is not: each edge of a working span is turned into a UTC moment once (working_day), and
all counting happens between moments. So a night on which the clock jumps is as long as it really is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from desk.calendar import Calendar
from desk.classification import Priority
from desk.department import Department
from desk.promise import Delay, Targets

MAX_REST = 400
"""Days in a row without working time after which a calendar counts as one that never works."""

ROUNDING = timedelta(minutes=5)
"""A promise is told in steps of this, rounded up: nobody believes 14:23:07."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as its promises go: how urgent it is, and when it came (aware)."""

    priority: Priority
    received_at: datetime


class NoWorkingTime(Exception):
    """The calendar has no working time for more than a year: nothing can be promised along it."""


def working_day(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The working spans of a local day as UTC moments, ascending and not overlapping; none on a closed day.

    An edge is the first moment at which the clock on the wall shows that time or a later one: an hour that is skipped
    is not worked, an hour that comes twice is worked twice if the span reaches beyond it.
    """
    if calendar.closed_day(day) is not None:
        return ()
    spans = calendar.hours.get(day.weekday(), ())
    edges = ((_moment(day, start, calendar.zone), _moment(day, end, calendar.zone)) for start, end in spans)
    return tuple((start, end) for start, end in edges if start < end)


def add_working_time(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The moment (UTC) at which that much working time has passed since start (aware).

    The answer lies in a working span, its two ends included; at the end of a span it stays there unless time is left.
    Raises NoWorkingTime, and ValueError for a naive start or a negative amount.
    """
    return _reach(calendar, start, amount)[0]


def promise(department: Department, calendar: Calendar, priority: Priority, received_at: datetime) -> Targets:
    """Both promised moments (UTC) for a request received at that moment (aware).

    Each is rounded up to the next five minutes, but never past the end of its working span; the resolution is never
    before the first response. A priority without targets of its own has those of NORMAL (KeyError without them).
    """
    policy = department.targets.get(priority) or department.targets[Priority.NORMAL]
    first_response = _promised(calendar, received_at, policy.first_response)
    delay, closed_name = _delay(calendar, received_at, policy.first_response, promised=first_response)
    return Targets(
        first_response=first_response,
        resolution=_promised(calendar, received_at, policy.resolution),
        delay=delay,
        closed_name=closed_name,
    )


def kept_or_renewed(department: Department, calendar: Calendar, asked: Asked, now: datetime) -> Targets:
    """What can still be promised at that moment: the targets counted from the arrival, or from now on.

    From now on where the first response would be over already. The delay is why the answer does not come today, which
    is the day of now.
    """
    targets = promise(department, calendar, asked.priority, asked.received_at)
    kept = targets.first_response > now
    if kept and _day(calendar, asked.received_at) == _day(calendar, now):
        return targets
    renewed = promise(department, calendar, asked.priority, now)
    if not kept:
        return renewed
    today = _day(calendar, targets.first_response) == _day(calendar, now)
    delay, closed_name = (Delay.NONE, "") if today else (renewed.delay, renewed.closed_name)
    return replace(targets, delay=delay, closed_name=closed_name)


def _day(calendar: Calendar, moment: datetime) -> date:
    return moment.astimezone(calendar.zone).date()


def _promised(calendar: Calendar, received_at: datetime, amount: timedelta) -> datetime:
    moment, span_end = _reach(calendar, received_at, amount)
    return min(moment + (_EPOCH - moment) % ROUNDING, span_end)


def _delay(calendar: Calendar, received_at: datetime, amount: timedelta, *, promised: datetime) -> tuple[Delay, str]:
    """Why the promised moment is not on the local day of received_at, and the closed day's name if that is why."""
    today = received_at.astimezone(calendar.zone).date()
    if promised.astimezone(calendar.zone).date() == today:
        return Delay.NONE, ""
    closed_name = calendar.closed_day(today)
    if closed_name is not None:
        return Delay.CLOSED, closed_name
    if not calendar.hours.get(today.weekday()):
        return Delay.WEEKEND, ""
    whole_day = sum((end - start for start, end in working_day(calendar, today)), timedelta(0))
    return (Delay.AFTER_HOURS if amount <= whole_day else Delay.WORKLOAD), ""


def _reach(calendar: Calendar, start: datetime, amount: timedelta) -> tuple[datetime, datetime]:
    """The moment at which the amount is used up, and the end of the working span it lies in."""
    if start.utcoffset() is None or amount < timedelta(0):
        raise ValueError("working time needs an aware start and an amount of zero or more")
    left = amount
    for span_start, span_end in _spans(calendar, start.astimezone(calendar.zone).date()):
        begin = max(span_start, start.astimezone(UTC))
        room = span_end - begin
        if left <= room:
            return begin + left, span_end
        left -= max(room, timedelta(0))
    raise AssertionError("spans never end: they raise")  # pragma: no cover


def _spans(calendar: Calendar, day: date) -> Iterator[tuple[datetime, datetime]]:
    """All working spans from a local day on, without end."""
    rest = 0
    while rest < MAX_REST:
        spans = working_day(calendar, day)
        yield from spans
        rest = 0 if spans else rest + 1
        day += timedelta(days=1)
    raise NoWorkingTime(f"calendar {calendar.key}: no working time in the {MAX_REST} days before {day}")


def _moment(day: date, edge: time, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the clock of the zone shows that time of that day, or a later one."""
    if edge == time.max:
        day, edge = day + timedelta(days=1), time.min
    before = datetime.combine(day, edge, tzinfo=zone)
    after = before.replace(fold=1)
    late, early = before.astimezone(UTC), after.astimezone(UTC)
    return _jump(early, late, zone) if early < late else late


def _jump(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC, whole seconds) between the two at which the zone's clock jumps forward.

    PEP 495: for a wall time that is skipped, fold=1 counts with the offset behind the jump, fold=0 with the one before
    it; the two readings lie on either side of the jump and zoneinfo has no call that names it.
    """
    offset = late.astimezone(zone).utcoffset()
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late
