"""Who is alive, and who watches which folder, where several daemons serve one database.

A lease ends by the database's clock, so that no daemon's own clock matters. Nothing depends on a lease for being
correct: whoever lost one without noticing is told apart by the number of its start (epoch), which arrivals and owed
mails carry and every write compares. On SQLite there is one daemon and no lease.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, delete, inspect, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from store.database import insert_into
from store.tables import lease
from store.turns import Turn, take


class Milliseconds(FunctionElement[int]):
    """The database's clock: milliseconds since 1970, within a transaction too."""

    type = BigInteger()
    inherit_cache = True


@compiles(Milliseconds, "sqlite")
def _of_sqlite(_element: Milliseconds, _compiler: object, **_options: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(Milliseconds, "postgresql")
def _of_postgresql(_element: Milliseconds, _compiler: object, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def living() -> Select[tuple[int]]:
    """The starts that hold a lease; for the WHERE of others' statements."""
    return select(lease.c.holder).where(lease.c.until > Milliseconds())


def starts(connection: Connection) -> frozenset[int]:
    """The starts that hold a lease; none where the database is not shared."""
    return frozenset(connection.scalars(living()))


def is_anyone_living(connection: Connection) -> bool:
    """Whether any start holds a lease; a database older than leases has none."""
    if not inspect(connection).has_table(lease.name):
        return False
    return connection.scalar(select(living().exists())) is True


def keep(connection: Connection, names: Collection[str], *, holder: int, seconds: float) -> frozenset[str]:
    """Those of the leases that the holder has from now on for so long; the others are somebody else's."""
    take(connection, Turn.LEASES)
    connection.execute(delete(lease).where(lease.c.until <= Milliseconds()))
    until = Milliseconds() + bindparam("longer", int(seconds * 1000), BigInteger)
    insert = insert_into(connection.dialect.name, lease)
    statement = insert.on_conflict_do_update(
        index_elements=[lease.c.name], set_={"until": insert.excluded.until}, where=lease.c.holder == holder
    ).returning(lease.c.name)
    kept = (connection.scalar(statement.values(name=name, holder=holder, until=until)) for name in sorted(names))
    return frozenset(name for name in kept if name is not None)


def release(connection: Connection, *, holder: int) -> None:
    """The holder has no lease any more: whoever is next need not wait for its end."""
    connection.execute(delete(lease).where(lease.c.holder == holder))
