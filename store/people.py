"""People as the store keeps them, and a number that changes whenever they do."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from desk.errors import RefusedError
from desk.person import Person
from store import meta
from store.tables import person

_VERSION = "people_version"


class PeopleMoved(RefusedError):
    """Somebody else changed the people in the meantime; nothing was changed."""


def version(connection: Connection) -> int:
    """One more after each change; 0 before the first."""
    return int(meta.read(connection, _VERSION) or 0)


def everybody(connection: Connection) -> list[Person]:
    """All people by their main address."""
    columns = (person.c.address, person.c.aliases, person.c.language, person.c.zone, person.c.country, person.c.manager)
    rows = connection.execute(select(*columns).order_by(person.c.address))
    return [Person(row.address, tuple(row.aliases), *row[2:]) for row in rows]


def change(connection: Connection, *, put: Sequence[Person], drop: Collection[str], base: int) -> None:
    """The people of put are as given there, those of the dropped main addresses are gone.

    Raises PeopleMoved unless base is the current version.
    """
    # Counted first: whoever counts holds the row until the end, also on a database with many writers.
    if meta.count_up(connection, _VERSION, start=1) != base + 1:
        raise PeopleMoved("the people were changed in the meantime: nothing was imported; try again")
    gone = [*drop, *(one.address for one in put)]
    if gone:
        connection.execute(delete(person).where(person.c.address == bindparam("gone")), [{"gone": one} for one in gone])
    if put:
        connection.execute(insert(person), [_row(one) for one in put])


def _row(one: Person) -> dict[str, Any]:
    return {
        "address": one.address,
        "aliases": list(one.aliases),
        "language": one.language,
        "zone": one.zone,
        "country": one.country,
        "manager": one.manager,
    }
