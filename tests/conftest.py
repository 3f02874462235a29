"""Servers that several test packages share, and the databases that tests run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import schema
from store.database import Database
from tests.servers import postgres as postgresql
from tests.servers.dovecot import Dovecot, why_not
from tests.servers.exchange import Exchange
from tests.servers.postgres import Postgres


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real Dovecot for the whole run; tests keep apart by user name."""
    if reason := why_not():
        pytest.skip(reason)
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the whole run; each test has a database of its own."""
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def prepared_postgres(postgres: Postgres) -> str:
    """The URL of a PostgreSQL database with our schema, to be copied: nobody may be connected to it meanwhile."""
    url = postgres.create()
    database = Database(url)
    schema.prepare(database)
    database.close()
    return url


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.server)]
"""The kinds of database a test runs on."""


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'deskbell.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def shape_of_new(postgres: Postgres, prepared_postgres: str) -> list[tuple[object, ...]]:
    """What a PostgreSQL database with our schema consists of."""
    return postgres.shape(prepared_postgres)


@pytest.fixture(scope="session")
def given_back() -> list[str]:
    """PostgreSQL databases as good as new: to empty one takes a third of the time that making one takes."""
    return []


@pytest.fixture
def postgres_url(
    postgres: Postgres, prepared_postgres: str, given_back: list[str], shape_of_new: list[tuple[object, ...]]
) -> Iterator[str]:
    """The URL of a PostgreSQL database with our schema, in which nothing was ever written or all of it is gone."""
    url = given_back.pop() if given_back else postgres.create(prepared_postgres)
    yield url
    if postgres.emptied(url, shape_of_new):
        given_back.append(url)
    else:
        postgres.drop(url)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database with our schema, for what several do at once."""
    database = Database(postgres_url)
    yield database
    database.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file with our schema."""
    database = Database(f"sqlite:///{tmp_path / 'deskbell.db'}")
    schema.prepare(database)
    yield database
    database.close()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Database:
    """A database with our schema, on SQLite and on PostgreSQL."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(scope="session")
def exchange_for_all() -> Iterator[Exchange]:
    """A scripted Exchange for the whole run, without script; tests keep apart by user name."""
    with Exchange() as server:
        yield server


@pytest.fixture(params=["dovecot", "exchange_for_all"], ids=["dovecot", "exchange"])
def server(request: pytest.FixtureRequest) -> Dovecot | Exchange:
    """One after the other: each test runs against both."""
    return request.getfixturevalue(request.param)
