"""How long a loop rests after a failure, and how loudly it says so."""

import logging

import pytest

from intake.mailbox import (
    AccessRefused,
    ConnectionLost,
    FolderMissing,
    LoginRefused,
    ServerUnreachable,
    Throttled,
)
from service.pauses import level_of, pause_after

BACKOFF = "Suggested Backoff Time: {} milliseconds"


@pytest.mark.parametrize(
    ("error", "failures", "seconds"),
    [
        (ConnectionLost("x"), 0, 1),
        (ServerUnreachable("x"), 5, 30),
        (FolderMissing("x"), 99, 30),
        (LoginRefused("x"), 0, 30),
        (AccessRefused("x"), 9, 30),
        (Throttled("x"), 0, 60),
        (Throttled("x"), 1, 120),
        (Throttled("x"), 99, 300),
        (Throttled(BACKOFF.format(4_500)), 0, 60),
        (Throttled(BACKOFF.format(200_000)), 0, 250),
        (Throttled(BACKOFF.format(99_999_999)), 0, 900),
    ],
)
def test_the_pause_after_a_failure_depends_on_what_it_was(error, failures, seconds) -> None:
    assert pause_after(error, failures) == seconds


def test_a_rest_is_never_shorter_than_the_server_asked_for() -> None:
    """Each pause is spread by a fifth in both directions."""
    assert pause_after(Throttled(BACKOFF.format(200_000)), 0) * 0.8 >= 200


@pytest.mark.parametrize(
    ("error", "failures", "level"),
    [
        (ConnectionLost("x"), 0, logging.INFO),
        (ConnectionLost("x"), 1, logging.ERROR),
        (Throttled("x"), 0, logging.ERROR),
        (LoginRefused("x"), 0, logging.ERROR),
    ],
)
def test_a_connection_that_ends_once_is_no_error(error, failures, level) -> None:
    assert level_of(error, failures) == level
