"""How late a receipt is, in working time: Monday to Friday from nine to five, in Warsaw."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from desk.calendar import Calendar
from desk.lateness import Lateness, brakes, lateness

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = Calendar("office", WARSAW, {day: ((time(9), time(17)),) for day in range(5)})
DAYS = {"Fri": 6, "Sat": 7, "Mon": 9, "Tue": 10, "Wed": 11}


def at(words):
    day, _, clock = words.partition(" ")
    return datetime(2026, 3, DAYS[day], int(clock[:2]), int(clock[3:]), tzinfo=WARSAW)


@pytest.mark.parametrize(
    ("received", "now", "expected"),
    [
        ("Mon 10:00", "Mon 10:00", "on-time"),
        ("Mon 10:00", "Mon 11:00", "on-time"),
        ("Mon 10:00", "Mon 11:01", "late"),
        ("Fri 22:00", "Mon 09:30", "on-time"),
        ("Fri 22:00", "Mon 10:01", "late"),
        ("Fri 16:30", "Mon 09:30", "on-time"),
        ("Fri 16:30", "Mon 09:31", "late"),
        ("Mon 18:00", "Tue 08:00", "on-time"),
        ("Fri 08:00", "Wed 08:00", "late"),
        ("Fri 08:00", "Wed 08:01", "too-old"),
        ("Mon 11:00", "Mon 10:00", "on-time"),
    ],
)
def test_a_receipt_is_late_after_one_working_hour_and_too_old_after_five_days(received, now, expected):
    """A night or a weekend alone makes nobody wait for somebody who was at work."""
    assert lateness(OFFICE, at(received), at(now)) is Lateness(expected)


@pytest.mark.parametrize(
    ("late", "held", "limit", "expected"), [(199, 0, 200, False), (200, 0, 200, True), (0, 1, 200, True)]
)
def test_the_brake_holds_what_is_too_much_and_then_all_that_is_late(late, held, limit, expected):
    assert brakes(late=late, held=held, limit=limit) is expected


def test_lateness_is_elapsed_time_not_the_clock_on_the_wall():
    """In the night of 29 March 2026 an hour is skipped: from 01:30 to 03:30 one hour passes."""
    night = Calendar("night", WARSAW, {day: ((time(0), time.max),) for day in range(7)})
    before = datetime(2026, 3, 29, 1, 30, tzinfo=WARSAW)
    assert lateness(night, before, datetime(2026, 3, 29, 3, 30, tzinfo=WARSAW)) is Lateness.ON_TIME
    late = datetime(2026, 3, 29, 3, 30, tzinfo=WARSAW) + timedelta(minutes=1)
    assert lateness(night, before, late) is Lateness.LATE
