"""Where a folder begins and how far it was read."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from desk.arrival import Position
from store import folders
from tests.store.cast import HELP, HOUR, INBOX, accept, door, imap


def watch(database, *watched):
    with database.write() as connection:
        for one in watched:
            folders.watch(connection, one)


def watched(database, mailbox=HELP, name="INBOX"):
    with database.read() as connection:
        return folders.watched(connection, mailbox=mailbox, name=name)


def advance(database, uid, folder_id=1):
    with database.write() as connection:
        folders.advance(connection, folder_id, uid=uid)


def in_ledger(database, of=INBOX):
    with database.read() as connection:
        return folders.uids_in_ledger(connection, of)


def test_a_folder_nobody_watches_has_no_beginning(database):
    assert watched(database) == []


def test_a_watched_folder_comes_back_as_it_was_begun(database):
    watch(database, replace(INBOX, id=99))
    assert watched(database) == [INBOX]


def test_the_largest_numbers_of_the_protocol_fit(database):
    largest = replace(INBOX, uidvalidity=2**32 - 1, floor_uid=2**32 - 1, cursor_uid=2**32 - 1)
    watch(database, largest)
    assert watched(database) == [largest]


def test_each_uidvalidity_is_a_folder_of_its_own_the_first_one_first(database):
    renewed = replace(INBOX, id=2, uidvalidity=41, floor_uid=0, cursor_uid=0, floor_at=INBOX.floor_at + HOUR)
    watch(database, INBOX, renewed)
    assert watched(database) == [INBOX, renewed]


def test_another_folder_or_mailbox_is_not_given(database):
    watch(database, INBOX, replace(INBOX, name="Junk"), replace(INBOX, mailbox="hr@corp.example"))
    assert [one.id for one in watched(database)] == [1]
    assert [one.id for one in watched(database, name="Junk")] == [2]


def test_the_same_folder_cannot_begin_twice(database):
    watch(database, INBOX)
    with pytest.raises(IntegrityError):
        watch(database, replace(INBOX, floor_uid=100))
    assert watched(database) == [INBOX]


@pytest.mark.parametrize(("uids", "cursor"), [((5,), 5), ((5, 9), 9), ((9, 5), 9), ((2,), 3), ((3,), 3)])
def test_the_cursor_moves_up_and_never_back(database, uids, cursor):
    watch(database, INBOX, replace(INBOX, name="Junk"))
    for uid in uids:
        advance(database, uid)
    assert watched(database)[0].cursor_uid == cursor
    assert watched(database, name="Junk")[0].cursor_uid == INBOX.cursor_uid


def test_the_ledger_knows_the_messages_above_the_floor_of_this_folder_alone(database):
    accept(database, *(imap(uid) for uid in (2, 3, 4, 9)), door())
    accept(
        database,
        imap(5, mailbox="hr@corp.example"),
        imap(6, position=Position("Junk", 42, 6)),
        imap(7, position=Position("INBOX", 41, 7)),
    )
    assert in_ledger(database) == {4, 9}
    assert in_ledger(database, replace(INBOX, floor_uid=0)) == {2, 3, 4, 9}
    assert in_ledger(database, replace(INBOX, floor_uid=9)) == set()
