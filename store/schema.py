"""The schema of a database: made by migrations, all or nothing, and checked before anything else is done with it."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, ProgrammingError

from desk.errors import RefusedError, UserError
from store.database import Database
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
    _migrate(database, scripts)


def reach(database: Database) -> None:
    """The database answers, and is one that could be ours. Raises DatabaseUnusable, SchemaMismatch."""
    _current(database)


def require(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is ours; nothing is created."""
    scripts = _scripts()
    current = _current(database)
    if current is None:
        raise SchemaMismatch("the database is empty: `deskbell run` creates it at its first start")
    if current != scripts.get_current_head():
        raise SchemaMismatch(_words(scripts, current, scripts.get_current_head()))


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
    try:
        scripts.get_revision(current)
    except CommandError:  # alembic's answer for a revision that it does not know
        return f"the database has schema {current}, newer than this program's {head}: use the newer deskbell"
    return f"the database has schema {current}, this program needs {head}: run `deskbell upgrade`"


def _migrate(database: Database, scripts: ScriptDirectory) -> None:
    def up(revision: object, _context: object) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001  the API has no public name

    environment = EnvironmentContext(Config(), scripts, fn=up)
    try:
        _run(database, environment)
    except ProgrammingError as error:  # rolled back: the database is as empty as it was
        raise DatabaseUnusable(f"{database.name}: the tables cannot be made: {_first_line(error)}") from error


def _run(database: Database, environment: EnvironmentContext) -> None:
    with database.write() as connection:
        environment.configure(
            connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True
        )
        environment.run_migrations()
