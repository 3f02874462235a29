"""What the installation remembers of itself: one text per key."""

from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, select, update

from store.database import insert_new
from store.prepared import Prepared
from store.tables import meta


def read(connection: Connection, key: str) -> str | None:
    """The value, or None where none was written."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))


def write(connection: Connection, key: str, value: str) -> None:
    """Write the value, whether or not there was one."""
    insert_new(connection, meta, [{"key": key, "value": value}])
    connection.execute(update(meta).where(meta.c.key == key).values(value=value))


_COUNTED = Prepared(
    update(meta)
    .where(meta.c.key == bindparam("counter"))
    .values(value=cast(cast(meta.c.value, BigInteger) + 1, Text))
    .returning(meta.c.value)
)


def count_up(connection: Connection, key: str, *, start: int) -> int:
    """The next number of a counter that never gives one twice; the first is start."""
    following = _COUNTED.rows(connection, {"counter": key})
    if not following:
        insert_new(connection, meta, [{"key": key, "value": str(start - 1)}])
        following = _COUNTED.rows(connection, {"counter": key})
    return int(following[0][0])
