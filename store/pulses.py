"""Signs of life of the daemon's loops: when each was last seen at work, and when it last succeeded.

Rows of meta, so that whoever can read the database can tell a dead daemon from a quiet one, on whichever machine it
runs. Written about once a minute for each loop.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from store import meta as memory
from store.tables import meta

_PREFIX = "pulse:"


@dataclass(frozen=True, slots=True)
class Pulse:
    """One loop as it was at `at`; moments are aware."""

    name: str
    at: datetime
    well_at: datetime | None
    """When it last did its work without trouble; None where it never did since its name is known."""
    trouble: str | None
    """What went wrong since; None where nothing did."""


def write(connection: Connection, pulse: Pulse) -> None:
    """Remember the sign of life; a trouble keeps the moment of the last success that is known."""
    well_at = pulse.well_at or _well_at(memory.read(connection, _PREFIX + pulse.name))
    told = {"at": pulse.at.isoformat(), "well_at": well_at and well_at.isoformat(), "trouble": pulse.trouble}
    memory.write(connection, _PREFIX + pulse.name, json.dumps(told))


def every(connection: Connection) -> Mapping[str, Pulse]:
    """The latest sign of life of each loop, by its name."""
    rows = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_PREFIX, autoescape=True))
    pulses = (_pulse(key.removeprefix(_PREFIX), value) for key, value in connection.execute(rows).all())
    return {pulse.name: pulse for pulse in pulses}


def _pulse(name: str, value: str) -> Pulse:
    told = json.loads(value)
    return Pulse(name, datetime.fromisoformat(told["at"]), _well_at(value), told["trouble"])


def _well_at(value: str | None) -> datetime | None:
    told = json.loads(value)["well_at"] if value is not None else None
    return datetime.fromisoformat(told) if told is not None else None
