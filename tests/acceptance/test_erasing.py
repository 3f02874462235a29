"""Erased is erased: in every list, and in the octets of the database's files, beside a daemon that runs."""

import smtplib
from pathlib import Path

import pytest

from tests.servers.installation import Installation, free_port, mailbox
from tests.servers.letters import letter
from tests.service.test_search import ROUTING

pytestmark = pytest.mark.slow

WORDS = [b"Zebrafish", b"Quagmire", b"zoe@corp.example", b"Zoe Quill"]


@pytest.fixture
def desk(tmp_path: Path):
    """An installation that runs, with one request, R-1001, about a zebrafish; its letters were sent."""
    door = free_port()
    config = mailbox("help@corp.example") + f'[maildir]\npath = "outgoing"\n[listener]\nsmtp = "127.0.0.1:{door}"\n'
    with Installation(tmp_path, config) as desk:
        desk.start()
        sent = letter("Zebrafish", text="Quagmire, everywhere.\n" * 500, sender="Zoe Quill <zoe@corp.example>")
        with smtplib.SMTP("127.0.0.1", door) as client:
            client.sendmail("zoe@corp.example", ["help@corp.example"], sent.raw)
        desk.settled(sent.message_id)
        desk.wait_until_quiet(1)
        yield desk


def held(desk: Installation) -> list[bytes]:
    """Which of the words an octet by octet look into the database and its log finds."""
    files = [desk.database, desk.database.with_name(f"{desk.database.name}-wal")]
    octets = b"".join(path.read_bytes() for path in files if path.exists())
    return [word for word in WORDS if word in octets]


def test_nobody_finds_a_word_of_an_erased_request_in_lists_or_files(desk: Installation):
    assert held(desk) == WORDS
    done = desk.deskbell("requests", "erase", "r-1001", "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "deskbell: erased: R-1001; 1 mail"
    assert "an answer was promised, and nobody has answered" in done.stderr
    assert held(desk) == []
    shown = desk.json("requests", "show", "R-1001")
    assert (shown["subject"], shown["requester"], shown["entries"], shown["department"]) == ("", None, [], "it")
    assert shown["erased"] is not None
    assert desk.json("requests", "list")[0]["erased"] == shown["erased"]
    assert desk.json("requests", "search", "quagmire") == []
    assert desk.json("ledger", "show", "1")["trace"] is None
    for command in (
        "requests list",
        "requests show R-1001",
        "requests search R-1001",
        "ledger list",
        "ledger show 1",
        "outbox list",
        "quarantine list",
        "rules test --last 5",
    ):
        done = desk.deskbell(*command.split())
        assert done.returncode == 0, done
        assert "Zebrafish" not in done.stdout
        assert "zoe" not in done.stdout.lower()
    assert "(erased)" in desk.deskbell("requests", "list").stdout
    assert "erased on" in desk.deskbell("requests", "show", "R-1001").stdout
    assert "erased on" in desk.deskbell("ledger", "show", "1").stdout


def test_without_consent_or_a_request_nothing_is_erased(desk: Installation):
    for arguments, code, words in (
        (["R-1001"], 1, "nobody is there to agree"),
        (["R-1001", "R-9", "--yes"], 1, "there is no request R-9; nothing was erased"),
        (["printer", "--yes"], 2, "'printer' is no reference: R- and a number, such as R-1042"),
        (["R-9999999999999", "--yes"], 2, "is no reference"),
        (["R-999999999999", "--yes"], 1, "there is no request R-999999999999"),
        ([], 2, "Missing argument"),
    ):
        done = desk.deskbell("requests", "erase", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert held(desk) == WORDS


def test_the_daemon_erases_what_has_passed_its_time(desk: Installation, tmp_path: Path):
    """At its first look on that day; beside it the other request stays."""
    edited = tmp_path / "edited.toml"
    edited.write_text(
        ROUTING.format(more="").replace('en = "IT" }', 'en = "IT" }\nretention_days = 1'), encoding="utf-8"
    )
    assert desk.deskbell("routing", "import", str(edited), "--reason", "GDPR", "--yes").returncode == 0
    desk.stop()
    desk.change("UPDATE request SET opened = datetime(opened, '-2 days') || '.000000', state = 'answered'")
    desk.change("UPDATE entry SET at = datetime(at, '-2 days') || '.000000'")
    desk.change("DELETE FROM meta WHERE key = 'retention'")
    assert held(desk) == WORDS
    desk.start()
    desk.wait_for("erased, because their time had passed: 1 requests and mails")
    assert held(desk) == []
    assert desk.stop() == 0


def test_a_department_s_retention_is_read_and_shown(desk: Installation, tmp_path: Path):
    """The text goes in and comes out; a value that makes no sense is refused with what would be accepted."""
    edited = tmp_path / "edited.toml"
    edited.write_text(ROUTING.format(more="retention_days = 30"), encoding="utf-8")
    done = desk.deskbell("routing", "import", str(edited), "--reason", "GDPR", "--yes")
    assert done.returncode == 0, done
    assert "retention_days" in desk.deskbell("routing", "export").stdout
    edited.write_text(ROUTING.format(more="retention_days = 0.5"), encoding="utf-8")
    done = desk.deskbell("routing", "import", str(edited), "--reason", "GDPR", "--yes")
    assert done.returncode == 2
    assert "retention_days: found 0.5; accepted: a whole number of days from 1 to 36500" in done.stderr
