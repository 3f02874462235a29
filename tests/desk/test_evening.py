"""When the evening report is due, and what it calls unsure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.evening import Doubt, last_evening, unsure

WARSAW = ZoneInfo("Europe/Warsaw")
HALF_PAST_FIVE = time(17, 30)
SURE = Doubt(language="en", score=3.0, runner_up="hr", margin=1.0, negative=None)


@pytest.mark.parametrize(
    ("now", "evening"),
    [
        ("2026-03-02T16:29", "2026-03-01T16:30"),
        ("2026-03-02T16:30", "2026-03-02T16:30"),
        ("2026-03-02T23:59", "2026-03-02T16:30"),
        ("2026-03-29T15:30", "2026-03-29T15:30"),
        ("2026-03-29T15:29", "2026-03-28T16:30"),
    ],
)
def test_the_report_is_due_at_that_time_of_the_zone(now, evening):
    """Warsaw is one hour ahead of UTC, from 29 March on two."""
    found = last_evening(datetime.fromisoformat(now).replace(tzinfo=UTC), HALF_PAST_FIVE, WARSAW)
    assert found == datetime.fromisoformat(evening).replace(tzinfo=UTC)


@given(st.timedeltas(timedelta(0), timedelta(days=7_000)), st.times())
def test_the_last_evening_is_past_and_at_most_a_day_and_an_hour_ago(passed, at):
    now = datetime(2020, 1, 1, tzinfo=UTC) + passed
    found = last_evening(now, at, WARSAW)
    assert found <= now < found + timedelta(hours=26)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, ()),
        ({"language": None}, ("language unsure, answered in English",)),
        ({"score": 0.0, "margin": 0.0}, ("no rule knows it",)),
        ({"margin": 0.9}, ("nearly went to hr",)),
        ({"margin": 0.9, "runner_up": None}, ()),
        ({"negative": "dmarc=fail"}, ("the sender is contradicted: dmarc=fail",)),
    ],
)
def test_a_mail_is_unsure_for_stated_reasons(known, words):
    values = {"language": "en", "score": 3.0, "runner_up": "hr", "margin": 1.0, "negative": None} | known
    assert unsure(Doubt(**values)) == words
