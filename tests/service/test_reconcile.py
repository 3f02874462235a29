"""The ledger against the server: what is missing, what is surplus, and what cannot be said."""

from dataclasses import dataclass, field
from itertools import chain, repeat

import pytest

from desk.arrival import Fate, Position
from intake.mailbox import FolderMissing, ServerUnreachable
from service.reconcile import Compared, Look, NoSuchMailbox, Place, Unknown, compare, patience, places
from service.settings import load
from store import folders
from store.folders import Watched
from tests.service.cast import HELP, NOON, imap, mail, works

NEVER = repeat(False).__next__


@dataclass(frozen=True)
class State:
    """What EXAMINE tells."""

    uidvalidity: int


@dataclass
class Server:
    """A folder that was opened read-only."""

    uids: list[int]
    uidvalidity: int = 42
    fault: Exception | None = None
    ids: list[bytes] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)

    @property
    def state(self):
        return State(self.uidvalidity)

    def uids_above(self, floor):
        if self.fault:
            raise self.fault
        return [uid for uid in self.uids if uid > floor]

    def fields(self, uids, name):
        assert name == "Message-ID"
        return (b"MESSAGE-ID: %s\r\n\r\n" % self.ids[uid - 1] if self.ids[uid - 1] else b"\r\n" for uid in uids)

    def close(self):
        self.closed.append(True)


def no_folder():
    raise FolderMissing("Deskbell")


def settled(*ids):
    """The folder of settled mail, with mails of these Message-IDs (empty: of none)."""
    return Server(list(range(1, len(ids) + 1)), uidvalidity=7, ids=list(ids))


@pytest.fixture
def office():
    """INBOX is watched from UID 4 on; 4 is opened, 5 a duplicate of it, 6 not settled."""
    with works() as office:
        office.transactions.run(
            lambda connection: folders.watch(connection, Watched(0, HELP, "INBOX", 42, 3, 3, NOON)),
        )
        office.accept(imap(2), imap(4), imap(5, mail(4)))
        office.settle()
        office.accept(imap(6))
        yield office


def compared(office, server, again=NEVER, open_settled=no_folder):
    (found,) = compare([Place(HELP, "INBOX", lambda: server, open_settled)], Look(office.database, again))
    assert server.closed
    return found


def test_a_folder_whose_mails_are_all_in_the_ledger_has_nothing_missing(office):
    assert compared(office, Server([1, 2, 3, 4, 5, 6])) == Compared(
        mailbox=HELP,
        folder="INBOX",
        on_server=3,
        moved=0,
        in_ledger=3,
        fates={Fate.OPENED: 1, Fate.DUPLICATE: 1, Fate.RECEIVED: 1},
        missing=(),
        surplus=(),
    )


def test_a_mail_on_the_server_alone_is_missing_and_one_in_the_ledger_alone_is_surplus(office):
    found = compared(office, Server([4, 6, 8, 11]))
    assert (found.missing, found.surplus) == ((8, 11), (5,))
    assert found.on_server == found.in_ledger - len(found.surplus) + len(found.missing)


def test_a_mail_that_lies_among_the_settled_is_on_the_server_and_not_surplus(office):
    there = settled(b"<x@corp.example>", b"<4@corp.example>")
    found = compared(office, Server([6]), open_settled=lambda: there)
    assert (found.on_server, found.moved, found.missing, found.surplus) == (2, 1, (), (5,))
    assert there.closed


@pytest.mark.parametrize(
    ("ids", "surplus"),
    [
        ((), (4, 5)),
        ((b"<4@corp.example>",), (5,)),
        ((b"<4@corp.example>", b"<4@corp.example>"), ()),
        ((b"<4@CORP.example>",), (4, 5)),
        ((b"",), (4, 5)),
    ],
)
def test_one_copy_among_the_settled_does_not_stand_for_two(office, ids, surplus):
    """4 and 5 are the same mail twice; an id in other case is another, and so is none."""
    assert compared(office, Server([6]), open_settled=lambda: settled(*ids)).surplus == surplus


