"""A department: who answers, where it is written to, and what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from desk.classification import Priority


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """Working time until a person answers and until a request is expected to be solved."""

    first_response: timedelta
    resolution: timedelta

    def __post_init__(self) -> None:
        """Refuse a policy that promises nothing or a solution before the answer."""
        if not timedelta(0) < self.first_response <= self.resolution:
            raise ValueError("targets need 0 < first_response <= resolution")


@dataclass(frozen=True, slots=True)
class Department:
    """Names by language tag (at least "en"), the address staff read, the calendar's key, targets by priority.

    targets hold at least Priority.NORMAL, which stands in for a priority that has none of its own.
    """

    key: str
    names: Mapping[str, str]
    address: str
    calendar: str
    targets: Mapping[Priority, TargetPolicy] = field(default_factory=dict)
    urgent_contact: str = ""
    """What to do if it cannot wait, in words ("call 4444"); empty where there is no such way."""

    confidential: bool = False
    """Subject, text and requester of its requests are shown only to who asks for this department by name."""

    retention_days: int | None = None
    """Days after the last entry of a request until its content is erased; None: it is kept."""

    def name_in(self, language: str) -> str:
        """The department's name for a reader of that language, else the English one, else the key."""
        return self.names.get(language) or self.names.get("en") or self.key
