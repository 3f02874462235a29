"""Reading a routing file (TOML): departments, calendars and rules, each value checked where it stands."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise

from desk.classification import Priority
from desk.department import Department, TargetPolicy
from routing.rules import (
    EVERY,
    HEAVIEST,
    KEYWORD_LENGTH,
    KEYWORDS,
    TEXT,
    CalendarTable,
    Condition,
    Routing,
    Rule,
    RuleSet,
    Where,
)
from routing.tables import RoutingError, Table
from routing.text import keyword, normal

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)", re.ASCII)
_DURATION = re.compile(r"(\d{1,4})([hm])", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_HEADER = re.compile(r"[!-9;-~]+")
_PRIORITIES = ", ".join(Priority)
_MOST_DAYS = 36_500


def read_routing(text: str, *, source: str, default_domain: str) -> Routing:
    """Read a routing file; a department without an address gets <key>@<default_domain>.

    Raises RoutingError at the first value that cannot be used, naming source, rule, key, value and what is accepted.
    """
    root = Table(source, "", _parsed(text, source))
    calendars = tuple(_calendar(key, table) for key, table in _named(root, "calendars"))
    departments = tuple(
        _department(key, table, calendars=calendars, default_domain=default_domain)
        for key, table in _named(root, "departments")
    )
    keys = [department.key for department in departments]
    if root.text("default") not in keys:
        raise root.refusal("default", _one_of("the department", keys))
    ruleset = RuleSet(tuple(_rules(root, keys)), root.text("default"))
    root.finish()
    return Routing(departments, calendars, ruleset)


def _parsed(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # no mail is in flight while rules are read
        raise RoutingError(source, place="", key="", found=str(error), accepted="TOML") from error


def _named(root: Table, group: str) -> Iterator[tuple[str, Table]]:
    """Yield each sub-table of a group, its key checked; at least one must be there."""
    tables = root.table(group)
    if not tables.content:
        raise root.refusal(group, f"at least one table [{group}.<key>]")
    for key in tables:
        if not _KEY.fullmatch(key):
            raise tables.refusal(key, "a key of small letters, digits and hyphens, at most 40", f"key {key!r}")
        yield key, tables.table(key, place=f"{group}.{key}")


def _department(key: str, table: Table, *, calendars: Iterable[CalendarTable], default_domain: str) -> Department:
    calendar = table.text("calendar")
    known = [one.key for one in calendars]
    if calendar not in known:
        raise table.refusal("calendar", _one_of("the calendar", known))
    department = Department(
        key=key,
        names=_names(table.table("names")),
        address=_address(table, f"{key}@{default_domain}"),
        calendar=calendar,
        targets=_targets(table.table("targets")),
        urgent_contact=table.text("urgent_contact", ""),
        confidential=table.switch("confidential", default=False),
        retention_days=_retention_days(table),
    )
    table.finish()
    return department


def _retention_days(table: Table) -> int | None:
    days = table.number("retention_days", 0)
    if "retention_days" not in table.content:
        return None
    if not days.is_integer() or not 1 <= days <= _MOST_DAYS:
        raise table.refusal("retention_days", f"a whole number of days from 1 to {_MOST_DAYS}")
    return int(days)


def _names(table: Table) -> Mapping[str, str]:
    for tag in table:
        if not _TAG.fullmatch(tag):
            raise table.refusal(tag, 'a language tag such as "en" or "pt-BR"', f"key {tag!r}")
    table.text("en")
    return {tag: table.text(tag) for tag in table}


def _address(table: Table, default: str) -> str:
    address = table.text("address", default)
    if not _ADDRESS.fullmatch(address):
        raise table.refusal("address", "one bare address, name@domain")
    return address


def _targets(table: Table) -> Mapping[Priority, TargetPolicy]:
    for key in table:
        if key not in set(Priority):
            raise table.refusal(key, f"a priority: {_PRIORITIES}", f"key {key!r}")
    if Priority.NORMAL not in table.content:
        raise table.refusal(Priority.NORMAL, 'at least normal = { first_response = "4h", resolution = "16h" }')
    return {Priority(key): _policy(table.table(key)) for key in table}


def _policy(table: Table) -> TargetPolicy:
    first_response, resolution = _duration(table, "first_response"), _duration(table, "resolution")
    table.finish()
    try:
        return TargetPolicy(first_response, resolution)
    except ValueError as error:  # no mail is in flight while rules are read
        raise table.refusal("first_response", "more than 0, at most the resolution") from error


def _duration(table: Table, key: str) -> timedelta:
    match = _DURATION.fullmatch(table.text(key))
    if match is None:
        raise table.refusal(key, 'working time in hours or minutes: "4h", "90m"')
    amount = int(match[1])
    return timedelta(hours=amount) if match[2] == "h" else timedelta(minutes=amount)


def _calendar(key: str, table: Table) -> CalendarTable:
    closed = table.table("closed")
    calendar = CalendarTable(
        key=key,
        zone=table.text("zone"),
        hours=_hours(table.table("hours")),
        country=table.text("country", ""),
        region=table.text("region", ""),
        closed={_day(closed, day, day): closed.text(day) for day in closed},
        open_days=tuple(_day(table, "open_days", day) for day in table.texts("open_days")),
    )
    table.finish()
    return calendar


def _hours(table: Table) -> Mapping[str, tuple[str, ...]]:
    hours: dict[str, tuple[str, ...]] = {}
    for key in table:
        spans = _spans(table, key)
        for weekday in _weekdays(table, key):
            if weekday in hours:
                raise table.refusal(key, "each weekday once", f"{weekday} twice")
            hours[weekday] = spans
    if not any(hours.values()):
        raise table.refusal("", 'at least one working day such as mon-fri = ["09:00-17:00"]')
    return hours


def _weekdays(table: Table, key: str) -> Iterator[str]:
    """Yield "sun", "mon", ... for "sun-thu": a week begins where people begin it."""
    first, dash, last = key.partition("-")
    last = last if dash else first
    if first not in _WEEKDAYS or last not in _WEEKDAYS:
        raise table.refusal(key, 'weekdays such as "mon", "mon-fri" or "sun-thu"', f"key {key!r}")
    start = _WEEKDAYS.index(first)
    length = (_WEEKDAYS.index(last) - start) % 7 + 1
    return (_WEEKDAYS[(start + step) % 7] for step in range(length))


def _spans(table: Table, key: str) -> tuple[str, ...]:
    spans = table.texts(key)
    edges = [edge for span in spans for edge in span.split("-")]
    if not all(map(_SPAN.fullmatch, spans)) or any(later <= earlier for earlier, later in pairwise(edges)):
        raise table.refusal(key, 'ascending spans such as ["09:00-12:30", "13:00-17:00"]')
    return spans


def _day(table: Table, key: str, day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:  # no mail is in flight while rules are read
        raise table.refusal(key, 'a date such as "2026-12-24"', repr(day)) from error


def _rules(root: Table, departments: list[str]) -> Iterator[Rule]:
    names: set[str] = set()
    total = 0
    for table in root.tables("rules"):
        rule = _rule(table, departments)
        if rule.name in names:
            raise table.refusal("name", "a name no other rule has")
        names.add(rule.name)
        total += len(rule.any) + len(rule.all) + len(rule.none)
        if total > KEYWORDS:
            raise table.refusal("", f"at most {KEYWORDS} keywords in all rules", f"{total} keywords")
        yield rule


def _rule(table: Table, departments: list[str]) -> Rule:
    name = table.text("name")
    table.place = f'rule "{name}"'
    department = table.text("department")
    if department not in (EVERY, *departments):
        raise table.refusal("department", _one_of("the department", [*departments, EVERY]))
    try:
        rule = Rule(
            name=name,
            department=department,
            category=table.text("category", "") or None,
            priority=_priority(table),
            weight=_weight(table),
            any=_keywords(table, "any"),
            all=_keywords(table, "all"),
            none=_keywords(table, "none"),
            where=_where(table),
            conditions=tuple(_conditions(table)),
            enabled=table.switch("enabled", default=True),
        )
    except RoutingError:  # it says already where it comes from
        raise
    except ValueError as error:  # no mail is in flight while rules are read
        raise table.refusal("any", str(error)) from error
    table.finish()
    return rule


def _weight(table: Table) -> float:
    weight = table.number("weight", 1.0)
    if not 0 <= weight <= HEAVIEST:
        raise table.refusal("weight", f"a number from 0 to {HEAVIEST}")
    return weight


def _priority(table: Table) -> Priority | None:
    written = table.text("priority", "")
    if written and written not in set(Priority):
        raise table.refusal("priority", _PRIORITIES)
    return Priority(written) if written else None


def _where(table: Table) -> tuple[Where, ...]:
    written = table.texts("where") or TEXT
    if not set(written) <= set(TEXT):
        raise table.refusal("where", "subject, body or both")
    return tuple(part for part in TEXT if part in written)


def _keywords(table: Table, key: str) -> tuple[str, ...]:
    keywords = table.texts(key)
    for written in keywords:
        core = keyword(written).core
        if not core or "*" in core or len(written) > KEYWORD_LENGTH:
            raise table.refusal(
                key, f"words of 1 to {KEYWORD_LENGTH} characters, a star only at the ends", repr(written)
            )
    return keywords


def _conditions(table: Table) -> Iterator[Condition]:
    for where in (Where.SENDER, Where.MAILBOX):
        if where in table.content:
            yield _condition(table.table(where), where, header="")
    headers = table.table(Where.HEADER)
    for name in headers:
        if not _HEADER.fullmatch(name):
            raise headers.refusal(name, "a header field name", f"key {name!r}")
        yield _condition(headers.table(name), Where.HEADER, header=name.lower())


def _condition(table: Table, where: Where, *, header: str) -> Condition:
    groups = {group: _patterns(table, group, where) for group in ("any", "all", "none")}
    table.finish()
    if not any(groups.values()):
        raise table.refusal("any", "at least one pattern in any, all or none")
    return Condition(where, header, **groups)


def _patterns(table: Table, key: str, where: Where) -> tuple[str, ...]:
    patterns = table.texts(key)
    for written in patterns:
        core = written if where is Where.HEADER else written.removeprefix("*")
        if not normal(core) or "*" in core or len(written) > KEYWORD_LENGTH:
            raise table.refusal(
                key, f'1 to {KEYWORD_LENGTH} characters, a star only before an address: "*@corp.example"', repr(written)
            )
    return patterns


def _one_of(what: str, keys: list[str]) -> str:
    return f"{what} {', '.join(keys) or '(none is defined)'}"
