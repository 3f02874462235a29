"""What was set aside: arrivals that could not be settled or were too large, with their bytes."""

import zlib
from collections.abc import Collection

from sqlalchemy import Connection, select, update

from desk.arrival import Fate
from store.ledger import Line, of_fates
from store.tables import arrival, raw

SET_ASIDE = (Fate.QUARANTINED, Fate.OVERSIZE)
DROPPED = "dropped"
"""The reason code of what a person looked at and found to be no request; its fate is FILED."""
_OF_AN_EARLIER_START = 0
"""No start has this epoch: such an arrival is tried alone, as one that a start may have died on."""


def every(connection: Connection) -> list[Line]:
    """What is set aside now, oldest first."""
    return of_fates(connection, SET_ASIDE)


def octets(connection: Connection, line: Line, *, most: int = 0) -> bytes:
    """The bytes that are kept of the arrival (of an oversize one its header); the first `most` of them, 0: all."""
    wanted = select(raw.c.content).join_from(arrival, raw).where(arrival.c.id == line.id)
    return zlib.decompressobj().decompress(connection.execute(wanted).scalar_one(), most)


def size(connection: Connection, line: Line) -> int:
    """How many octets are kept of the arrival."""
    wanted = select(raw.c.size).join_from(arrival, raw).where(arrival.c.id == line.id)
    octets: int = connection.execute(wanted).scalar_one()
    return octets


def retry(connection: Connection, ids: Collection[int]) -> None:
    """The arrivals are not settled and were never tried; the next look of a daemon takes each of them, alone."""
    anew = {"fate": Fate.RECEIVED.value, "reason": None, "receipt": None, "effect": None}
    chosen = update(arrival).where(arrival.c.id.in_(list(ids)))
    connection.execute(chosen.values(attempts=0, epoch=_OF_AN_EARLIER_START, **anew))


def drop(connection: Connection, arrival_id: int) -> None:
    """The arrival is kept and no longer set aside."""
    changed = {"fate": Fate.FILED.value, "reason": DROPPED}
    connection.execute(update(arrival).where(arrival.c.id == arrival_id).values(**changed))
