"""A pipeline with its database, on SQLite and on PostgreSQL; a database in memory with our schema."""

import pytest

from store import schema
from store.database import Database
from tests.conftest import BOTH
from tests.service.cast import works, works_on


@pytest.fixture(params=BOTH)
def desk(request):
    """A pipeline of the office."""
    if request.param == "postgres":
        yield works_on(request.getfixturevalue("postgres_database"))
        return
    with works() as desk:
        yield desk


@pytest.fixture
def prepared():
    """An empty database that has our schema."""
    database = Database("sqlite://")
    schema.prepare(database)
    yield database
    database.close()
