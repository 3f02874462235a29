"""In which zone a date is told."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.zone import zone_of_writer

WARSAW = ZoneInfo("Europe/Warsaw")


def offset(hours, minutes=0):
    return timezone(timedelta(hours=hours, minutes=minutes))


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        pytest.param(None, WARSAW, id="no date"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=UTC).replace(tzinfo=None), WARSAW, id="a date without offset"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=UTC), WARSAW, id="utc tells nothing"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(1)), WARSAW, id="the department's own, winter"),
        pytest.param(datetime(2026, 7, 5, 9, tzinfo=offset(2)), WARSAW, id="the department's own, summer"),
        pytest.param(datetime(2026, 7, 5, 9, tzinfo=offset(1)), offset(1), id="Lisbon in summer"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(9)), offset(9), id="Tokyo"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(5, 30)), offset(5, 30), id="half an hour"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(-5)), offset(-5), id="New York"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(14)), offset(14), id="the widest there is"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(14, 1)), WARSAW, id="wider than any on Earth"),
        pytest.param(datetime(2026, 1, 5, 9, tzinfo=offset(-15)), WARSAW, id="wider to the west"),
        pytest.param(datetime(9999, 12, 31, 23, 59, tzinfo=offset(-5)), WARSAW, id="the end of all calendars"),
        pytest.param(datetime(1, 1, 1, tzinfo=offset(5)), WARSAW, id="their beginning"),
    ],
)
def test_a_date_tells_the_writers_zone_only_where_it_differs_and_can_be_meant(written, zone):
    assert zone_of_writer(written, WARSAW) == zone


@pytest.mark.parametrize(("minute", "hours"), [(59, 2), (0, 1)])
def test_at_the_clock_change_the_moment_decides_not_the_wall(minute, hours):
    written = datetime(2026, 10, 25, 2, minute, tzinfo=offset(hours))
    assert zone_of_writer(written, WARSAW) is WARSAW


@given(st.datetimes(), st.integers(-24 * 60 + 1, 24 * 60 - 1), st.sampled_from(["Europe/Warsaw", "Asia/Tokyo", "UTC"]))
def test_any_date_gives_a_zone_and_it_is_the_departments_or_the_written_one(moment, minutes, name):
    written, department = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))), ZoneInfo(name)
    assert zone_of_writer(written, department) in (department, written.tzinfo)
