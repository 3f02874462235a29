"""A full disk: nothing is taken that cannot be kept, nothing is lost, and all goes on once there is room again."""

import os
import smtplib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.waiting import BRAKE
from tests.servers.dovecot import Dovecot, until, why_not
from tests.servers.installation import PATIENCE, Installation, deskbell, free_port, mailbox, smtp
from tests.servers.letters import letter, read
from tests.servers.sink import Sink
from tests.service.test_search import ROUTING

REASON = why_not() or ("not run: only root can mount a small file system" if os.geteuid() else None)
pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.skipif(REASON is not None, reason=REASON or "")]

OCTETS = 16 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={OCTETS},mode=700", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Not an octet is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_what_comes_while_the_disk_is_full_is_answered_once_when_there_is_room(disk: Path) -> None:
    with Dovecot() as dovecot, Sink() as sink:
        door = free_port()
        boxes = mailbox("help@corp.example", dovecot, user="help")
        doors = f'[listener]\nlmtp = "127.0.0.1:{door}"\n'
        config = f'own_domains = ["corp.example"]\n{boxes}{smtp(sink.port)}{doors}'
        with Installation(disk, config) as desk:
            desk.start()
            ballast = fill(disk)
            by_imap = [letter(f"Printer {number}", "x" * 20_000) for number in range(3)]
            for mail in by_imap:
                dovecot.deliver("help", mail.raw)
            at_door = letter("At the door", "y" * 20_000)
            with smtplib.LMTP("127.0.0.1", door) as lmtp, pytest.raises(smtplib.SMTPDataError) as refused:
                lmtp.sendmail("anna@corp.example", ["help@corp.example"], at_door.raw)
            assert refused.value.smtp_code in {451, 452}
            assert sink.taken == []
            ballast.unlink()
            for mail in by_imap:
                assert desk.settled(mail.message_id)[0]["fate"] == "opened"
            desk.wait_until_quiet()
            answered = [str(read(one.content)["In-Reply-To"]) for one in sink.taken if "anna" in one.recipients[0]]
            assert sorted(answered) == sorted(mail.message_id for mail in by_imap)


