"""The states of a request, and what moves it from one to another.

    new ------ answered by staff -----> answered
    answered - followed up -----------> open
    open ----- answered by staff -----> answered

A follow-up leaves a new or open request where it is: somebody still owes the answer.
"""

from enum import StrEnum


class State(StrEnum):
    """Whose turn it is."""

    NEW = "new"
    """Nobody has answered yet."""
    ANSWERED = "answered"
    """A person has answered."""
    OPEN = "open"
    """The requester wrote again after an answer."""


class Event(StrEnum):
    """What can happen to a request."""

    FOLLOWED_UP = "followed-up"
    ANSWERED = "answered"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NEW, Event.FOLLOWED_UP): State.NEW,
    (State.NEW, Event.ANSWERED): State.ANSWERED,
    (State.ANSWERED, Event.FOLLOWED_UP): State.OPEN,
    (State.ANSWERED, Event.ANSWERED): State.ANSWERED,
    (State.OPEN, Event.FOLLOWED_UP): State.OPEN,
    (State.OPEN, Event.ANSWERED): State.ANSWERED,
}


def after(state: State, event: Event) -> State:
    """The state once the event has happened; every pair has an entry."""
    return TRANSITIONS[state, event]
