"""Two databases on one mailbox: the second one is refused, says why, and serves it when it is told to."""

from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, mailbox, smtp
from tests.servers.letters import letter
from tests.servers.sink import Sink

pytestmark = [pytest.mark.slow, pytest.mark.server]


def installation(tmp_path: Path, name: str, dovecot: Dovecot, sink: Sink, user: str) -> Installation:
    (tmp_path / name).mkdir()
    return Installation(tmp_path / name, mailbox("help@corp.example", dovecot, user=user) + smtp(sink.port))


def marker_row(desk: Installation) -> str:
    said = desk.deskbell("doctor", "--no-send").stdout
    return next(line for line in said.splitlines() if "marker help@corp.example INBOX" in line)


def folders(dovecot: Dovecot, user: str) -> str:
    with dovecot.session(user) as imap:
        return str(imap.list()[1])


def test_a_second_database_is_refused_and_takes_over_when_told_to(dovecot: Dovecot, tmp_path: Path) -> None:
    """No mail is answered twice; doctor and health say who serves the mailbox, on which machine."""
    user = "served-elsewhere"
    with (
        Sink() as sink,
        installation(tmp_path, "one", dovecot, sink, user) as one,
        installation(tmp_path, "two", dovecot, sink, user) as two,
    ):
        assert "nobody serves the folder yet" in marker_row(one)
        assert "Deskbell-State" not in folders(dovecot, user), "doctor writes nothing"
        one.start()
        two.launch()
        two.wait_for("Another deskbell serves this folder. (")
        assert f"with {one.database}, since " in two.said
        assert "ready" not in two.said
        dovecot.deliver(f"{user}@corp.example", letter("Printer").raw)
        one.wait_until_quiet(1)
        until(lambda: "Another deskbell serves" in two.deskbell("health").stdout, seconds=PATIENCE)
        assert marker_row(one).startswith("ok")
        assert "this database serves the folder; said " in marker_row(one)
        assert marker_row(two).startswith("bad")
        two.kill()
        one.stop()
        two.launch("--take-over")
        two.wait_for("\nready\n")
        assert two.rows("SELECT * FROM arrival") == []
        assert "this database serves the folder" in marker_row(two)
        assert marker_row(one).startswith("bad")
        assert two.stop() == 0
        two.start()
        assert two.stop() == 0
        assert len(sink.taken) == 2


def test_an_account_that_may_not_make_the_folder_is_served_without_marker(dovecot: Dovecot, tmp_path: Path) -> None:
    """A file stands where the folder would be; doctor says what is missing."""
    user = "no-markers"
    dovecot.deliver(f"{user}@corp.example", letter("Old").raw)
    root = dovecot.root / "mail" / user
    (root / ".Deskbell-State").write_text("in the way")
    with Sink() as sink, installation(tmp_path, "one", dovecot, sink, user) as one:
        one.start()
        one.wait_for("no marker can be kept in Deskbell-State")
        dovecot.deliver(f"{user}@corp.example", letter("Printer").raw)
        one.wait_until_quiet(1)
        row = marker_row(one)
        assert row.startswith("warn")
        assert "a second deskbell on this mailbox would not be noticed" in row


def test_the_folder_of_markers_cannot_be_watched(tmp_path: Path) -> None:
    with Installation(tmp_path, "") as desk:
        desk.write(
            '[[mailbox]]\naddress = "help@corp.example"\n[mailbox.imap]\nhost = "127.0.0.1"\nuser = "x"\n'
            'password = "x"\nfolders = ["INBOX", "Deskbell-State"]\n[maildir]\npath = "out"\n'
        )
        done = desk.deskbell("ledger", "list")
    assert done.returncode == 2
    assert "Deskbell-State is where deskbell keeps its markers" in done.stderr
