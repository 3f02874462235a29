"""What we tell somebody: two moments, and why the answer is not today."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Delay(StrEnum):
    """Why the answer does not come today. One word each; the templates say it in the reader's language."""

    NONE = "none"
    """A person answers today."""
    AFTER_HOURS = "after-hours"
    """The department works today, but the time left is over or too short."""
    WEEKEND = "weekend"
    """Today is not a working day of the week."""
    CLOSED = "closed"
    """Today is a public holiday or an own closed day; the name of it is given."""
    WORKLOAD = "workload"
    """The target itself is longer than the rest of the day."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Promised moments (aware), with the reason why the first response is not today and, if closed, its name."""

    first_response: datetime
    resolution: datetime
    delay: Delay = Delay.NONE
    closed_name: str = ""


def latest(targets: Sequence[Targets]) -> Targets:
    """What holds for all of them: the later of each moment.

    Why the answer does not come today is said by the one that answers last, and only where none answers today.
    """
    if len(targets) == 1:
        return targets[0]
    last = max(targets, key=lambda one: one.first_response)
    resolution = max(one.resolution for one in targets)
    if any(one.delay is Delay.NONE for one in targets):
        return Targets(last.first_response, resolution)
    return replace(last, resolution=resolution)