def test_a_command_on_a_full_disk_says_so_in_a_sentence(disk: Path) -> None:
    config = 'own_domains = ["corp.example"]\n[[mailbox]]\naddress = "help@corp.example"\n[maildir]\npath = "out"\n'
    (disk / "config.toml").write_text(config + f'[listener]\nlmtp = "127.0.0.1:{free_port()}"\n', encoding="utf-8")
    (disk / "config.toml").chmod(0o600)
    ballast = fill(disk)
    done = deskbell("run", "--config", str(disk / "config.toml"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    ballast.unlink()
    with Installation(disk, (disk / "config.toml").read_text(encoding="utf-8")) as desk:
        desk.start()
        until(lambda: desk.rows("SELECT count(*) FROM arrival") == [(0,)], seconds=PATIENCE)


EDITED, EDITED_AGAIN = (ROUTING.format(more=f"urgent_contact = 'call {number}'") for number in (4444, 5555))
COMMANDS = {
    "mode": "mode help@corp.example observe",
    "routing import": "routing import {disk}/again.toml --reason because --yes",
    "routing restore": "routing restore 1 --reason because --yes",
    "people import": "people import {disk}/staff.csv --yes",
    "ledger retry": "ledger retry 2",
    "quarantine release": "quarantine release 2",
    "quarantine drop": "quarantine drop 2 --reason because",
    "outbox hold": "outbox hold 2",
    "outbox release": "outbox release 1",
    "brake release": "brake release",
    "requests erase": "requests erase R-{number} --yes",
}
HELD = "UPDATE outbox SET state = 'held', settled = NULL, hold_reason = ? WHERE id = 1"
DUE = "UPDATE outbox SET state = 'due', settled = NULL, next_attempt = '2099-01-01 00:00:00.000000' WHERE id = 2"
OWES_NOTHING = """SELECT min(number) FROM request WHERE number NOT IN
    (SELECT request_number FROM outbox WHERE settled IS NULL)"""
KEPT = ("meta", "request", "entry", "arrival", "outbox", "routing", "person", "mode", "journal")


@pytest.fixture
def desk(disk: Path) -> Iterator[Installation]:
    """An installation on that disk: three requests, of which one was quarantined, a held mail and one that is due."""
    door = free_port()
    config = mailbox("help@corp.example") + '[maildir]\npath = "out"\n' + f'[listener]\nlmtp = "127.0.0.1:{door}"\n'
    (disk / "edited.toml").write_text(EDITED, encoding="utf-8")
    (disk / "again.toml").write_text(EDITED_AGAIN, encoding="utf-8")
    (disk / "staff.csv").write_text("address\nben@corp.example\n", encoding="utf-8")
    with Installation(disk, config) as desk:
        desk.start()
        with smtplib.LMTP("127.0.0.1", door) as lmtp:
            for number in range(3):
                lmtp.sendmail("anna@corp.example", ["help@corp.example"], letter(f"Printer {number}", "x" * number).raw)
        desk.wait_until_quiet(3)
        desk.stop()
        assert desk.deskbell("routing", "import", str(disk / "edited.toml"), "--reason", "x", "--yes").returncode == 0
        desk.change("UPDATE arrival SET fate = 'quarantined', reason = 'failed 3 times' WHERE id = 2")
        desk.change(HELD, BRAKE)
        desk.change(DUE)
        yield desk


def kept(desk: Installation) -> list[list[tuple[object, ...]]]:
    """What must be as it was."""
    return [desk.rows(f"SELECT * FROM {table} ORDER BY 1") for table in KEPT]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_finds_no_room_changes_nothing_and_succeeds_later(desk: Installation, disk: Path, name: str):
    """With and without a log of SQLite that has room of its own."""
    before = kept(desk)
    ((number,),) = desk.rows(OWES_NOTHING)
    arguments = COMMANDS[name].format(disk=disk, number=number).split()
    for somebody_reads in (False, True):
        with closing(sqlite3.connect(desk.database)) as reader:
            if somebody_reads:
                reader.execute("SELECT * FROM meta").fetchall()
            ballast = fill(disk)
            done = desk.deskbell(*arguments)
            ballast.unlink()
        assert done.returncode == 1, done
        assert "Traceback" not in done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("deskbell: ")
        assert "full" in last or "disk I/O" in last or "unable to open" in last, last
        assert kept(desk) == before
    done = desk.deskbell(*arguments)
    assert done.returncode == 0, done
    assert kept(desk) != before


def test_an_upgrade_that_finds_no_room_for_its_copy_leaves_the_database_as_it_was(desk: Installation, disk: Path):
    desk.change("UPDATE alembic_version SET version_num = '0004'")
    before = desk.database.read_bytes()
    ballast = fill(disk)
    done = desk.deskbell("upgrade")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    ballast.unlink()
    assert desk.database.read_bytes() == before
    assert list(disk.glob("*.schema-*")) == []


def test_an_export_that_finds_no_room_leaves_no_half_file(desk: Installation, disk: Path):
    target = disk / "out.toml"
    with closing(sqlite3.connect(desk.database)) as reader:
        reader.execute("SELECT * FROM meta").fetchall()
        ballast = fill(disk)
        done = desk.deskbell("routing", "export", str(target))
        ballast.unlink()
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert not target.exists()


def test_a_mail_that_is_sent_by_hand_is_refused_in_words(desk: Installation, disk: Path):
    desk.start()
    ballast = fill(disk)
    done = desk.deskbell("send", "x" * 20_000, "--from", "anna@corp.example", "--to", "help@corp.example")
    ballast.unlink()
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "45" in done.stderr


def test_a_demo_that_finds_no_room_says_so(disk: Path):
    ballast = fill(disk)
    done = deskbell("demo", "--folder", str(disk / "demo"), "--no-wait")
    ballast.unlink()
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


def test_an_import_of_old_mail_goes_on_when_there_is_room(disk: Path) -> None:
    with Dovecot() as dovecot:
        old = [letter(f"Old {number}", "y" * 200_000) for number in range(3)]
        for mail in old:
            dovecot.deliver("help", mail.raw)
        config = mailbox("help@corp.example", dovecot, user="help") + '[maildir]\npath = "out"\n'
        with Installation(disk, config) as desk:
            desk.start()
            desk.stop()
            ballast = fill(disk)
            done = desk.deskbell("ledger", "import", "--since", "2020-01-01")
            ballast.unlink()
            assert (done.returncode, done.stdout) == (1, ""), done
            assert "Traceback" not in done.stderr
            assert desk.rows("SELECT count(*) FROM arrival") == [(0,)]
            assert desk.deskbell("ledger", "import", "--since", "2020-01-01").returncode == 0
            assert desk.rows("SELECT count(*) FROM arrival") == [(3,)]
