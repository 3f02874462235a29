"""The schema of a database: made by migrations, all or nothing, and checked before anything else is done with it."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from desk.errors import RefusedError, UserError
from store import revisions
from store.database import Database


class SchemaMismatch(UserError):
    """The database was made by another version of deskbell, or by something else."""


class DatabaseUnusable(RefusedError):
    """The database cannot be reached, or refuses us."""


def prepare(database: Database) -> None:
    """Create the schema in an empty database; raise SchemaMismatch where there is another one than ours.

    Raises DatabaseUnusable too. Where several daemons share the database the caller has the turn (turns.starting).
    """
    current = _current(database)
    if current is not None:
        _check(current)
        return
    if _has_tables(database):
        raise SchemaMismatch("the database holds tables that deskbell did not make: give it a database of its own")
    from store.migrating import migrate  # noqa: PLC0415 - Alembic, which a later start does not need

    try:
        migrate(database)
    except ProgrammingError as error:  # rolled back: the database is as empty as it was
        raise DatabaseUnusable(f"{database.name}: the tables cannot be made: {_first_line(error)}") from error


def reach(database: Database) -> None:
    """The database answers, and is one that could be ours. Raises DatabaseUnusable, SchemaMismatch."""
    _current(database)


def is_empty(database: Database) -> bool:
    """Whether nothing was ever made in it. Raises DatabaseUnusable, SchemaMismatch."""
    return _current(database) is None and not _has_tables(database)


def require(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is ours; nothing is created."""
    current = _current(database)
    if current is None:
        raise SchemaMismatch("the database is empty: `deskbell run` creates it at its first start")
    _check(current)


@dataclass(frozen=True, slots=True)
class Versions:
    """The revision a database has, and the one this program needs: the same, or a later one."""

    found: str
    needed: str

    @property
    def is_outdated(self) -> bool:
        """Whether `upgrade` has something to do."""
        return self.found != self.needed


def versions(database: Database) -> Versions:
    """What the database has and what it needs. Raises SchemaMismatch where it is empty, newer or not ours."""
    current = _current(database)
    if current not in revisions.known():
        require(database)
    assert current is not None
    return Versions(current, revisions.head())


def _current(database: Database) -> str | None:
    try:
        with database.read() as connection:
            _check_encoding(connection)
            return _revision(connection)
    except DatabaseError as error:  # no mail is in hand: nothing runs on it
        if database.is_shared:
            raise DatabaseUnusable(f"{database.name}: {_first_line(error)}") from None
        if isinstance(error, OperationalError):  # a full disk, a lock: nothing was begun
            raise RefusedError(f"{database.name}: cannot be used now: {error.orig}") from error
        raise SchemaMismatch(f"{database.name}: is no usable database: {error.orig}") from error


def _revision(connection: Connection) -> str | None:
    """As Alembic noted it. Several are none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return ", ".join(connection.scalars(text("SELECT version_num FROM alembic_version"))) or None


def _check_encoding(connection: Connection) -> None:
    """Mail is in all scripts of the world."""
    if connection.dialect.name == "postgresql":
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding != "UTF8":
            raise SchemaMismatch(f"the database is in {encoding}; accepted: one made with ENCODING 'UTF8'")


def _first_line(error: DatabaseError) -> str:
    """The driver's words; what follows the first line repeats the attempt for each address of the host."""
    return str(error.orig).strip().partition("\n")[0]


def _has_tables(database: Database) -> bool:
    with database.read() as connection:
        return bool(inspect(connection).get_table_names())


def _check(current: str) -> None:
    head = revisions.head()
    if current not in revisions.known():
        raise SchemaMismatch(
            f"the database has schema {current}, newer than this program's {head}: use the newer deskbell"
        )
    if current != head:
        raise SchemaMismatch(f"the database has schema {current}, this program needs {head}: run `deskbell upgrade`")
