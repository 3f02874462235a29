"""Of which mail a department is told at once, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desk.acknowledge import Mode
from desk.arrival import Arrival, Fate, Source
from desk.aside import GAP, LISTED, is_told, may_tell, split

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ARRIVAL = Arrival("help@corp.example", Source.IMAP, NOON, b"")


@pytest.mark.parametrize(
    ("fate", "full", "receipts"),
    [
        (Fate.QUARANTINED, True, True),
        (Fate.OVERSIZE, True, True),
        (Fate.HELD, False, True),
        (Fate.OPENED, False, False),
        (Fate.APPENDED, False, False),
        (Fate.FILED, False, False),
        (Fate.DUPLICATE, False, False),
    ],
)
def test_a_department_is_told_of_what_nothing_else_tells_it(fate, full, receipts):
    """A held mail has a notification in mode full."""
    assert (is_told(ARRIVAL, fate, Mode.FULL), is_told(ARRIVAL, fate, Mode.RECEIPTS)) == (full, receipts)


@pytest.mark.parametrize("fate", list(Fate))
def test_nothing_is_told_of_a_mailbox_that_observes_nor_of_history(fate):
    assert not is_told(ARRIVAL, fate, Mode.OBSERVE)
    assert not is_told(replace(ARRIVAL, source=Source.IMPORT), fate, Mode.FULL)
    assert not is_told(replace(ARRIVAL, before_floor=True), fate, Mode.FULL)


def test_the_first_word_is_at_once_and_the_next_one_after_the_gap():
    assert may_tell(None, NOON)
    assert not may_tell(NOON, NOON + GAP - timedelta(seconds=1))
    assert may_tell(NOON, NOON + GAP)
    assert timedelta(hours=1) / GAP == 6


def test_a_word_describes_so_many_mails_that_it_can_be_read():
    assert split(range(LISTED)) == (range(LISTED), 0)
    assert split(range(LISTED + 3)) == (range(LISTED), 3)
