"""A database of its own for each test, with our schema in it."""

import pytest
from sqlalchemy import MetaData

from store import schema
from store.database import Database


@pytest.fixture
def empty(request, tmp_path):
    """A database without a table: a SQLite file, or what --database names."""
    database = Database(request.config.getoption("--database") or f"sqlite:///{tmp_path / 'deskbell.db'}")
    with database.write() as connection:
        found = MetaData()
        found.reflect(connection)
        found.drop_all(connection)
    yield database
    database.close()


@pytest.fixture
def database(empty):
    """A database with our schema."""
    schema.prepare(empty)
    return empty


@pytest.fixture
def sqlite(tmp_path):
    """A SQLite file with our schema, whatever --database says."""
    database = Database(f"sqlite:///{tmp_path / 'sqlite.db'}")
    schema.prepare(database)
    yield database
    database.close()
