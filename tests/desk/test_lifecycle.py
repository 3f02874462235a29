"""Every state with every event."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import lifecycle
from desk.lifecycle import TRANSITIONS, Event, State, after


@pytest.mark.parametrize(
    ("state", "event", "then"),
    [
        (State.NEW, Event.FOLLOWED_UP, State.NEW),
        (State.NEW, Event.ANSWERED, State.ANSWERED),
        (State.ANSWERED, Event.FOLLOWED_UP, State.OPEN),
        (State.ANSWERED, Event.ANSWERED, State.ANSWERED),
        (State.OPEN, Event.FOLLOWED_UP, State.OPEN),
        (State.OPEN, Event.ANSWERED, State.ANSWERED),
    ],
)
def test_an_event_leads_from_this_state_to_that_one(state, event, then):
    assert after(state, event) is then


def test_the_table_is_total_and_holds_nothing_else():
    assert set(TRANSITIONS) == set(itertools.product(State, Event))


def test_each_transition_that_changes_the_state_is_drawn():
    drawing = (lifecycle.__doc__ or "").splitlines()
    for (state, _event), then in TRANSITIONS.items():
        if state is not then:
            assert any(line.strip().startswith(state.value) and line.endswith(f"> {then.value}") for line in drawing)


@given(st.sampled_from(State), st.lists(st.sampled_from(Event), min_size=1))
def test_after_the_last_word_it_is_the_others_turn(state, events):
    for event in events:
        state = after(state, event)
    assert (state is State.ANSWERED) is (events[-1] is Event.ANSWERED)


@given(st.lists(st.sampled_from(Event)))
def test_a_request_is_new_until_somebody_answers(events):
    state = State.NEW
    for event in events:
        state = after(state, event)
    assert (state is State.NEW) is (Event.ANSWERED not in events)
