"""Servers that several test packages share."""

from collections.abc import Iterator

import pytest

from tests.servers.dovecot import Dovecot, why_not


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
