"""Signs of life of the daemons' loops: when each was last seen at work, and when it last succeeded.

Rows of meta, so that whoever can read the database can tell a dead daemon from a quiet one, on whichever machine it
runs. Written about once a minute for each loop. A daemon's own loops are told of by the number of its start, so that
none speaks for another; a folder is told of by its name alone, because one daemon at a time watches it.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from store import meta as memory
from store.tables import meta

_PREFIX = "pulse:"


@dataclass(frozen=True, slots=True)
class Origin:
    """One start of a daemon, and the machine it runs on."""

    start: int
    host: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """One loop as it was at `at`; moments are aware."""

    name: str
    at: datetime
    well_at: datetime | None
    """When it last did its work without trouble; None where it never did since its name is known."""
    trouble: str | None
    """What went wrong since; None where nothing did."""
    origin: Origin | None = None
    """Whose loop it is; None for a folder, whoever watches it."""


def write(connection: Connection, pulse: Pulse) -> None:
    """Remember the sign of life; a trouble keeps the moment of the last success that is known."""
    key = _key(pulse)
    well_at = pulse.well_at or _well_at(memory.read(connection, key))
    told = {"at": pulse.at.isoformat(), "well_at": well_at and well_at.isoformat(), "trouble": pulse.trouble}
    host = {"host": pulse.origin.host} if pulse.origin else {}
    memory.write(connection, key, json.dumps(told | host))


def every(connection: Connection) -> list[Pulse]:
    """The latest sign of life of each loop."""
    found = (_pulse(key, value) for key, value in _rows(connection))
    return [pulse for pulse in found if pulse is not None]


def forget(connection: Connection, *, but: Collection[int]) -> None:
    """No loop of a daemon is remembered but those of these starts; folders are."""
    stale = [key for key, value in _rows(connection) if _is_stale(_pulse(key, value), but)]
    connection.execute(delete(meta).where(meta.c.key.in_(stale)))


def _rows(connection: Connection) -> list[tuple[str, str]]:
    rows = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_PREFIX, autoescape=True)).order_by(meta.c.key)
    return [(key, value) for key, value in connection.execute(rows)]


def _is_stale(pulse: Pulse | None, living: Collection[int]) -> bool:
    return pulse is None or (pulse.origin is not None and pulse.origin.start not in living)


def _key(pulse: Pulse) -> str:
    return f"{_PREFIX}{pulse.origin.start if pulse.origin else ''}:{pulse.name}"


def _pulse(key: str, value: str) -> Pulse | None:
    """None for a row of a version that knew no starts."""
    start, colon, name = key.removeprefix(_PREFIX).partition(":")
    if not colon or (start and not start.isdecimal()):
        return None
    told = json.loads(value)
    origin = Origin(int(start), told["host"]) if start else None
    return Pulse(name, datetime.fromisoformat(told["at"]), _well_at(value), told["trouble"], origin)


def _well_at(value: str | None) -> datetime | None:
    told = json.loads(value)["well_at"] if value is not None else None
    return datetime.fromisoformat(told) if told is not None else None
