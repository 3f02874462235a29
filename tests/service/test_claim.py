"""A claim to a folder on real servers: one database holds it, another is refused in words."""

import logging
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from itertools import count

import pytest

from desk.marker import FOLDER, GONE, RENEWED, Installed
from intake.mailbox import Account, CommandRefused, Folder, ServerUnreachable
from intake.shelf import Shelf
from service.claim import Claim, ClaimPorts, ServedByCopy, ServedElsewhere, markers, noted_of
from service.house import UNSIGNED
from service.transactions import DirectTransactions
from store import schema
from store.database import Database
from tests.servers.dovecot import PASSWORD
from tests.service.cast import HELP, Clock, imap, works

FIRST = Installed("aaaa", "mail1 with /srv/deskbell.db", datetime(2026, 11, 20, 8, tzinfo=UTC))
SECOND = Installed("bbbb", "mail2 with /home/anna/test.db", datetime(2026, 11, 22, 9, tzinfo=UTC))
_users = count(1)


@pytest.fixture
def account(server):
    """A mailbox of its own for each test."""
    return Account("127.0.0.1", server.imap, "none", f"claimed-{next(_users)}", lambda: PASSWORD)


@pytest.fixture
def clock():
    """Runs with the server's."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def made(account, clock):
    """Make a claim of an installation, with a database of its own unless one is given."""
    databases = []

    def make(installed, database=None, folder="INBOX", shelf=None):
        if database is None:
            database = Database("sqlite://")
            databases.append(database)
            schema.prepare(database)
        ports = ClaimPorts(
            shelf or (lambda: Shelf.made(account, FOLDER)), DirectTransactions(database), lambda: UNSIGNED, clock
        )
        return Claim(HELP, folder, installed, ports)

    yield make
    for database in databases:
        database.close()


def database_of(claim):
    return claim.ports.transactions._database


def lying(account, folder="INBOX"):
    with closing(Shelf.made(account, FOLDER)) as shelf:
        return [one.marker for one in markers(shelf.mails(), folder)]


def test_the_first_one_holds_the_folder_and_says_who_it_is(made, account):
    claim = made(FIRST)
    claim.hold()
    (found,) = lying(account)
    assert (found.instance, found.folder, found.place, found.since) == ("aaaa", "INBOX", FIRST.place, FIRST.since)
    with database_of(claim).read() as connection:
        assert noted_of(connection, HELP, "INBOX").nonces == (found.nonce,)


def test_a_marker_is_renewed_every_ten_minutes_and_no_old_one_is_left(made, account, clock):
    claim = made(FIRST)
    claim.hold()
    before = lying(account)
    claim.hold()
    clock.pass_by(seconds=RENEWED.total_seconds() - 1)
    claim.hold()
    assert lying(account) == before
    clock.pass_by(seconds=1)
    claim.hold()
    (after,) = lying(account)
    assert after.nonce != before[0].nonce


def test_another_database_is_refused_in_words_that_say_who_where_since_when_and_what_to_do(made):
    made(FIRST).hold()
    with pytest.raises(ServedElsewhere) as refusal:
        made(SECOND).hold()
    words = str(refusal.value)
    assert words.startswith("Another deskbell serves this folder. (mail1 with /srv/deskbell.db, since 2026-11-20 08:00")
    assert words.endswith("UTC: stop that one; if it is gone for good: deskbell run --take-over)")
    assert len(words) <= 300, "health would cut it"


def test_a_refused_one_writes_nothing_and_looks_again_after_a_minute(made, account, clock):
    first, second = made(FIRST), made(SECOND)
    first.hold()
    before = lying(account)
    for _ in range(2):
        with pytest.raises(ServedElsewhere):
            second.hold()
    assert lying(account) == before
    with closing(Shelf.made(account, FOLDER)) as shelf:
        shelf.take_away(one.uid for one in shelf.mails())
    with pytest.raises(ServedElsewhere):
        second.hold()
    clock.pass_by(minutes=1)
    second.hold()
    assert [one.instance for one in lying(account)] == ["bbbb"]


def test_a_database_that_gave_no_sign_for_an_hour_is_followed(made, account, clock):
    made(FIRST).hold()
    clock.pass_by(seconds=GONE.total_seconds() + 5)
    made(SECOND).hold()
    assert [one.instance for one in lying(account)] == ["bbbb"]


def test_a_person_may_say_that_the_other_one_is_gone(made, account, clock):
    """Should it live all the same, it is refused at its next look: once only one is taken over from."""
    first = made(FIRST)
    first.hold()
    second = made(replace(SECOND, takes_over=True))
    second.hold()
    assert [one.instance for one in lying(account)] == ["bbbb"]
    clock.pass_by(seconds=RENEWED.total_seconds())
    with pytest.raises(ServedElsewhere):
        first.hold()
    with closing(Shelf.made(account, FOLDER)) as shelf:
        shelf.take_away(one.uid for one in shelf.mails())
    clock.pass_by(minutes=1)
    first.hold()
    clock.pass_by(seconds=RENEWED.total_seconds())
    with pytest.raises(ServedElsewhere):
        second.hold()


def test_two_daemons_on_one_database_are_one(made, account, clock):
    """On other machines too: what one has written the other knows and replaces by its own."""
    first = made(FIRST)
    other = made(replace(FIRST, place="mail2 with PostgreSQL"), database_of(first))
    places = []
    for claim in (first, other, first, other):
        claim.hold()
        clock.pass_by(seconds=RENEWED.total_seconds() / 2)
        (found,) = lying(account)
        assert found.instance == "aaaa"
        places.append(found.place)
    assert places == [FIRST.place, "mail2 with PostgreSQL"] * 2


def test_a_copied_database_is_noticed_at_the_next_look(made):
    """Whoever comes second finds a nonce that it never made."""
    first = made(FIRST)
    first.hold()
    copy = made(replace(FIRST, place="mail9 with /srv/copy.db"))
    with pytest.raises(ServedByCopy, match=r"A copy of this database serves this folder elsewhere\. \(mail1 with"):
        copy.hold()


def test_a_moved_database_goes_on_at_once(made, account, clock):
    """Its marker says where it is now when it is next renewed."""
    first = made(FIRST)
    first.hold()
    moved = made(replace(FIRST, place="mail2 with /srv/deskbell.db"), database_of(first))
    moved.hold()
    clock.pass_by(seconds=RENEWED.total_seconds())
    moved.hold()
    assert [one.place for one in lying(account)] == ["mail2 with /srv/deskbell.db"]


def test_a_database_restored_at_its_old_place_goes_on_at_once(made, account):
    """It has forgotten its last nonces, and knows the one that it finds or makes from then on."""
    made(FIRST).hold()
    restored = made(FIRST)
    restored.hold()
    (found,) = lying(account)
    with database_of(restored).read() as connection:
        assert found.nonce in noted_of(connection, HELP, "INBOX").nonces


def test_two_that_begin_at_the_same_moment_are_one_in_the_end(made, account):
    """Neither had seen the other: whose marker came first stays."""
    first, second = made(FIRST), made(SECOND)

    class Late(Shelf):
        """Sees nothing at its first look."""

        looks = 0

        def mails(self):
            self.looks += 1
            if self.looks == 1:
                first.hold()
                return []
            return super().mails()

    second.ports = replace(second.ports, open=lambda: Late.made(account, FOLDER))
    with pytest.raises(ServedElsewhere):
        second.hold()
    assert [one.instance for one in lying(account)] == ["aaaa"]


def test_folders_of_one_mailbox_are_claimed_each_by_itself(made, account):
    made(FIRST).hold()
    made(SECOND, folder="Support").hold()
    assert [one.instance for one in lying(account, "Support")] == ["bbbb"]
    assert [one.instance for one in lying(account)] == ["aaaa"]


def test_whatever_else_lies_there_is_left_alone(made, account):
    with closing(Shelf.made(account, FOLDER)) as shelf:
        shelf.put(FOLDER, b"From: Anna <anna@corp.example>\r\nSubject: {\r\n\r\n{ }\r\n")
    made(FIRST).hold()
    with closing(Shelf.made(account, FOLDER)) as shelf:
        assert len(shelf.mails()) == 2


def test_where_no_marker_can_be_kept_the_folder_is_served_and_told_once(made, clock, caplog):
    """The account may not make folders; doctor reads the reason in the database."""

    def refused():
        raise CommandRefused("CREATE: NO permission denied")

    claim = made(FIRST, shelf=refused)
    for _ in range(3):
        claim.hold()
        clock.pass_by(seconds=RENEWED.total_seconds())
    assert caplog.text.count("no marker can be kept in Deskbell-State") == 1
    with database_of(claim).read() as connection:
        assert "permission denied" in noted_of(connection, HELP, "INBOX").trouble


def test_a_server_that_is_away_is_no_claim_at_first_and_no_obstacle_later(made, account, clock, caplog):
    """Who served it keeps serving; the marker is tried again after a minute."""
    away = []

    def shelf():
        if away:
            raise ServerUnreachable("gone")
        return Shelf.made(account, FOLDER)

    caplog.set_level(logging.INFO)
    claim = made(FIRST, shelf=shelf)
    away.append(1)
    with pytest.raises(ServerUnreachable):
        claim.hold()
    away.clear()
    claim.hold()
    away.append(1)
    clock.pass_by(seconds=RENEWED.total_seconds())
    claim.hold()
    assert "the marker could not be renewed" in caplog.text
    away.clear()
    before = lying(account)
    clock.pass_by(minutes=1)
    claim.hold()
    assert lying(account) != before


def test_a_server_that_is_away_lets_no_refused_one_in(made, account, clock):
    """What it was told last still holds."""
    away = []

    def shelf():
        if away:
            raise ServerUnreachable("gone")
        return Shelf.made(account, FOLDER)

    made(FIRST).hold()
    second = made(SECOND, shelf=shelf)
    with pytest.raises(ServedElsewhere):
        second.hold()
    away.append(1)
    clock.pass_by(minutes=1)
    for _ in range(2):
        with pytest.raises(ServerUnreachable):
            second.hold()


def test_a_clock_that_is_set_back_does_not_silence_the_claim(made, account, clock):
    claim = made(FIRST)
    claim.hold()
    before = lying(account)
    clock.pass_by(days=-1)
    claim.hold()
    assert lying(account) != before


def test_a_marker_that_comes_into_a_watched_folder_is_filed_as_our_own(made, account):
    """Somebody moved it there: no request, no answer, nobody hears of it."""
    made(FIRST).hold()
    with closing(Folder.open(account, FOLDER)) as folder:
        ((mail,),) = list(folder.fetch(folder.uids_above(0), max_octets=100_000))
    assert message_from_bytes(mail.raw)["Auto-Submitted"] == "auto-generated"
    with works() as desk:
        desk.accept(imap(1, mail.raw))
        desk.settle()
        assert desk.rows("SELECT fate, receipt FROM arrival") == [("filed", "never: automatic-mail")]
        assert desk.rows("SELECT * FROM request") == []
        assert desk.rows("SELECT * FROM outbox") == []


def test_the_times_of_a_claim_leave_room_for_missed_signs():
    assert RENEWED * 5 <= GONE == timedelta(hours=1)
