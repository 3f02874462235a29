"""Calendars as written down, made into calendars that can be counted along.

A spec is plain text as it comes from the store or a file; what cannot be meant is refused here, with the calendar, the
key, the value found and what would be accepted. The holidays package is imported on first need: it is large.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desk.calendar import Calendar, no_closed_day
from desk.errors import UserError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SYSTEM_ZONE = "system"

_SPAN = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARLY = re.compile(r"--([0-9]{2}-[0-9]{2})")


class CalendarError(UserError, ValueError):
    """A calendar cannot be meant as it is written: names the calendar, the key, the value and what is accepted."""


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """A calendar as written down.

    zone: an IANA name, or "system". hours: mon..sun to spans "09:00-12:30" (24:00 is midnight). country, region: whose
    public holidays are closed days (ISO 3166). closed: own closed days to their names, "2026-12-31" or each year
    "--12-24". open_days: dates that are worked although they are a holiday or a yearly closed day.
    """

    key: str
    zone: str
    hours: Mapping[str, tuple[str, ...]]
    country: str | None = None
    region: str | None = None
    closed: Mapping[str, str] = field(default_factory=dict)
    open_days: tuple[str, ...] = ()


def build_calendar(spec: CalendarSpec, *, system_zone: str) -> Calendar:
    """The calendar; system_zone stands in for the zone "system". Raises CalendarError.

    Its closed days carry the holiday's name in the country's own language, whatever locale the service runs in.
    """
    return Calendar(key=spec.key, zone=_zone(spec, system_zone), hours=_hours(spec), closed_day=_closed_day(spec))


def system_zone_name(environ: Mapping[str, str], localtime: Path) -> str:
    """The zone of this machine: TZ, else the name localtime (/etc/localtime) links to, else "UTC"."""
    named = environ.get("TZ", "").removeprefix(":")
    if not named:
        try:
            named = str(localtime.readlink())
        except OSError:
            # No link: a container or a copied file. It keeps no name, and UTC is what such machines run on.
            return "UTC"
        if "zoneinfo/" not in named:
            return "UTC"
    return named.rpartition("zoneinfo/")[2]


def _refuse(spec: CalendarSpec, key: str, found: object, accepted: str) -> NoReturn:
    raise CalendarError(f"calendar {spec.key}: {key} is {found!r}; accepted is {accepted}")


def _zone(spec: CalendarSpec, system_zone: str) -> ZoneInfo:
    name = system_zone if spec.zone == SYSTEM_ZONE else spec.zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Unknown, no relative path, or a folder of zones; no mail is here yet.
        found = f"{SYSTEM_ZONE} ({name})" if spec.zone == SYSTEM_ZONE else name
        _refuse(spec, "zone", found, f'an IANA name such as "Europe/Warsaw", or "{SYSTEM_ZONE}"')


def _hours(spec: CalendarSpec) -> dict[int, tuple[tuple[time, time], ...]]:
    for name in spec.hours:
        if name not in WEEKDAYS:
            _refuse(spec, "hours", name, "a weekday of " + ", ".join(WEEKDAYS))
    hours = {WEEKDAYS.index(name): _spans(spec, name) for name in spec.hours}
    if not any(hours.values()):
        _refuse(spec, "hours", dict(spec.hours), "at least one span on one weekday")
    return hours


def _spans(spec: CalendarSpec, name: str) -> tuple[tuple[time, time], ...]:
    spans = tuple(_span(spec, name, text) for text in spec.hours[name])
    edges = [edge for span in spans for edge in span]
    if any(later <= earlier for earlier, later in pairwise(edges)):
        wanted = "ascending spans with a break between them; a night shift is written on both of its days"
        _refuse(spec, f"hours.{name}", list(spec.hours[name]), wanted)
    return spans


def _span(spec: CalendarSpec, name: str, text: str) -> tuple[time, time]:
    found = _SPAN.fullmatch(text)
    try:
        if found:
            return time.fromisoformat(found[1]), _end(found[2])
    except ValueError:
        # 25:00 or 12:60: refused below, like any other text that is no span.
        pass
    _refuse(spec, f"hours.{name}", text, '"HH:MM-HH:MM" from 00:00 to 24:00, such as "09:00-12:30"')


def _end(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def _closed_day(spec: CalendarSpec) -> Callable[[date], str | None]:
    holiday = _holidays(spec)
    dated, yearly = _closed(spec)
    open_days = frozenset(_day(spec, "open_days", text) for text in spec.open_days)
    for day in sorted(open_days):
        _check_open(spec, day, closed=dated)

    def closed_day(day: date) -> str | None:
        if day in open_days:
            return None
        return dated.get(day) or yearly.get((day.month, day.day)) or holiday(day)

    return closed_day


def _closed(spec: CalendarSpec) -> tuple[dict[date, str], dict[tuple[int, int], str]]:
    dated: dict[date, str] = {}
    yearly: dict[tuple[int, int], str] = {}
    for text, name in spec.closed.items():
        if not name.strip():
            _refuse(spec, f"closed.{text}", name, "the name people know the day by")
        found = _YEARLY.fullmatch(text)
        # 2000 is a leap year: 29 February can be closed each year that has one.
        day = _day(spec, "closed", f"2000-{found[1]}" if found else text, found=text)
        if found:
            yearly[day.month, day.day] = name
        else:
            dated[day] = name
    return dated, yearly


def _day(spec: CalendarSpec, key: str, text: str, *, found: str | None = None) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        # 2026-02-30: refused below, like any other text that is no date.
        pass
    each_year = ', or "--12-24" for each year' if key == "closed" else ""
    _refuse(spec, key, found or text, f'a date such as "2026-12-31"{each_year}')


def _check_open(spec: CalendarSpec, day: date, *, closed: Mapping[date, str]) -> None:
    if day in closed:
        _refuse(spec, "open_days", day.isoformat(), f"a date that closed does not hold ({closed[day]})")
    if not spec.hours.get(WEEKDAYS[day.weekday()]):
        _refuse(spec, "open_days", day.isoformat(), "a date on a weekday that has hours")


def _holidays(spec: CalendarSpec) -> Callable[[date], str | None]:
    """Public holidays of the country, each year worked out when first asked for; never changed afterwards."""
    if spec.country is None:
        if spec.region is not None:
            _refuse(spec, "region", spec.region, "a region only together with its country")
        return no_closed_day
    country, region, language = spec.country, spec.region, _language(spec, spec.country)

    @lru_cache(maxsize=64)
    def names(year: int) -> dict[date, str]:
        from holidays import country_holidays  # noqa: PLC0415 - large, needed by few commands

        # A dictionary per year, not one that grows while another thread looks a day up. The language is always
        # named: without it the package takes the locale of the process.
        return dict(country_holidays(country, subdiv=region, years=year, language=language).items())

    return lambda day: names(day.year).get(day)


def _language(spec: CalendarSpec, country: str) -> str | None:
    """The language of the country's holidays (None: it has just one); refuses what has no holidays."""
    from holidays import country_holidays, list_supported_countries  # noqa: PLC0415 - large, needed by few

    if country not in list_supported_countries():
        _refuse(spec, "country", country, 'an ISO 3166 code such as "PL", or none')
    known = country_holidays(country)
    regions = sorted({*known.subdivisions, *known.subdivisions_aliases})
    if spec.region is not None and spec.region not in regions:
        accepted = "one of " + ", ".join(regions) if regions else f"none: {country} has no regions here"
        _refuse(spec, "region", spec.region, accepted)
    return known.default_language
