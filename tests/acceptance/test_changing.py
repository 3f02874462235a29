"""What admins change while deskbell runs: shown first, taken over without a restart, refused whole when it is wrong."""

import json
import os
import pty
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.installation import COMMAND, PATIENCE, Installation, free_port, mailbox
from tests.servers.letters import letter

pytestmark = pytest.mark.slow


class Desk(Installation):
    """A running deskbell with an SMTP door and outgoing folders."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        door = f'[listener]\nsmtp = "127.0.0.1:{self.port}"\n[maildir]\npath = "outgoing"\n'
        super().__init__(folder, mailbox("help@corp.example") + door)

    def send(self, subject: str, sender: str = "anna@corp.example") -> dict[str, object]:
        """The mail came in and was settled: its row in the ledger."""
        mail = letter(subject, "Hello.\n", sender=sender)
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail(sender, ["help@corp.example"], mail.raw)
        return self.settled(mail.message_id)[0]

    def department_of(self, row: dict[str, object]) -> str:
        return str(self.rows("SELECT department FROM request WHERE number = ?", row["request_number"])[0][0])

    def says(self, words: str, times: int = 1) -> None:
        """The daemon has said it so often."""
        until(lambda: self.said.count(words) >= times, seconds=PATIENCE)

    def hang_up(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGHUP)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as desk:
        desk.start()
        yield desk


def edited(desk: Desk, old: str, new: str) -> str:
    """An exported routing in which one thing was changed."""
    file = desk.folder / "edited.toml"
    file.unlink(missing_ok=True)
    assert desk.deskbell("routing", "export", str(file)).returncode == 0
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(file)


FAX = '\n[[rules]]\nname = "fax"\ndepartment = "facilities"\nany = ["telefax"]\n'
LAST = 'name = "it-printer"'


def test_an_imported_rule_routes_the_next_mail_without_a_restart(desk: Desk):
    assert desk.department_of(desk.send("telefax")) == "it"
    file = edited(desk, "[[rules]]", f"{FAX}[[rules]]")
    done = desk.deskbell("routing", "import", file, "--yes", "--reason", "fax", "--author", "leo")
    assert (done.returncode, done.stdout) == (0, "added    rule fax\n")
    desk.says("taken over: routing version 2: added rule fax")
    assert desk.department_of(desk.send("telefax")) == "facilities"
    newest, first = desk.json("routing", "history")
    assert (newest["version"], newest["author"], newest["reason"], newest["origin"]) == (2, "leo", "fax", "import")
    assert (first["version"], first["origin"]) == (1, "starter")
    assert desk.deskbell("routing", "export").stdout == Path(file).read_text(encoding="utf-8")


def test_without_agreement_the_difference_is_shown_and_nothing_is_changed(desk: Desk):
    file = edited(desk, "weight = 1.2", "weight = 1.3")
    done = desk.deskbell("routing", "import", file, "--json")
    assert (done.returncode, "--yes" in done.stderr) == (1, True)
    said = json.loads(done.stdout)
    assert (said["base"], said["version"]) == (1, 2)
    fields = [{"field": "weight", "removed": ["1.2"], "added": ["1.3"]}]
    assert said["changes"] == [{"change": "changed", "name": "rule it-printer", "fields": fields}]
    assert len(desk.json("routing", "history")) == 1


@pytest.mark.parametrize(("answer", "code", "versions"), [("y", 0, 2), ("n", 1, 1)])
def test_at_a_terminal_somebody_is_asked(desk: Desk, answer: str, code: int, versions: int):
    file = edited(desk, "weight = 1.2", "weight = 1.3")
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = [str(COMMAND), "routing", "import", file, "--config", str(desk.config)]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60, check=False)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, "Make this version 2?" in done.stderr) == (code, True)
    assert len(desk.json("routing", "history")) == versions


def test_who_edited_an_older_version_is_refused_when_they_say_which(desk: Desk):
    file = edited(desk, "weight = 1.2", "weight = 1.3")
    assert desk.deskbell("routing", "import", file, "--yes", "--base", "1").returncode == 0
    Path(file).write_text(Path(file).read_text(encoding="utf-8").replace("1.3", "1.4"), encoding="utf-8")
    done = desk.deskbell("routing", "import", file, "--yes", "--base", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "version 2 holds, not 1" in done.stderr


def test_an_older_version_is_restored_as_the_newest(desk: Desk):
    before = desk.deskbell("routing", "export").stdout
    assert desk.deskbell("routing", "import", edited(desk, LAST, 'name = "it-paper"'), "--yes").returncode == 0
    assert desk.deskbell("routing", "restore", "1", "--yes").returncode == 0
    assert desk.deskbell("routing", "export").stdout == before
    assert next(one["reason"] for one in desk.json("routing", "history")) == "version 1 again"
    assert desk.deskbell("routing", "restore", "9", "--yes").returncode == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"default = ", "not TOML|TOML"),
        ("# żółw".encode("iso-8859-2"), "another encoding in line 1"),
        (b"\x00\x01", "TOML"),
        (b"", "found nothing"),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_changes_nothing(desk: Desk, content: bytes, says: str):
    file = desk.folder / "broken.toml"
    file.write_bytes(content)
    done = desk.deskbell("routing", "import", str(file), "--yes")
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert "broken.toml" in done.stderr
    assert any(word in done.stderr for word in says.split("|"))
    assert len(desk.json("routing", "history")) == 1


def test_a_file_that_is_there_is_never_overwritten(desk: Desk):
    file = desk.folder / "kept.toml"
    file.write_text("mine")
    assert desk.deskbell("routing", "export", str(file)).returncode == 1
    assert file.read_text() == "mine"


def test_people_are_one_of_us_within_a_moment_and_each_bad_line_is_named(desk: Desk):
    assert desk.send("screen", "anna@home.example")["receipt"] == "limited: external-limited"
    file = desk.folder / "staff.csv"
    file.write_text("address;aliases;zone\nanna@corp.example;anna@home.example;Asia/Tokyo\nbob;;Mars\n")
    done = desk.deskbell("people", "import", str(file), "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 3: address is 'bob'" in done.stderr
    assert "line 3: zone is 'Mars'" in done.stderr
    assert desk.json("people", "list") == []
    file.write_text(file.read_text().replace("bob;;Mars\n", ""))
    assert desk.deskbell("people", "import", str(file), "--yes").returncode == 0
    desk.says("taken over: people")
    assert desk.send("keyboard", "anna@home.example")["receipt"] == "send: own-person"
    assert [one["aliases"] for one in desk.json("people", "list")] == [["anna@home.example"]]


def test_a_changed_configuration_holds_after_sighup_and_a_broken_one_changes_nothing(desk: Desk):
    config = desk.config.read_text(encoding="utf-8")
    desk.write(config.replace("[listener]", "[limits]\nexternal_receipts_per_day = 0\n[listener]"))
    desk.hang_up()
    desk.says("taken over: config.toml: limits.external_receipts_per_day")
    assert desk.send("one", "eve@elsewhere.example")["receipt"] == "never: external-limit-reached"
    desk.write("half written")
    desk.hang_up()
    desk.says("what was changed cannot be used, and changes nothing")
    assert desk.send("two")["receipt"] == "send: own-person"
    desk.write(config.replace(f"{desk.port}", f"{free_port()}"))
    desk.hang_up()
    desk.says("needs a restart: listener.smtp")
    assert desk.send("three", "eve@elsewhere.example")["receipt"] == "limited: external-limited"
    assert desk.stop() == 0


def test_rules_are_tried_on_what_is_typed_filed_and_stored(desk: Desk):
    desk.send("telefax")
    desk.send("printer")
    file = edited(desk, "[[rules]]", f"{FAX}[[rules]]")
    said = desk.json("rules", "test", "--last", "10", "--with", file)
    assert (said["mails"], said["moved"]) == (2, 1)
    assert said["moves"] == [{"from": "it", "to": "facilities", "count": 1}]
    assert [one["mail"] for one in said["changes"]] == ["R-1001"]
    table = desk.deskbell("rules", "test", "--last", "10", "--with", file)
    assert ("it -> facilities: 1" in table.stdout, "1 of 2 mails" in table.stderr) == (True, True)
    mail = desk.folder / "mail.eml"
    mail.write_bytes(letter("toner", "Hello.\n").raw)
    (typed, filed) = desk.json("rules", "test", str(mail), "--subject", "toner", "--mailbox", "help@corp.example")
    assert typed["classification"]["department"] == filed["classification"]["department"] == "it"
    assert desk.deskbell("rules", "test").returncode == 2
    assert next(one["name"] for one in desk.json("rules", "list")) == "it-printer"
    assert {one["department"] for one in desk.json("rules", "list", "--department", "hr")} == {"hr"}
    assert desk.deskbell("rules", "list", "--department", "legal").returncode == 2


def test_explaining_and_showing_settings_use_what_the_store_holds(desk: Desk):
    desk.deskbell("routing", "import", edited(desk, "[[rules]]", f"{FAX}[[rules]]"), "--yes")
    mail = desk.folder / "mail.eml"
    mail.write_bytes(letter("telefax", "Hello.\n").raw)
    said = desk.deskbell("explain", "--json", str(mail))
    assert json.loads(said.stdout)["classification"]["department"] == "facilities"
    shown = {row["key"]: row["value"] for row in desk.json("config", "show")}
    assert shown["(routing)"] == "routing version 2"


def test_a_database_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path):
    """Another process holds the database; whoever gives up waiting says that nothing was changed."""
    import sqlite3
    from contextlib import closing

    with Desk(tmp_path) as desk:
        desk.start()
        desk.stop()
        file = edited(desk, LAST, 'name = "it-paper"')
        with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            done = desk.deskbell("routing", "import", file, "--yes")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "nothing was changed: database is locked" in done.stderr
