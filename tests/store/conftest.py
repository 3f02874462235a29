"""Databases for the tests of store/, besides the one with our schema on both kinds (tests/conftest.py)."""

import pytest

from store.database import Database


@pytest.fixture
def empty(empty_url):
    """A database without a table."""
    database = Database(empty_url)
    yield database
    database.close()


@pytest.fixture
def sqlite(sqlite_database):
    """A SQLite file with our schema, for what only SQLite does."""
    return sqlite_database
