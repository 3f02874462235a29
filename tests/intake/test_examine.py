"""A folder that was opened read-only can be counted and read, and cannot be changed."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest

from intake.mailbox import Account, CommandRefused, Folder, FolderMissing
from tests.servers.dovecot import PASSWORD, Dovecot

pytestmark = pytest.mark.server

USER = "examined"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def account(dovecot: Dovecot) -> Account:
    """Three mails, of 1, 2 and 3 March."""
    for days in (-1, 0, 1):
        dovecot.append(USER, b"Subject: x\r\n\r\n", date=NOON + timedelta(days=days))
    return Account("127.0.0.1", dovecot.imap, "none", USER, lambda: PASSWORD)


@pytest.fixture
def folder(account: Account):
    folder = Folder.examine(account, "INBOX")
    yield folder
    folder.close()


def test_it_has_the_numbers_and_the_mails_of_the_folder(folder: Folder):
    assert folder.uids_above(1) == [2, 3]
    assert [one.uid for batch in folder.fetch([1, 3], max_octets=1000) for one in batch] == [1, 3]
    assert folder.state.uidnext == 4


def test_nothing_in_it_can_be_marked(folder: Folder, dovecot: Dovecot):
    with suppress(CommandRefused):  # a server may say so, or do nothing in silence as Dovecot does
        folder.add_flags([1], "$Deskbell")
    assert dovecot.flags(USER, 1) == frozenset()


@pytest.mark.parametrize(
    ("day", "below", "found"),
    [
        (date(2026, 3, 1), 4, [1, 2, 3]),
        (date(2026, 3, 2), 4, [2, 3]),
        (date(2026, 3, 2), 3, [2]),
        (date(2026, 3, 4), 4, []),
        (date(2026, 3, 1), 1, []),
    ],
)
def test_mails_are_found_by_the_day_they_came_and_their_number(folder: Folder, day: date, below: int, found: list[int]):
    assert folder.uids_since(day, below=below) == found


def test_a_folder_that_is_not_there_cannot_be_examined(account: Account):
    with pytest.raises(FolderMissing):
        Folder.examine(account, "Nowhere")
