"""When so many receipts go out that something must be wrong, whoever they go to.

Only receipts are counted. An incident makes everybody write once, so the limit grows with the number of people who
write here anyway: each of them may be answered once in the window before anything is held back.
"""

from dataclasses import dataclass
from datetime import timedelta

WINDOW = timedelta(minutes=10)
KNOWN_FOR = timedelta(days=30)
"""Whoever was sent a receipt in this time counts as one of the people who write here."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One that counts: the whole installation, or a mailbox, which may have half of that."""

    name: str
    base: int
    """Receipts in the window that are never too many."""

    def is_open(self, told: int, people: int) -> bool:
        """Whether that many receipts in the window are too many for so many people; by itself it closes again."""
        return told >= self.limit(people)

    def limit(self, people: int) -> int:
        """Receipts in the window at which it opens."""
        return max(self.base, people)


def circuits(mailbox: str, per_10_minutes: int) -> tuple[Circuit, Circuit]:
    """The one of the installation and that of a mailbox."""
    return Circuit("deskbell", per_10_minutes), Circuit(mailbox, max(1, per_10_minutes // 2))
