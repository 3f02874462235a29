"""Departments, calendars and rules in the store: which version holds, and how another one takes its place.

1. A database without a version gets one at the start: routing.toml beside config.toml, else the starter set.
2. As long as nobody imported, a routing.toml that says something else is loaded as the next version at the start.
3. From the first import (or restored version) on the store holds, and routing.toml is not read any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from desk.difference import Change
from desk.errors import RefusedError
from desk.person import Person
from routing.difference import routing_differences
from routing.rules import Routing
from service.house import House, Surroundings, build_calendars, build_house
from service.installation import exists, reading
from service.people import people_of
from service.settings import Row, Settings
from service.written import ROUTING_FILE, STARTER_SET, Written, read_written, routing_file
from store import people, requests
from store import routing as versions
from store.database import Database
from store.routing import Authorship, Origin, Stored

_HOLD_AGAINST_THE_FILE = (Origin.IMPORT, Origin.RESTORE)


class NoSuchVersion(RefusedError):
    """The store has no version of that number."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The text that holds at a start: the newest version (base, 0 for none), or one to be stored after it."""

    written: Written
    base: int
    new_from: Origin | None = None
    unread_file: bool = False
    """There is a routing.toml, and it is not read because the store holds."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that was read and found good, beside the version it would follow; changed: it is not the same text."""

    text: str
    base: int
    changed: bool
    changes: tuple[Change, ...]
    orphans: Mapping[str, int]
    """Departments that it no longer has, with the number of their requests."""
    heir: str
    """The department that answers those from then on."""


def standing(settings: Settings, newest: Stored | None) -> Standing:
    """What holds at a start with these settings. Raises RoutingError for a routing.toml in another encoding."""
    if newest is None:
        file = routing_file(settings)
        return Standing(file, 0, Origin.FILE) if file else Standing(STARTER_SET, 0, Origin.STARTER)
    held = stored(newest)
    if newest.version.authorship.origin in _HOLD_AGAINST_THE_FILE:
        return replace(held, unread_file=(settings.path.parent / ROUTING_FILE).exists())
    file = routing_file(settings)
    if file is None or file.text == newest.content:
        return held
    return Standing(file, held.base, Origin.FILE)


def stored(newest: Stored) -> Standing:
    """That version, whatever stands in routing.toml."""
    number = newest.version.number
    return Standing(Written(newest.content, source_of(number)), number)


def source_of(number: int) -> str:
    """What a version is called where something in it is refused."""
    return f"routing version {number}"


def stored_house(settings: Settings, surroundings: Surroundings) -> House:
    """The house of a start with these settings, for a command that only reads, whether or not there is a database yet.

    Raises UserError.
    """
    held, known = _stored(settings)
    return replace(build_house(settings, surroundings, held.written), people=people_of(known))


def stored_routing(settings: Settings) -> Routing:
    """The routing of that house. Raises UserError."""
    return read_written(_stored(settings)[0].written, settings)


def described(settings: Settings) -> Row:
    """Where it comes from, beside the settings."""
    held, _ = _stored(settings)
    origins = {Origin.FILE: "file", Origin.STARTER: "default"}
    return Row("(routing)", held.written.source, origins.get(held.new_from, "store") if held.new_from else "store")


def _stored(settings: Settings) -> tuple[Standing, list[Person]]:
    if not exists(settings):
        return standing(settings, None), []
    with reading(settings) as database, database.read() as connection:
        return standing(settings, versions.newest(connection)), people.everybody(connection)


def adopt(connection: Connection, held: Standing, *, now: datetime) -> int:
    """What holds is in the store; its number. Raises VersionMoved."""
    if held.new_from is None:
        return held.base
    reasons = {Origin.FILE: f"{ROUTING_FILE} was loaded at a start", Origin.STARTER: "the set to begin with"}
    by = Authorship("deskbell", held.new_from, reasons[held.new_from])
    return versions.add(connection, held.written.text, by, base=held.base, now=now)


def propose(database: Database, written: Written, settings: Settings, surroundings: Surroundings) -> Proposal:
    """What it would change. Raises RoutingError or CalendarError where it cannot be used with these settings."""
    after = read_written(written, settings)
    build_calendars(after, surroundings, written.source)
    with database.read() as connection:
        newest = versions.newest(connection)
        counts = requests.count_by_department(connection)
    held = standing(settings, None).written if newest is None else Written(newest.content, "")
    # Without the settings: what holds was good when it was stored, and is only compared here.
    before = read_written(held, settings.model_copy(update={"mailbox": ()}))
    kept = {department.key for department in after.departments}
    return Proposal(
        text=written.text,
        base=newest.version.number if newest else 0,
        changed=newest is None or newest.content != written.text,
        changes=routing_differences(before, after),
        orphans={key: count for key, count in counts.items() if key not in kept},
        heir=after.rules.default_department,
    )


def submit(database: Database, proposal: Proposal, by: Authorship, *, now: datetime) -> int:
    """The proposal is the newest version; its number. Raises VersionMoved where its base is no longer the newest."""
    with database.write() as connection:
        return versions.add(connection, proposal.text, by, base=proposal.base, now=now)


def stored_text(database: Database, number: int | None) -> Written:
    """The text of a version, without number the newest. Raises NoSuchVersion."""
    with database.read() as connection:
        newest = versions.newest_number(connection)
        found = versions.find(connection, newest if number is None else number)
    if found is None and newest == 0:
        raise NoSuchVersion("the store has no version yet: `deskbell run` stores the first one")
    if found is None:
        raise NoSuchVersion(f"there is no version {number}: they are numbered 1 to {newest}")
    return Written(found.content, source_of(found.version.number))
