"""Where a mail belongs, and why: the verdict of the rules with scores and trace."""

from dataclasses import dataclass
from enum import StrEnum


class Priority(StrEnum):
    """How urgent a request is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class RuleHit:
    """One rule that scored: its name, what it gave, and the words that hit ("subject: drukarka")."""

    rule: str
    score: float
    hits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """The department that answers, with score, the runner-up department and the margin between the two."""

    department: str
    category: str | None = None
    priority: Priority = Priority.NORMAL
    score: float = 0.0
    runner_up: str | None = None
    margin: float = 0.0
    rules: tuple[RuleHit, ...] = ()
