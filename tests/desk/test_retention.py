"""What keeps a request whose time has passed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desk.acknowledge import Mode
from desk.lifecycle import State
from desk.retention import Aged, Kept, kept_for, passed

AGED = Aged(1001, "help@corp.example", "it", State.ANSWERED, promised=True, owed=False)


@pytest.mark.parametrize("mode", list(Mode))
def test_an_answered_request_is_not_kept(mode):
    assert kept_for(AGED, mode) is None


@pytest.mark.parametrize("state", [State.NEW, State.OPEN])
def test_a_promised_answer_keeps_a_request_where_its_lack_can_be_seen(state):
    unanswered = replace(AGED, state=state)
    assert kept_for(unanswered, Mode.FULL) is Kept.UNANSWERED
    assert kept_for(unanswered, Mode.RECEIPTS) is None
    assert kept_for(unanswered, Mode.OBSERVE) is None


def test_nobody_waits_where_nothing_was_promised():
    """Newsletters stay new for ever."""
    assert kept_for(replace(AGED, state=State.NEW, promised=False), Mode.FULL) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_a_mail_that_is_still_to_be_sent_keeps_its_request(mode):
    assert kept_for(replace(AGED, owed=True), mode) is Kept.OWED


def test_days_are_counted_by_the_clock():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert passed(30, noon) == noon - timedelta(days=30)
