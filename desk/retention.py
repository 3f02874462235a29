"""How long the content of a request is kept, and what keeps it longer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.acknowledge import Mode
from desk.lifecycle import State
from desk.request import reference_of


class Kept(StrEnum):
    """Why a request whose time has passed is not erased, in words for an admin."""

    OWED = "a mail about it is still to be sent"
    UNANSWERED = "an answer was promised, and nobody has answered"


@dataclass(frozen=True, slots=True)
class Term:
    """What is kept for so long: of which department, or mailbox, what ended before that moment is erased.

    keeping: the departments that keep theirs longer, and so what they have a part of.
    """

    of: str
    before: datetime
    keeping: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Aged:
    """A request whose time has passed. promised: somebody was told a date; owed: a mail about it is still to go out.

    waits: a further department has not answered its part.
    """

    number: int
    mailbox: str
    department: str
    state: State
    promised: bool
    owed: bool
    waits: bool = False

    @property
    def is_unanswered(self) -> bool:
        """Somebody was promised an answer, and none is known."""
        return self.promised and (self.waits or self.state is not State.ANSWERED)

    @property
    def reference(self) -> str:
        """The human number, "R-1042"."""
        return reference_of(self.number)


def kept_for(aged: Aged, mode: Mode) -> Kept | None:
    """What keeps it, or None. mode is that of its mailbox.

    Only where departments are notified does deskbell see their answers, so that only there none is a missing one.
    """
    if aged.owed:
        return Kept.OWED
    return Kept.UNANSWERED if aged.is_unanswered and mode is Mode.FULL else None


def passed(retention_days: int, now: datetime) -> datetime:
    """What ended at this moment or before has its time behind it."""
    return now - timedelta(days=retention_days)
