"""Versions of the routing are added one behind the other, and never changed."""

from datetime import UTC, datetime

import pytest

from store import routing
from store.routing import Authorship, Origin, VersionMoved

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = Authorship("anna", Origin.IMPORT, "because")


def add(database, content, base, by=BY):
    with database.write() as connection:
        return routing.add(connection, content, by, base=base, now=NOON)


def test_an_empty_store_holds_no_version(database):
    with database.read() as connection:
        assert (routing.newest_number(connection), routing.newest(connection), routing.history(connection)) == (
            0,
            None,
            [],
        )


def test_the_highest_version_holds_and_has_what_was_given_byte_for_byte(database):
    text = '# żółw ﻿\r\n\tdefault = "it"\n\n'
    assert [add(database, "first", 0), add(database, text, 1)] == [1, 2]
    with database.read() as connection:
        found = routing.newest(connection)
        assert (found.content, found.version.number, found.version.at) == (text, 2, NOON)
        assert found.version.authorship == BY
        assert routing.find(connection, 1).content == "first"
        assert routing.find(connection, 3) is None
        assert [one.number for one in routing.history(connection)] == [2, 1]


@pytest.mark.parametrize("base", [0, 2])
def test_who_was_overtaken_or_is_ahead_stores_nothing(database, base):
    add(database, "first", 0)
    with pytest.raises(VersionMoved, match="version 1 was stored in the meantime"):
        add(database, "mine", base)
    with database.read() as connection:
        assert len(routing.history(connection)) == 1
