"""A new key while deskbell runs: the next mail is signed with it, and older reference lines are still good."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.installation import PATIENCE, Installation, free_port, mailbox, smtp
from tests.servers.letters import letter, read
from tests.servers.sink import Sink

pytestmark = pytest.mark.slow


class Desk(Installation):
    """A running deskbell with an SMTP door."""

    def __init__(self, folder: Path, relay: int) -> None:
        self.port = free_port()
        door = f'[listener]\nsmtp = "127.0.0.1:{self.port}"\n'
        super().__init__(folder, mailbox("help@corp.example") + door + smtp(relay))

    def put(self, mail) -> dict[str, object]:
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
        row = self.settled(mail.message_id)[0]
        self.wait_until_quiet()
        return row


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def desk(tmp_path: Path, sink: Sink) -> Iterator[Desk]:
    with Desk(tmp_path, sink.port) as desk:
        desk.start()
        yield desk


def reference_line(sink: Sink) -> str:
    """The token of the last receipt."""
    receipt = next(one for one in reversed(sink.taken) if one.recipients == ("anna@corp.example",))
    text = read(receipt.content).get_body(("plain",)).get_content()
    return next(line for line in text.splitlines() if line.startswith("Ref: "))


def test_a_new_key_signs_within_a_second_and_the_older_one_is_still_recognised(desk: Desk, sink: Sink) -> None:
    number = desk.put(letter("First"))["request_number"]
    old = reference_line(sink)
    done = desk.deskbell("keys", "rotate")
    assert (done.returncode, done.stdout) == (0, "")
    assert "key b signs from now on; kept, for what is signed already: a" in done.stderr
    desk.wait_for("taken over: key b, which signs from now on")
    desk.put(letter("Second"))
    new = reference_line(sink)
    assert (old.split()[-1][0], new.split()[-1][0]) == ("a", "b")
    follow_up = desk.put(letter("Something else", f"About this:\n\n{old}\n"))
    assert (follow_up["fate"], follow_up["request_number"]) == ("appended", number)
    assert "keys: a, b since 20" in desk.deskbell("doctor", "--no-send").stdout


def test_keys_are_listed_without_their_secrets(desk: Desk) -> None:
    desk.deskbell("keys", "rotate")
    first, second = desk.json("keys", "list")
    assert first == {"name": "a", "signs": False, "since": None}
    assert (second["name"], second["signs"]) == ("b", True)
    assert datetime.fromisoformat(second["since"]) - datetime.now(UTC) < timedelta(minutes=1)
    table = desk.deskbell("keys", "list").stdout
    secrets = [line.split()[1] for line in (desk.folder / "deskbell.key").read_text().splitlines()]
    assert not any(secret in table for secret in secrets)


def test_a_key_file_that_is_not_whole_is_refused_and_left_as_it_is(desk: Desk) -> None:
    """A running daemon goes on with the keys it has."""
    path = desk.folder / "deskbell.key"
    before = path.read_text()
    desk.deskbell("keys", "rotate")
    desk.wait_for("taken over: key b")
    path.write_text(before)
    for command in (["keys", "rotate"], ["keys", "list"]):
        done = desk.deskbell(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "key b of this database is missing: restore the file from a backup" in done.stderr
    assert path.read_text() == before
    until(lambda: desk.put(letter("Still served"))["fate"] == "opened", seconds=PATIENCE)


def test_a_restored_database_names_its_receipts_as_before_the_rotation(desk: Desk, tmp_path: Path) -> None:
    """The door's mail is put once more, as a mailbox would show it again: the reader's server can drop the copy."""
    mail = letter("Before the new key")
    desk.rows("VACUUM INTO ?", str(tmp_path / "backup.db"))
    desk.put(mail)
    named = [one for (one,) in desk.rows("SELECT message_id FROM outbox ORDER BY id")]
    desk.deskbell("keys", "rotate")
    assert desk.stop() == 0
    for name in ("deskbell.db", "deskbell.db-wal", "deskbell.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(desk.database)
    desk.start()
    desk.put(mail)
    again = [one for (one,) in desk.rows("SELECT message_id FROM outbox ORDER BY id")]
    assert again == named
