"""A watched folder whose numbers are gone: the server lost its index, or the folder was deleted and made anew."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until, why_not
from tests.servers.installation import PATIENCE, UNLIMITED, Installation, mailbox, smtp
from tests.servers.letters import Letter, letter
from tests.servers.sink import Sink

pytestmark = [pytest.mark.slow, pytest.mark.server]

HELP = "help"
RECEIPTS = "SELECT count(*) FROM outbox WHERE kind = 'receipt'"
PLACES = "SELECT uidvalidity, uid, fate, effect FROM arrival WHERE folder = ? ORDER BY id"


@dataclass(frozen=True)
class Desk:
    """A Dovecot of one's own with a deskbell that watches INBOX and Support of help@."""

    dovecot: Dovecot
    sink: Sink
    desk: Installation

    def put(self, *mails: Letter, folder: str = "INBOX") -> None:
        """The mails came in, were settled and marked, and everybody was written to."""
        for mail in mails:
            self.dovecot.append(HELP, mail.raw, folder)
            self.desk.settled(mail.message_id)
        self.wait_until_marked()

    def wait_until_marked(self) -> None:
        self.desk.wait_until_quiet()
        until(lambda: not self.desk.rows("SELECT 1 FROM arrival WHERE effect = 'pending'"), seconds=PATIENCE)

    def numbers(self, folder: str = "INBOX") -> set[tuple[int, str, str]]:
        return {(uid, fate, effect) for _, uid, fate, effect in self.desk.rows(PLACES, folder)}

    @property
    def receipts(self) -> int:
        return int(self.desk.rows(RECEIPTS)[0][0])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Desk]:
    if reason := why_not():
        pytest.skip(reason)
    with Dovecot() as dovecot, Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user=HELP).rstrip() + '\nfolders = ["INBOX", "Support"]\n'
        dovecot.create(HELP, "Support")
        dovecot.deliver("help@corp.example", letter("From last week").raw)
        with Installation(tmp_path, config + smtp(sink.port) + UNLIMITED) as desk:
            yield Desk(dovecot, sink, desk)


def test_a_server_that_lost_its_index_makes_no_second_request_and_swallows_no_new_mail(place: Desk) -> None:
    """What is known gets its new number and our keyword, what came meanwhile its receipt, what was old nothing."""
    past = place.dovecot.root / "mail" / HELP / "new"
    place.desk.start()
    known = [letter(f"Printer {number}") for number in range(3)]
    place.put(*known)
    for path in [*past.iterdir(), *(past.parent / "cur").iterdir()]:
        if b"From last week" in path.read_bytes():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    new = letter("While it was down")
    place.dovecot.lose_index(HELP, meanwhile=[new.raw])
    place.desk.settled(new.message_id)
    place.wait_until_marked()
    assert place.numbers() == {(uid, "opened", "done") for uid in (2, 3, 4, 5)}
    assert all("$Deskbell" in place.dovecot.flags(HELP, uid) for uid in (2, 3, 4, 5))
    assert place.receipts == 4
    found = place.desk.json("ledger", "reconcile", "help@corp.example")[0]
    assert (found["on_server"], found["in_ledger"], found["missing"], found["surplus"]) == (4, 4, [], [])
    assert "INBOX: numbered anew by the server: 3 known mails found again" in place.desk.said
    assert place.desk.stop() == 0


def test_a_folder_that_vanishes_is_told_and_is_served_again_when_it_is_back(place: Desk) -> None:
    """Put back with other numbers and dates; the other folder is served all the time."""
    place.desk.start()
    known = [letter(f"Chair {number}") for number in range(3)]
    place.put(*known, folder="Support")
    place.dovecot.remove(HELP, "Support")
    place.desk.wait_for("help@corp.example Support: The folder is not there, or may not be opened")
    place.put(letter("Meanwhile"))
    trouble = "now in trouble: The folder is not there"
    until(lambda: trouble in place.desk.deskbell("health").stdout, seconds=2 * PATIENCE)
    place.dovecot.create(HELP, "Support")
    for mail in reversed(known):
        place.dovecot.append(HELP, mail.raw, "Support")
    place.put(letter("The newest"), folder="Support")
    assert place.numbers("Support") == {(uid, "opened", "done") for uid in (1, 2, 3, 4)}
    assert place.receipts == 5
    found = place.desk.json("ledger", "reconcile", "help@corp.example")[1]
    assert (found["on_server"], found["missing"], found["surplus"]) == (4, [], [])
    assert place.desk.stop() == 0


def test_a_restored_database_answers_nobody_twice(place: Desk, tmp_path: Path) -> None:
    """Restored from a backup: what carries our keyword was answered by the newer database."""
    place.desk.start()
    place.put(letter("Before the backup"))
    place.desk.rows("VACUUM INTO ?", str(tmp_path / "backup.db"))
    place.put(letter("After the backup"))
    assert place.desk.stop() == 0
    for name in ("deskbell.db", "deskbell.db-wal", "deskbell.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(place.desk.database)
    before = len(place.sink.taken)
    place.desk.start()
    until(lambda: len(place.numbers()) == 2, seconds=PATIENCE)
    place.wait_until_marked()
    assert {one.recipients for one in place.sink.taken[before:]} <= {("it@corp.example",)}
