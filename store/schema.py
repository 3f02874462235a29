"""The schema of a database: made by migrations, all or nothing, and checked before anything else is done with it."""

from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError, SQLAlchemyError

from desk.errors import RefusedError, UserError
from store import turns
from store.database import Database, TransactionLost
from store.tables import metadata

_MIGRATIONS = Path(__file__).with_name("migrations")


class SchemaMismatch(UserError):
    """The database was made by another version of deskbell, or by something else."""


class DatabaseUnusable(RefusedError):
    """The database cannot be reached, or refuses us."""


def prepare(database: Database) -> None:
    """Create the schema in an empty database; raise SchemaMismatch where there is another one than ours.

    Raises DatabaseUnusable too. Where several daemons share the database the caller has the turn (turns.starting).
    """
    scripts = _scripts()
    head = scripts.get_current_head()
    current = _current(database)
    if current == head:
        return
    if current is not None:
        raise SchemaMismatch(_words(scripts, current, head))
    if _has_tables(database):
        raise SchemaMismatch("the database holds tables that deskbell did not make: give it a database of its own")
    try:
        _migrate(database, scripts)
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
    scripts = _scripts()
    current = _current(database)
    if current is None:
        raise SchemaMismatch("the database is empty: `deskbell run` creates it at its first start")
    if current != scripts.get_current_head():
        raise SchemaMismatch(_words(scripts, current, scripts.get_current_head()))


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
    scripts = _scripts()
    current, head = _current(database), scripts.get_current_head()
    assert head is not None
    if current is None or not _knows(scripts, current):
        require(database)
    assert current is not None
    return Versions(current, head)


class UpgradeFailed(RefusedError):
    """A migration failed; the database is as it was."""


def upgrade(url: str) -> None:
    """The database has our schema, or is as it was. Raises UpgradeFailed, SchemaMismatch."""
    database = Database(url)
    try:
        if database.engine.dialect.name == "sqlite":
            # A migration may make a table anew: with foreign keys on, dropping the old one takes rows with it. The
            # switch does nothing inside a transaction, so that it is made before any begins.
            event.listen(database.engine, "connect", lambda driver, _: driver.execute("PRAGMA foreign_keys=OFF"))
        with turns.starting(database):
            _migrate(database, _scripts())
    except (SQLAlchemyError, CommandError, TransactionLost) as error:  # one transaction: all of it was undone
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        raise UpgradeFailed(f"the database could not be upgraded and is as it was: {words}") from error
    finally:
        database.close()


def _check_references(connection: Connection) -> None:
    """Raise UpgradeFailed where a row refers to one that is not there."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            words = f"a row of {broken[0]} refers to one of {broken[2]} that is not there"
            raise UpgradeFailed(f"the database could not be upgraded and is as it was: {words}")


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def _current(database: Database) -> str | None:
    try:
        with database.read() as connection:
            _check_encoding(connection)
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:  # no mail is in hand: nothing runs on it
        if database.is_shared:
            raise DatabaseUnusable(f"{database.name}: {_first_line(error)}") from None
        if isinstance(error, OperationalError):  # a full disk, a lock: nothing was begun
            raise RefusedError(f"{database.name}: cannot be used now: {error.orig}") from error
        raise SchemaMismatch(f"{database.name}: is no usable database: {error.orig}") from error


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


def _words(scripts: ScriptDirectory, current: str, head: str | None) -> str:
    if not _knows(scripts, current):
        return f"the database has schema {current}, newer than this program's {head}: use the newer deskbell"
    return f"the database has schema {current}, this program needs {head}: run `deskbell upgrade`"


def _knows(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        scripts.get_revision(revision)
    except CommandError:  # alembic's answer for a revision that it does not know
        return False
    return True


def _migrate(database: Database, scripts: ScriptDirectory) -> None:
    def up(revision: object, _context: object) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001  the API has no public name

    environment = EnvironmentContext(Config(), scripts, fn=up)
    with database.write() as connection:
        environment.configure(
            connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True
        )
        environment.run_migrations()
        _check_references(connection)