def test_a_mail_without_message_id_is_found_among_those_without(office):
    office.accept(imap(8, b"From: anna@corp.example\r\nSubject: Toner\r\n\r\nNone left.\r\n"))
    office.settle()
    found = compared(office, Server([4, 5, 6]), open_settled=lambda: settled(b"", b"<4@corp.example>"))
    assert (found.moved, found.surplus) == (1, ())


def test_the_folder_of_settled_mail_is_not_opened_while_nothing_is_gone(office):
    compared(office, Server([4, 5, 6]), open_settled=lambda: pytest.fail("asked"))


def test_where_the_settled_cannot_be_looked_at_nothing_is_said(office):
    there = Server([], fault=ServerUnreachable("gone"))
    found = compared(office, Server([6]), open_settled=lambda: there)
    assert found == Unknown(HELP, "INBOX", "The mail server cannot be reached safely now. (gone)")
    assert there.closed


def test_a_mail_that_comes_into_the_ledger_this_moment_is_not_missing(office):
    def again():
        office.accept(imap(7))
        return True

    assert compared(office, Server([4, 5, 6, 7]), again).missing == ()


def test_the_wait_for_a_mail_ends(office):
    looks = chain([True, True], repeat(False))
    assert compared(office, Server([7]), looks.__next__).missing == (7,)
    assert next(looks) is False


def test_no_patience_is_none():
    assert not patience(0)()


def test_a_little_patience_ends():
    again = patience(0.05)
    assert again()
    while again():
        pass


def test_the_same_numbers_under_another_uidvalidity_are_other_mails(office):
    office.accept(imap(9, mail(9), position=Position("INBOX", 41, 9)))
    assert compared(office, Server([4, 5, 6, 9])).missing == (9,)


def test_a_folder_numbered_anew_is_missing_until_the_daemon_has_seen_it(office):
    found = compared(office, Server([1, 2], uidvalidity=43))
    assert (found.on_server, found.in_ledger, found.missing) == (2, 0, (1, 2))


def test_a_folder_that_was_never_watched_is_not_judged():
    with works() as office:
        found = compared(office, Server([1]))
    assert found == Unknown(HELP, "INBOX", "not watched yet: `deskbell run` records where it begins")


def test_a_server_that_fails_spoils_no_other_folder(office):
    broken = Server([], fault=ServerUnreachable("gone"))
    look = Look(office.database, NEVER)
    works_well = Server([4, 5, 6])
    chosen = [Place(HELP, "INBOX", lambda: broken, no_folder), Place(HELP, "INBOX", lambda: works_well, no_folder)]
    found = list(compare(chosen, look))
    assert found[0] == Unknown(HELP, "INBOX", "The mail server cannot be reached safely now. (gone)")
    assert isinstance(found[1], Compared)
    assert broken.closed


CONFIG = """
[[mailbox]]
address = "help@corp.example"
aliases = ["it@corp.example"]
[mailbox.imap]
host = "127.0.0.1"
tls = "none"
user = "help"
password = "x"
folders = ["INBOX", "Junk"]
[[mailbox]]
address = "hr@corp.example"
[maildir]
path = "out"
"""


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return load(path)


@pytest.mark.parametrize(
    ("mailbox", "found"),
    [
        (None, ["INBOX", "Junk"]),
        ("HELP@corp.example", ["INBOX", "Junk"]),
        ("it@corp.example", ["INBOX", "Junk"]),
        ("hr@corp.example", []),
    ],
)
def test_the_folders_are_those_of_the_configuration(settings, mailbox, found):
    assert [(one.mailbox, one.folder) for one in places(settings, mailbox)] == [(HELP, name) for name in found]


def test_a_mailbox_nobody_configured_is_refused_with_those_there_are(settings):
    with pytest.raises(NoSuchMailbox, match=r"accepted are help@corp.example, hr@corp.example"):
        places(settings, "nobody@corp.example")
