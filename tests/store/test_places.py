"""Where an arrival lies once its folder is numbered anew."""

from dataclasses import replace

from desk.arrival import Position
from store import effects, places
from store.effects import DONE, PENDING
from store.places import Place
from tests.store.cast import INBOX, accept, imap, settle

ANEW = replace(INBOX, id=2, uidvalidity=43, floor_uid=0)


def stranded(database, of=ANEW, limit=100):
    with database.read() as connection:
        return [one.id for one in places.stranded(connection, of, limit=limit)]


def relocate(database, *found):
    with database.write() as connection:
        places.relocate(connection, ANEW, found)


def places_of(database):
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT uidvalidity, uid, effect FROM arrival ORDER BY id")
        return [tuple(row) for row in rows]


def test_what_lies_under_other_numbers_of_the_same_folder_is_stranded(database):
    accept(database, imap(7), imap(8), imap(9, position=Position("INBOX", 43, 1)), imap(9, mailbox="hr@corp.example"))
    accept(database, imap(9, position=Position("Junk", 42, 1)))
    assert stranded(database) == [1, 2]
    assert stranded(database, INBOX) == [3]


def test_only_the_newest_are_named(database):
    """Memory is bounded; the others are recognised by their content key when they are settled."""
    accept(database, imap(7), imap(8), imap(9))
    assert stranded(database, limit=2) == [2, 3]


def test_a_relocated_arrival_is_found_under_its_new_number(database):
    """A settled one is owed our mark there, unless it has it; an unsettled one is not."""
    accept(database, imap(7), imap(8), imap(9))
    settle(database, 1, effect=DONE)
    settle(database, 2, effect=PENDING)
    relocate(database, Place(1, 3, marked=False), Place(2, 2, marked=True), Place(3, 1, marked=False))
    assert places_of(database) == [(43, 3, PENDING), (43, 2, DONE), (43, 1, None)]
    with database.read() as connection:
        assert effects.pending(connection, ANEW, limit=10) == [3]
    assert stranded(database) == []


def test_nothing_to_relocate_is_nothing(database):
    accept(database, imap(7))
    relocate(database)
    assert places_of(database) == [(42, 7, None)]
