"""Migrations are run here, all or nothing.

Only who makes or upgrades a schema imports this: Alembic takes time to load and stays in memory.
"""

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError

from desk.errors import RefusedError
from store import revisions, turns
from store.database import Database, TransactionLost
from store.indexes import metadata


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
            migrate(database)
    except (SQLAlchemyError, CommandError, TransactionLost) as error:  # one transaction: all of it was undone
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        raise UpgradeFailed(f"the database could not be upgraded and is as it was: {words}") from error
    finally:
        database.close()


def migrate(database: Database) -> None:
    """Every migration that the database does not have yet was run, or none."""
    scripts = script_directory()

    def up(revision: object, _context: object) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001  the API has no public name

    environment = EnvironmentContext(Config(), scripts, fn=up)
    with database.write() as connection:
        environment.configure(
            connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True
        )
        environment.run_migrations()
        _check_references(connection)


def script_directory() -> ScriptDirectory:
    """The migrations as Alembic reads them."""
    config = Config()
    config.set_main_option("script_location", str(revisions.FOLDER).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def _check_references(connection: Connection) -> None:
    """Raise UpgradeFailed where a row refers to one that is not there."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            words = f"a row of {broken[0]} refers to one of {broken[2]} that is not there"
            raise UpgradeFailed(f"the database could not be upgraded and is as it was: {words}")
