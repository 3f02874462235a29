"""Waiting for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.02
QUIET_SECONDS = 1.0
"""Who waits longer than this is told what for."""


def until(found: Callable[[], T | None], *, seconds: float, slow: Callable[[], None] = lambda: None) -> T | None:
    """What found gives once that is something, or None after so many seconds; slow is called once, after a second."""
    begin = time.monotonic()
    told = False
    while (value := found()) is None:
        waited = time.monotonic() - begin
        if waited > seconds:
            return None
        if waited > QUIET_SECONDS and not told:
            told = True
            slow()
        time.sleep(_LOOK_SECONDS)
    return value
