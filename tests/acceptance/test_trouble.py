"""What goes wrong is said in a sentence, and takes nothing else with it."""

import base64
import random
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import HELP, Office
from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, deskbell, free_port, mailbox, smtp
from tests.servers.letters import Letter, letter, read
from tests.servers.sink import Sink

pytestmark = pytest.mark.slow

MEGABYTES = 40


def noise() -> bytes:
    """Octets that are no mail at all."""
    return random.Random(7).randbytes(20_000)


def many_parts() -> bytes:
    """A thousand attachments."""
    part = b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n"
    head = b"From: anna@corp.example\r\nSubject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + part * 1000 + b"--b--\r\n"


def nested_parts() -> bytes:
    """A multipart in a multipart, 500 deep."""
    levels = (f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(500))
    return b"From: anna@corp.example\r\nSubject: deep\r\n" + b"".join(levels) + b"\r\ntext\r\n"


def nested_mails() -> bytes:
    """A forwarded mail in a forwarded mail, 500 deep."""
    return b"From: anna@corp.example\r\nSubject: deep\r\nContent-Type: message/rfc822\r\n\r\n" * 500


def nested_page() -> bytes:
    """HTML with 200,000 open elements."""
    return b"From: anna@corp.example\r\nSubject: page\r\nContent-Type: text/html\r\n\r\n" + b"<div>\r\n" * 200_000


def many_fields() -> bytes:
    """A header of 50,000 fields."""
    fields = b"".join(b"X-Field-%d: value\r\n" % number for number in range(50_000))
    return b"From: anna@corp.example\r\nSubject: fields\r\n" + fields + b"\r\ntext\r\n"


def nothing() -> bytes:
    """No octet but a line end."""
    return b"\r\n"


HOSTILE = [noise, many_parts, nested_parts, nested_mails, nested_page, many_fields, nothing]


@contextmanager
def porch(folder: Path, more: str = "") -> Iterator[tuple[Installation, int]]:
    """A running deskbell with an SMTP door, and the door's port."""
    port = free_port()
    config = mailbox("help@corp.example") + f'[listener]\nsmtp = "127.0.0.1:{port}"\n[maildir]\npath = "outgoing"\n'
    with Installation(folder, config + more) as desk:
        desk.start()
        yield desk, port


