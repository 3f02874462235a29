"""Our mark on the server is owed once an arrival is settled, until the server has it."""

from dataclasses import replace

from desk.arrival import Position
from store import effects
from store.effects import DONE, PENDING
from tests.store.cast import INBOX, accept, door, imap, settle


def pending(database, of=INBOX, limit=100):
    with database.read() as connection:
        return effects.pending(connection, of, limit=limit)


def done(database, *uids, of=INBOX):
    with database.write() as connection:
        effects.done(connection, of, uids)


def test_a_mark_is_owed_for_settled_messages_only_in_ascending_order(database):
    accept(database, *(imap(uid) for uid in (9, 7, 8)))
    settle(database, 1, effect=PENDING)
    settle(database, 2, effect=PENDING)
    assert pending(database) == [7, 9]
    assert pending(database, limit=1) == [7]


def test_a_mark_the_server_has_is_owed_no_more(database):
    accept(database, imap(7), imap(8))
    settle(database, 1, effect=PENDING)
    settle(database, 2, effect=PENDING)
    done(database, 7, 1000)
    assert pending(database) == [8]
    done(database, 8)
    done(database)
    assert pending(database) == []


def test_a_mark_that_was_set_before_the_fate_is_owed_again_and_not_forgotten(database):
    accept(database, imap())
    done(database, 7)
    settle(database, 1, effect=PENDING)
    assert pending(database) == [7]


def test_another_uidvalidity_folder_or_mailbox_is_not_touched(database):
    others = [
        replace(imap(), mailbox="hr@corp.example"),
        imap(position=Position("Junk", 42, 7)),
        imap(position=Position("INBOX", 41, 7)),
    ]
    accept(database, imap(), *others)
    for number in range(1, 5):
        settle(database, number, effect=PENDING)
    done(database, 7)
    assert pending(database) == []
    assert pending(database, replace(INBOX, mailbox="hr@corp.example")) == [7]
    assert pending(database, replace(INBOX, name="Junk")) == [7]
    assert pending(database, replace(INBOX, uidvalidity=41)) == [7]


def test_what_came_by_our_door_owes_no_mark(database):
    accept(database, door())
    settle(database, 1, effect=PENDING)
    assert pending(database) == []


def test_the_words_in_the_ledger_are_those_of_its_index():
    assert (PENDING, DONE) == ("pending", "done")
