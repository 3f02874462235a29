"""A calendar: in which zone, at which hours and on which days a department works."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo


def no_closed_day(_day: date) -> str | None:
    """Answer for a calendar without holidays: no day is closed."""
    return None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours in local time of the zone.

    hours: weekday (Monday 0) to spans (start, end), start < end, ascending, not overlapping; a break is the gap
    between two spans; time.max as end means midnight. closed_day gives the reason why a day is closed, or None.
    """

    key: str
    zone: ZoneInfo
    hours: Mapping[int, tuple[tuple[time, time], ...]]
    closed_day: Callable[[date], str | None] = no_closed_day

    def __post_init__(self) -> None:
        """Refuse spans that are empty, unordered or overlapping."""
        for weekday, spans in self.hours.items():
            if weekday not in range(7):
                raise ValueError(f"calendar {self.key}: weekday {weekday} is not 0 (Monday) to 6 (Sunday)")
            edges = [edge for span in spans for edge in span]
            if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
                raise ValueError(f"calendar {self.key}: hours of weekday {weekday} overlap or are not ascending")
