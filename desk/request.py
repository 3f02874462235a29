"""A request: one matter a person raised, with its history."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desk.classification import Priority
from desk.lifecycle import State
from desk.mail import Address

FIRST_NUMBER = 1001
"""The number of the first request of an installation; below it a reference would look like a room or a year."""

_DIGITS = 12
"""More than any number will ever have, and less than a database can hold."""


def reference_of(number: int) -> str:
    """The human number of a request, as people read and quote it."""
    return f"R-{number}"


def number_of(reference: str) -> int | None:
    """The number in a reference ("R-1042", any case), or None where it is not one."""
    prefix, _, digits = reference.strip().partition("-")
    known = prefix in ("R", "r") and digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS
    return int(digits) if known else None


@dataclass(frozen=True, slots=True)
class Part:
    """What one department has of a request: since its own mailbox was written to, with clock and state of its own."""

    mailbox: str
    department: str
    priority: Priority
    state: State
    first_response_due: datetime
    resolution_due: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One matter, with the department that answers and the moments it goes by. Moments are aware.

    A request of several departments has a further part for each but the first, which is the request's own.
    """

    number: int
    subject: str
    requester: Address | None
    mailbox: str
    department: str
    state: State
    priority: Priority
    language: str
    opened: datetime
    first_response_due: datetime
    resolution_due: datetime
    further: tuple[Part, ...] = ()
    erased: datetime | None = None
    """Since when nothing is left of what it was about and of who asked."""

    @property
    def reference(self) -> str:
        """The human number, "R-1042"."""
        return reference_of(self.number)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part, the first one included."""
        first = Part(
            mailbox=self.mailbox,
            department=self.department,
            priority=self.priority,
            state=self.state,
            first_response_due=self.first_response_due,
            resolution_due=self.resolution_due,
        )
        return (first, *self.further)

    @property
    def departments(self) -> tuple[str, ...]:
        """The departments that have it, the first one first."""
        return (self.department, *(part.department for part in self.further))


class EntryKind(StrEnum):
    """What an entry in a request's history is."""

    MAIL = "mail"
    """From the requester or another participant."""
    ANSWER = "answer"
    """From a member of staff."""
    HELD = "held"
    """From somebody who is no participant: staff see it, nobody else."""
    EVENT = "event"
    """An automatic mail that belongs to the request; changes nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail or event in a request's history."""

    kind: EntryKind
    at: datetime
    author: str
    text: str
    message_id: str | None
    arrival: int
