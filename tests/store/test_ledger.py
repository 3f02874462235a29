"""The ledger as people read it, and the journal that only grows."""

from hashlib import sha256

import pytest
from sqlalchemy import select

from desk.arrival import Fate
from store import journal, ledger
from store.ledger import Line
from store.tables import journal as table
from tests.store.cast import HELP, HOUR, NOON, accept, door, imap, open_request, settle


def every(database, mailbox=None, fate=None):
    with database.read() as connection:
        return [line.id for line in ledger.every(connection, mailbox=mailbox, fate=fate)]


def find(database, arrival_id):
    with database.read() as connection:
        return ledger.find(connection, arrival_id)


def test_an_arrival_that_is_not_settled_says_where_it_came_in_and_nothing_else(database):
    accept(database, imap(raw=b"12345"))
    assert find(database, 1) == Line(
        id=1,
        mailbox=HELP,
        source="imap",
        folder="INBOX",
        uidvalidity=42,
        uid=7,
        received=NOON,
        accepted=NOON,
        size=5,
        message_id=None,
        fate=Fate.RECEIVED,
        reason=None,
        receipt=None,
        evidence=None,
        attempts=0,
        reference=None,
        trace=None,
    )


def test_a_settled_arrival_says_what_became_of_it_and_why(database):
    accept(database, imap())
    number = open_request(database)
    settle(database, 1, reason="new-request", receipt="send: own-person", request_number=number, trace={"a": [1, None]})
    line = find(database, 1)
    assert (line.fate, line.reason, line.receipt) == (Fate.OPENED, "new-request", "send: own-person")
    assert (line.reference, line.trace) == ("R-1001", {"a": [1, None]})


def test_an_arrival_by_our_door_has_no_place_on_a_server(database):
    accept(database, door())
    line = find(database, 1)
    assert (line.source, line.folder, line.uidvalidity, line.uid) == ("lmtp", None, None, None)


@pytest.mark.parametrize("arrival_id", [0, -1, 2, 2**62])
def test_a_number_nobody_has_is_no_arrival(database, arrival_id):
    accept(database, imap())
    assert find(database, arrival_id) is None


def test_arrivals_are_listed_oldest_first_by_mailbox_and_fate(database):
    accept(database, imap(1), imap(2), imap(3, mailbox="hr@corp.example"))
    settle(database, 2, "filed")
    settle(database, 3, "filed")
    assert every(database) == [1, 2, 3]
    assert every(database, mailbox=HELP) == [1, 2]
    assert every(database, fate=Fate.FILED) == [2, 3]
    assert every(database, mailbox=HELP, fate=Fate.FILED) == [2]
    assert every(database, mailbox="none@corp.example") == []


def test_each_fate_there_is_can_be_read(database):
    accept(database, *(imap(number) for number in range(1, len(Fate) + 1)))
    for number, fate in enumerate(Fate, start=1):
        settle(database, number, fate.value)
    with database.read() as connection:
        assert [line.fate for line in ledger.every(connection, mailbox=None, fate=None)] == list(Fate)


def test_a_record_says_what_happened_to_what_and_when(database):
    with database.write() as connection:
        journal.write(connection, journal.Record("settled", 1001, 7, 3, {"owed": ["receipt"], "ż": None}), now=NOON)
        journal.write(connection, journal.Record("started"), now=NOON + HOUR)
    with database.read() as connection:
        first, second = connection.execute(select(table).order_by(table.c.id)).all()
    assert tuple(first)[1:] == (NOON, "settled", 1001, 7, 3, {"owed": ["receipt"], "ż": None})
    assert tuple(second)[1:] == (NOON + HOUR, "started", None, None, None, {})


def test_the_newest_arrival_is_the_last_one_accepted(database):
    with database.read() as connection:
        assert ledger.newest(connection) == 0
    accept(database, imap(1), imap(2))
    with database.read() as connection:
        assert ledger.newest(connection) == 2


def test_the_copies_of_a_mail_are_found_by_their_bytes_after_what_came_before(database):
    raw = b"Subject: same\r\n\r\n"
    accept(database, door(raw), door(b"Subject: other\r\n\r\n"), door(raw, mailbox="hr@corp.example"))
    digest = sha256(raw).hexdigest()
    with database.read() as connection:
        assert [line.id for line in ledger.brought(connection, digest, after=0)] == [1, 3]
        assert [line.id for line in ledger.brought(connection, digest, after=1)] == [3]
        assert ledger.brought(connection, digest, after=3) == []


def test_what_became_owed_for_an_arrival_stands_in_the_journal(database):
    with database.write() as connection:
        detail = {"fate": "opened", "owed": ["receipt", "notification"]}
        journal.write(connection, journal.Record("settled", 1001, 7, detail=detail), now=NOON)
        journal.write(connection, journal.Record("settled", 1001, 8, detail={"fate": "held"}), now=NOON)
        journal.write(connection, journal.Record("other", 1001, 7, detail={"owed": ["x"]}), now=NOON)
    with database.read() as connection:
        assert ledger.owed_for(connection, 1001, 7) == ("receipt", "notification")
        assert ledger.owed_for(connection, 1001, 8) == ()
        assert ledger.owed_for(connection, 1002, 7) == ()
