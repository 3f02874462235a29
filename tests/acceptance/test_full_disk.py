"""A full disk: nothing is taken that cannot be kept, nothing is lost, and all goes on once there is room again."""

import os
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until, why_not
from tests.servers.installation import PATIENCE, Installation, deskbell, free_port, mailbox, smtp
from tests.servers.letters import letter, read
from tests.servers.sink import Sink

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
