"""Servers that several test packages share."""

from collections.abc import Iterator

import pytest

from tests.servers.dovecot import Dovecot, why_not
from tests.servers.exchange import Exchange


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database URL`: the tests of store/ run on that database, whose tables are dropped before each of them."""
    parser.addoption("--database", metavar="URL", help="database for the tests of store/, by default SQLite")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real Dovecot for the whole run; tests keep apart by user name."""
    if reason := why_not():
        pytest.skip(reason)
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def exchange_for_all() -> Iterator[Exchange]:
    """A scripted Exchange for the whole run, without script; tests keep apart by user name."""
    with Exchange() as server:
        yield server


@pytest.fixture(params=["dovecot", "exchange_for_all"], ids=["dovecot", "exchange"])
def server(request: pytest.FixtureRequest) -> Dovecot | Exchange:
    """One after the other: each test runs against both."""
    return request.getfixturevalue(request.param)
