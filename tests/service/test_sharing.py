"""A daemon's share: everything on SQLite; on PostgreSQL what it has a lease for, as long as it says that it lives."""

import pytest

from service import sharing
from service.sharing import Share
from store import leases
from tests.servers.dovecot import until

INBOX, ARCHIVE = "help@corp.example INBOX", "help@corp.example Archive"


def test_on_sqlite_everything_is_ours_and_no_lease_is_written(sqlite_database):
    share = Share(sqlite_database, 1, [INBOX])
    assert share.holds(INBOX)
    share.keep()
    share.release()
    with sqlite_database.read() as connection:
        assert list(connection.scalars(leases.living())) == []


@pytest.mark.server
def test_a_folder_is_watched_by_the_first_and_by_the_second_once_that_one_stopped(postgres_database):
    first, second = Share(postgres_database, 1, [INBOX]), Share(postgres_database, 2, [INBOX, ARCHIVE])
    assert not first.holds(INBOX)
    first.keep()
    second.keep()
    assert [share.holds(INBOX) for share in (first, second)] == [True, False]
    assert second.holds(ARCHIVE)
    first.release()
    second.keep()
    assert second.holds(INBOX)


@pytest.mark.server
def test_who_says_nothing_for_too_long_loses_its_folders_and_knows_it(postgres_database, monkeypatch):
    monkeypatch.setattr(sharing, "LEASE_SECONDS", 0.2)
    first, second = Share(postgres_database, 1, [INBOX]), Share(postgres_database, 2, [INBOX])
    first.keep()
    assert first.holds(INBOX)
    until(lambda: not first.holds(INBOX))
    monkeypatch.setattr(sharing, "LEASE_SECONDS", 60)

    def taken_over():
        second.keep()
        return second.holds(INBOX)

    until(taken_over)
    first.keep()
    assert not first.holds(INBOX)