def send(port: int, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("anna@corp.example", ["help@corp.example"], raw)


def test_a_hostile_mail_gets_a_fate_and_the_next_mail_is_served(tmp_path: Path):
    """Whatever the octets: each arrival is settled at its first attempt, and an honest mail behind them is opened."""
    with porch(tmp_path) as (desk, port):
        for make in HOSTILE:
            send(port, make())
        honest = letter()
        send(port, honest.raw)
        assert desk.settled(honest.message_id)[0]["fate"] == "opened"
        desk.wait_until_quiet(len(HOSTILE) + 1)
        fates = desk.rows("SELECT fate, attempts FROM arrival")
        assert fates == [("opened", 0)] * (len(HOSTILE) + 1)
        assert "Traceback" not in desk.said
        assert desk.stop() == 0


@pytest.mark.server
@pytest.mark.parametrize("make", [many_parts, nested_mails], ids=lambda make: make.__name__)
def test_a_hostile_mail_in_a_folder_is_settled_and_the_next_mail_is_served(office: Office, make):
    """By IMAP too."""
    before = len(office.desk.rows("SELECT id FROM arrival"))
    office.dovecot.append(HELP, make())
    assert office.put(letter())["fate"] == "opened"
    office.desk.wait_until_quiet(before + 2)


@pytest.mark.server
def test_a_mail_beyond_the_limit_stays_on_the_server_and_only_its_header_is_read(office: Office):
    """40 MB: the fate is oversize, nobody is answered, the department is told, and the next mail is served."""
    mail = letter("Holiday photos")
    big = Letter(mail.message_id, mail.raw + b"x" * 998 + (b"\r\n" + b"x" * 998) * (MEGABYTES * 1000))
    office.dovecot.append(HELP, big.raw)
    row = office.desk.settled(big.message_id)[0]
    assert (row["fate"], row["reason"], row["receipt"]) == ("oversize", "too-large", "never: too-large")
    query = "SELECT arrival.size, raw.size, uid FROM arrival JOIN raw ON digest = raw_digest WHERE message_id = ?"
    on_server, kept, uid = office.desk.rows(query, big.message_id)[0]
    assert kept < 1_000 < MEGABYTES * 1_000_000 < on_server
    assert "$Deskbell" in office.wait_for_flag("$Deskbell", HELP, uid)
    assert not office.taken_about(big)
    until(lambda: any(b"Holiday photos" in one.content for one in office.sink.taken), seconds=PATIENCE)
    said = [one for one in office.sink.taken if b"Holiday photos" in one.content]
    assert [one.recipients for one in said] == [("it@corp.example",)], "the department hears of it, and nobody else"
    assert f"Mail {row['id']}, " in read(said[0].content).get_content()
    assert office.put(letter())["fate"] == "opened"


def test_a_mail_of_40_megabytes_is_refused_at_the_door(tmp_path: Path):
    """552, and the door goes on to serve."""
    with porch(tmp_path) as (desk, port):
        with pytest.raises(smtplib.SMTPSenderRefused, match="552"):
            send(port, base64.encodebytes(bytes(MEGABYTES * 740_000)))
        honest = letter()
        send(port, honest.raw)
        assert desk.settled(honest.message_id)[0]["fate"] == "opened"


def test_a_second_daemon_on_one_database_is_refused(tmp_path: Path):
    """Exit 1 with a sentence; the first one goes on, and commands may still look."""
    with porch(tmp_path) as (desk, port):
        second = desk.deskbell("run")
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == (
            f"deskbell: another deskbell serves {desk.database}: stop it first, or give this one its own\n"
        )
        assert desk.json("requests", "list") == []
        send(port, letter().raw)
        desk.wait_until_quiet(1)


@pytest.mark.server
def test_a_wrong_password_stops_only_its_own_mailbox(dovecot: Dovecot, tmp_path: Path):
    """The log names the mailbox and not the password; the other one is served; `ready` is not claimed."""
    with Sink() as sink:
        config = mailbox("hr@corp.example", dovecot, user="wrong-hr", password="hunter2", department="hr")
        config += mailbox("help@corp.example", dovecot, user="wrong-help") + smtp(sink.port)
        with Installation(tmp_path, config) as desk:
            desk.launch()
            desk.wait_for("hr@corp.example INBOX: ")
            desk.wait_for("help@corp.example INBOX: watched")
            mail = letter()
            dovecot.deliver("wrong-help@corp.example", mail.raw)
            assert desk.settled(mail.message_id)[0]["fate"] == "opened"
            sink.wait_for(2, PATIENCE)
            assert "hunter2" not in desk.said
            assert "ready" not in desk.said.splitlines()
            assert desk.stop() == 0


MINIMAL = mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n'


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (f"{MINIMAL}[log]\nlevle = 'info'\n", ["config.toml: log.levle: ", "level"]),
        (f"{MINIMAL}[log]\nlevel = 'loud'\n", ["config.toml: log.level: ", 'found "loud"', '"debug", "info"']),
        ("this is no TOML", ["config.toml: not TOML: "]),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused_with_the_words_to_mend_it(
    tmp_path: Path, config: str, says: list[str]
):
    """Exit 2, naming file, key, what was found and what is accepted; nothing is made on disk."""
    with Installation(tmp_path, config) as desk:
        done = desk.deskbell("run")
        assert (done.returncode, done.stdout) == (2, "")
        assert str(desk.config) in done.stderr
        assert all(words in done.stderr for words in says), done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("given", ["--config", "DESKBELL_CONFIG"])
def test_a_configuration_that_is_not_there_is_named(tmp_path: Path, given: str):
    """Exit 2, whichever way it was named; it is never made silently."""
    path = tmp_path / "config.toml"
    option, environ = (["--config", str(path)], {}) if given == "--config" else ([], {given: str(path)})
    done = deskbell("run", *option, environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deskbell: {path}: cannot be read: No such file or directory\n"
    assert not path.exists()


def test_without_any_configuration_the_three_ways_to_give_one_are_named():
    """Exit 2."""
    done = deskbell("requests", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert all(words in done.stderr for words in ("--config", "DESKBELL_CONFIG", "/etc/deskbell/config.toml"))


def test_a_used_database_without_its_key_is_refused(tmp_path: Path):
    """Exit 2, whether the key is another one or missing; no new one is made."""
    with porch(tmp_path) as (desk, _):
        assert desk.stop() == 0
        key = tmp_path / "deskbell.key"
        for instead in (b"a " + base64.b64encode(bytes(32)) + b"\n", None):
            key.write_bytes(instead) if instead is not None else key.unlink()
            done = desk.deskbell("run")
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.startswith(f"deskbell: {key}: ")
            assert "backup" in done.stderr
            assert (key.read_bytes() if key.exists() else None) == instead


def test_a_command_that_reads_makes_no_database(tmp_path: Path):
    """Exit 2 with the command that would make one."""
    with Installation(tmp_path, MINIMAL) as desk:
        done = desk.deskbell("requests", "list")
        assert (done.returncode, done.stdout) == (2, "")
        assert "deskbell run" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("place", ["missing/deskbell.db", "/proc/deskbell.db"])
def test_a_folder_that_takes_no_database_is_named(tmp_path: Path, place: str):
    """Exit 1 with the path and the reason; no traceback, whoever runs it."""
    with Installation(tmp_path, f'{MINIMAL}[database]\nurl = "sqlite:///{place}"\n') as desk:
        done = desk.deskbell("run")
        assert (done.returncode, done.stdout) == (1, "")
        assert place in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("routing", ["[[rules]]\nname = 7\n", "\udc80"])
def test_a_routing_file_that_cannot_be_meant_is_refused(tmp_path: Path, routing: str):
    """Exit 2 with the file's name; the starter set is not used silently in its place."""
    with Installation(tmp_path, MINIMAL) as desk:
        (tmp_path / "routing.toml").write_bytes(routing.encode("utf-8", "surrogateescape"))
        done = desk.deskbell("run")
        assert (done.returncode, done.stdout) == (2, "")
        assert str(tmp_path / "routing.toml") in done.stderr
        assert "Traceback" not in done.stderr
        assert not desk.database.exists(), "nothing is created for a configuration that is refused"


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path):
    """Exit 2 with its path, whatever the command; no traceback."""
    with Installation(tmp_path, MINIMAL) as desk:
        desk.database.write_bytes(b"something else entirely\n" * 100)
        for words in (("run",), ("requests", "list")):
            done = desk.deskbell(*words)
            assert (done.returncode, done.stdout) == (2, "")
            assert str(desk.database) in done.stderr
            assert "Traceback" not in done.stderr
        assert desk.database.read_bytes() == b"something else entirely\n" * 100
