"""A database in memory with our schema."""

import pytest

from store import schema
from store.database import Database


@pytest.fixture
def prepared():
    """An empty database that has our schema."""
    database = Database("sqlite://")
    schema.prepare(database)
    yield database
    database.close()
