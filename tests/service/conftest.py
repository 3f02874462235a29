"""A pipeline with its database, on SQLite and on PostgreSQL."""

import pytest

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
