"""Servers that several test packages share."""

from collections.abc import Iterator

import pytest

from tests.servers.dovecot import Dovecot, why_not


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real Dovecot for the whole run; tests keep apart by user name."""
    if reason := why_not():
        pytest.skip(reason)
    with Dovecot() as server:
        yield server
