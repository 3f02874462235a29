"""What doctor says of the house: key, database, daemon, departments, calendars, templates, header writer."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DatabaseError

from delivery import compose
from desk.calendar import Calendar
from desk.targets import working_day
from service import health
from service.calendars import system_zone_name
from service.finding import Finding, bad, ok, skipped, warn
from service.house import IN_A_CIRCLE, UNSIGNED, House, Surroundings
from service.installation import database_path, fitting_keys, is_missing, known_keys, reading
from service.keys import read_keys
from service.oauth_expiry import accounts, expiry_warnings
from service.routing import stored_house
from service.settings import Settings
from store import pulses
from store.condition import Condition, condition
from store.database import Database
from store.schema import DatabaseUnusable, SchemaMismatch
from templates import render

T = TypeVar("T")
AHEAD = timedelta(days=30)
_MANY = 0.25
_MANY_PAGES = 25_000
"""Of 4 KiB: 100 MB."""
_NOT_YET = "deskbell run makes it at its first start"


def key(settings: Settings) -> Iterator[Finding]:
    """The key is there, is ours alone, and belongs to the database. Raises KeyTrouble."""
    path = settings.keys.file
    if not path.exists() and is_missing(settings):
        yield skipped("key", f"{path}: there is none yet", _NOT_YET)
        return
    keyring = read_keys(path)
    told = ", ".join(f"{one.name} since {one.since:%Y-%m-%d}" if one.since else one.name for one in keyring.keys)
    if _of_database(settings, _has_keys) is not True:
        yield ok("key", f"{path} is readable for its owner alone; no database to compare it with (keys: {told})")
        return
    _of_database(settings, lambda found: fitting_keys(found, path))
    yield ok("key", f"{path} is readable for its owner alone and fits the database (keys: {told})")


def _has_keys(database: Database) -> bool:
    with database.read() as connection:
        return bool(known_keys(connection))


def _of_database(settings: Settings, ask: Callable[[Database], T | None]) -> T | None:
    """What a database that is ours answers; None where there is none, or where its own check says what is wrong."""
    if is_missing(settings):
        return None
    try:
        with reading(settings) as found:
            return ask(found)
    except (
        SchemaMismatch,
        DatabaseUnusable,
        DatabaseError,
    ):  # what was stored is there; its own check tells
        return None


def secrets(settings: Settings) -> Iterator[Finding]:
    """Whether a client secret ends soon; nothing where no account has one with a known end."""
    warnings = expiry_warnings(settings, today=datetime.now(UTC).date())
    for one in warnings:
        yield warn("secrets", one.meaning, one.advice)
    if not warnings and any(oauth.secret_expires for _, oauth in accounts(settings)):
        yield ok("secrets", "no client secret ends within 30 days")


def database(settings: Settings) -> Iterator[Finding]:
    """It opens, its schema is ours, nothing in it is broken. Raises SchemaMismatch."""
    if is_missing(settings):
        yield skipped("database", f"{database_path(settings)}: there is none yet", _NOT_YET)
        return
    try:
        with reading(settings) as found, found.read() as connection:
            yield from _told(condition(connection), found.name)
    except DatabaseUnusable as error:  # the mail that was stored is on the server
        yield bad("database", str(error), "is the server up, and database.url right?")
    except DatabaseError as error:  # the mail that was stored is in the damaged file, and in its backups
        words = f"{Database(settings.database.url).name} cannot be read: {error.orig}"
        yield bad("database", words, "stop deskbell and restore a backup")


def _told(one: Condition, path: str) -> Iterator[Finding]:
    if one.damage is not None:
        yield bad("database", f"{path} is damaged: {one.damage}", "stop deskbell and restore a backup")
    if not one.survives_power_cut:
        yield warn("database", f"{path} is not in WAL mode", "is it on a network share? it belongs on a local disk")
    if one.free_pages > _MANY_PAGES and one.free_pages > one.pages * _MANY:
        share = round(100 * one.free_pages / one.pages)
        yield warn("database", f"{share} % of the file is free", "stop deskbell, then: sqlite3 FILE vacuum")
    if one.damage is None:
        yield ok("database", f"{path} opens, has our schema, and a quick check finds nothing broken ({one.kind})")


def daemon(settings: Settings) -> Iterator[Finding]:
    """Whether one runs; neither is a fault."""
    seen = _of_database(settings, _last_sign)
    past = None if seen is None else datetime.now(UTC) - seen
    if past is None:
        yield ok("daemon", "has not run yet, as far as the database tells")
    elif past > health.SILENT:
        yield ok("daemon", f"does not run; last seen {health.ago(past)} ago")
    else:
        yield ok("daemon", f"runs; seen {health.ago(past)} ago. deskbell health tells more")


def _last_sign(database: Database) -> datetime | None:
    with database.read() as connection:
        return health.last_sign(pulses.every(connection))


def routing(settings: Settings) -> Iterator[Finding]:
    """Departments have somewhere to read that is no mailbox of ours. Raises RoutingError, CalendarError."""
    house = _house(settings)
    circles = house.circles()
    for one in circles:
        words = f"department {one.key} reads at {one.address}, {IN_A_CIRCLE}"
        yield bad("routing", words, "give it another address: deskbell routing export, edit, import")
    if not circles:
        told = ", ".join(f"{one.key} at {one.address}" for one in house.departments.values())
        yield ok("routing", f"departments: {told}")


def calendars(settings: Settings) -> Iterator[Finding]:
    """Each has working hours ahead, and knows the holidays of this year and the next."""
    today = datetime.now(UTC).date()
    for calendar in _house(settings).calendars.values():
        yield from calendar_ahead(calendar, today)


def calendar_ahead(calendar: Calendar, today: date) -> Iterable[Finding]:
    """What the calendar promises from that day on."""
    name = f"calendar {calendar.key}"
    days = [day for day in _days(today, AHEAD.days) if working_day(calendar, day)]
    if not days:
        yield bad(
            name,
            f"has no working hours in the next {AHEAD.days} days",
            "correct hours and closed: deskbell routing export, edit, import",
        )
        return
    without = [str(year) for year in (today.year, today.year + 1) if not _knows_holidays(calendar, year)]
    if without:
        words = f"knows no holiday in {' and '.join(without)}: promises will fall on them"
        yield warn(name, words, "set country (and region), or closed: deskbell routing export, edit, import")
    else:
        yield ok(name, f"{len(days)} working days in the next {AHEAD.days}, zone {calendar.zone.key}")


def _knows_holidays(calendar: Calendar, year: int) -> bool:
    return any(calendar.closed_day(day) for day in _days(date(year, 1, 1), 365))


def _days(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(count))


def templates() -> Iterator[Finding]:
    """Each renders in each language, strictly."""
    try:
        render.check()
    except render.FaultyTemplate as error:  # no mail is in hand
        yield bad("templates", str(error), "install deskbell anew: its files were changed")
    else:
        yield ok("templates", f"every one renders in {', '.join(render.LANGUAGES)}")


def header_writer() -> Iterator[Finding]:
    """A hostile subject, name or identifier stays inside its header field."""
    try:
        compose.self_test()
    except RuntimeError as error:  # no mail is in hand; run refuses to start as well
        yield bad("header writer", str(error), "use another build of Python")
    else:
        yield ok("header writer", "hostile subjects, names and identifiers stay inside their field")


def _house(settings: Settings) -> House:
    zone = system_zone_name(os.environ, Path("/etc/localtime"))
    return stored_house(settings, Surroundings(UNSIGNED, zone))
