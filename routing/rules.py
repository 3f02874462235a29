"""Rules as values: what an admin writes down so that a mail finds its department. reading.py reads them from TOML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files

from desk.classification import Priority
from desk.department import Department

EVERY = "*"
"""In place of a department: the rule gives no score, but its priority counts whichever department wins."""

HEAVIEST = 100
KEYWORD_LENGTH = 200
KEYWORDS = 50_000
"""How many keywords all rules of a set hold together at most."""


class Where(StrEnum):
    """The part of a mail that a keyword or a condition looks at."""

    SUBJECT = "subject"
    BODY = "body"
    SENDER = "sender"
    MAILBOX = "mailbox"
    HEADER = "header"


TEXT = (Where.SUBJECT, Where.BODY)


@dataclass(frozen=True, slots=True)
class Condition:
    """What sender, mailbox or one header field must say: one of any, each of all, none of none.

    An address pattern with @ is compared whole, and a leading star stands for anything ("*@corp.example"); one without
    @ is sought anywhere in the address. A header pattern is sought anywhere in the values of that field.
    """

    where: Where
    header: str = ""
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How the condition is named in a rule file and in a trace."""
        return f"{self.where}.{self.header}" if self.header else str(self.where)


@dataclass(frozen=True, slots=True)
class Rule:
    """A mail that meets keywords and conditions gains its department weight for each hit.

    A rule asks for something: at least one keyword or pattern in any or all. Weight is 0 to 100.
    """

    name: str
    department: str
    category: str | None = None
    priority: Priority | None = None
    weight: float = 1.0
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    where: tuple[Where, ...] = TEXT
    conditions: tuple[Condition, ...] = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse a rule that asks for nothing, looks nowhere, or weighs what cannot be added."""
        if not any((self.any, self.all, *(part.any or part.all for part in self.conditions))):
            raise ValueError("at least one keyword or pattern in any or all")
        if not self.where or not set(self.where) <= set(TEXT):
            raise ValueError("keywords looked for in subject, body or both")
        if not 0 <= self.weight <= HEAVIEST:
            raise ValueError("a weight from 0 to 100")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in their order, and the department of a mail that no rule and no mailbox claims."""

    rules: tuple[Rule, ...]
    default_department: str


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """A calendar as written: spans "09:00-17:00" by "mon" to "sun", ISO dates with the reason why they are closed.

    Zone is an IANA name or "system"; country (and region) choose the public holidays, empty for none; open_days are
    ISO dates that are worked although a holiday or closed.
    """

    key: str
    zone: str
    hours: Mapping[str, tuple[str, ...]]
    country: str = ""
    region: str = ""
    closed: Mapping[str, str] = field(default_factory=dict)
    open_days: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """All that a routing file says; each department's calendar and each rule's department is in it."""

    departments: tuple[Department, ...]
    calendars: tuple[CalendarTable, ...]
    rules: RuleSet


def starter_text() -> str:
    """Give the routing file a company can begin with, as shipped in this package (TOML)."""
    return files(__package__).joinpath("starter.toml").read_text(encoding="utf-8")
