"""A calendar refuses hours that cannot be meant."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from desk.calendar import Calendar

WARSAW = ZoneInfo("Europe/Warsaw")
NINE, NOON, ONE, FIVE = time(9), time(12), time(13), time(17)


def calendar(hours):
    return Calendar(key="office", zone=WARSAW, hours=hours)


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param((), id="a day without hours"),
        pytest.param(((NINE, FIVE),), id="one span"),
        pytest.param(((NINE, NOON), (ONE, FIVE)), id="a break"),
        pytest.param(((time.min, time.max),), id="round the clock"),
    ],
)
def test_ascending_spans_are_taken_as_they_are(spans):
    assert calendar({0: spans}).hours[0] == spans


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(((FIVE, NINE),), id="end before start"),
        pytest.param(((NINE, NINE),), id="empty span"),
        pytest.param(((ONE, FIVE), (NINE, NOON)), id="afternoon first"),
        pytest.param(((NINE, ONE), (NOON, FIVE)), id="overlap"),
        pytest.param(((NINE, NOON), (NOON, FIVE)), id="a break of no length"),
    ],
)
def test_spans_that_do_not_ascend_are_refused_with_the_calendars_key(spans):
    with pytest.raises(ValueError, match=r"calendar office: hours of weekday 2 overlap or are not ascending"):
        calendar({2: spans})


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_weekday_outside_the_week_is_refused(weekday):
    with pytest.raises(ValueError, match=rf"weekday {weekday} is not 0"):
        calendar({weekday: ((NINE, FIVE),)})


def test_without_a_list_of_holidays_no_day_is_closed():
    assert calendar({}).closed_day(date(2026, 12, 25)) is None
