"""To which request a mail belongs, by what evidence, and in which standing its sender is."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What the sender is to the request found."""

    PARTICIPANT = "participant"
    STAFF = "staff"
    """Answers a notification that only the department was sent."""
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class ThreadMatch:
    """The request a mail continues. evidence in words, "T2 In-Reply-To our receipt <...>".

    written_to: who got the mail of ours that it answers (folded), or None where it answers none.
    """

    number: int
    evidence: str
    standing: Standing
    written_to: str | None = None


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail of ours: about which request, whether it went to a department or a participant, and to what address."""

    number: int
    to_department: bool
    recipient: str
