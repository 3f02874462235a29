"""What several departments promise together."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desk.promise import Delay, Targets, latest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = Targets(NOON, NOON + 5 * DAY)
TOMORROW = Targets(NOON + DAY, NOON + 2 * DAY, Delay.AFTER_HOURS)
HOLIDAY = Targets(NOON + 3 * DAY, NOON + 4 * DAY, Delay.CLOSED, "Founders' Day")
HOURS = st.integers(0, 99).map(lambda hours: timedelta(hours=hours))
TARGETS = st.builds(lambda first, more: Targets(NOON + first, NOON + first + more), HOURS, HOURS)


def test_the_later_of_each_moment_holds():
    assert latest([TODAY, TOMORROW]) == Targets(NOON + DAY, NOON + 5 * DAY)


def test_why_the_answer_is_not_today_is_said_by_the_last_and_only_where_nobody_answers_today():
    assert latest([HOLIDAY, TOMORROW]) == HOLIDAY
    assert latest([TODAY, HOLIDAY]).delay is Delay.NONE
    assert latest([TODAY, HOLIDAY]).closed_name == ""


def test_one_department_promises_what_it_promises():
    assert latest([HOLIDAY]) is HOLIDAY


@given(st.lists(TARGETS, min_size=1, max_size=4))
def test_no_department_is_promised_to_be_later_than_is_told(targets):
    told = latest(targets)
    assert all(one.first_response <= told.first_response and one.resolution <= told.resolution for one in targets)
    assert told.first_response in [one.first_response for one in targets]
