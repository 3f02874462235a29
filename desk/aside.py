"""What a department is told at once of mail that could not become a request, and how often."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from desk.acknowledge import Mode
from desk.arrival import Arrival, Fate, Source

GAP = timedelta(minutes=10)
"""From one word about a mailbox to the next: six an hour at most, however much is set aside."""
LISTED = 50
"""Mails that one word describes; it counts the rest."""


def is_told(arrival: Arrival, fate: Fate, mode: Mode) -> bool:
    """Whether the department gets word of it, because nothing else of ours tells them.

    Nothing is sent of a mailbox that observes, nor of old mail that is taken in as history. A held mail has a
    notification of its own, except where departments get none.
    """
    if mode is Mode.OBSERVE or arrival.source is Source.IMPORT or arrival.before_floor:
        return False
    return is_told_of(fate) and (fate is not Fate.HELD or mode is Mode.RECEIPTS)


def is_told_of(fate: Fate) -> bool:
    """Whether a mail of this fate is one that somebody has to look at."""
    return fate in (Fate.QUARANTINED, Fate.OVERSIZE, Fate.HELD)


def may_tell(last: datetime | None, now: datetime) -> bool:
    """Whether it is time for the next word, after one at that moment."""
    return last is None or now - last >= GAP


def split(found: Sequence[int]) -> tuple[Sequence[int], int]:
    """Those that a word describes, and how many more there are."""
    return found[:LISTED], max(0, len(found) - LISTED)
