"""A mail from an MTA's pipe: what is read, for whom, from whom, and which code the MTA sees."""

import io
import sqlite3

import pytest

from desk.arrival import Envelope
from service.deliver import Handed, NotDelivered, code_for_an_mta, deliver, handed, mailbox_of, read_mail
from service.installation import begin
from service.settings import load
from store import arrivals
from store.database import Database
from tests.service.cast import HELP, NOON

CONFIG = """
[[mailbox]]
address = "help@corp.example"
aliases = ["it@corp.example"]
[limits]
message_octets = 2000
[maildir]
path = "out"
"""
MAIL = b"From: Anna <anna@corp.example>\nSubject: Printer\n\nJam.\n"


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return load(path)


@pytest.fixture
def database(settings):
    database = Database(settings.database.url)
    begin(database, settings)
    yield database
    database.close()


def waiting(database):
    with database.read() as connection:
        return arrivals.waiting(connection, epoch=1, limit=10)


@pytest.mark.parametrize(
    ("raw", "mail"),
    [
        (MAIL, MAIL),
        (b"From anna@corp.example Mon Mar  2 12:00:00 2026\n" + MAIL, MAIL),
        (b"From anna@corp.example Mon Mar  2 12:00:00 2026\r\n" + MAIL, MAIL),
        (b">From anna\n" + MAIL, b">From anna\n" + MAIL),
        (b"Subject: x\n\nFrom here on\n", b"Subject: x\n\nFrom here on\n"),
        (b"\xff\0" * 1000, b"\xff\0" * 1000),
    ],
)
def test_the_mail_is_what_stands_on_stdin_without_an_mbox_line(raw, mail):
    assert read_mail(io.BytesIO(raw), most=2000) == mail


@pytest.mark.parametrize("raw", [b"", b"From anna\n"])
def test_an_empty_pipe_is_trouble_of_our_own(raw):
    with pytest.raises(NotDelivered, match=r"^4") as refusal:
        read_mail(io.BytesIO(raw), most=2000)
    assert refusal.value.code == 75


@pytest.mark.parametrize("octets", [2001, 200_000, 1_000_000])
def test_a_mail_too_large_goes_back_to_its_sender_and_is_read_to_its_end(octets):
    pipe = io.BytesIO(b"x" * octets)
    with pytest.raises(NotDelivered, match=r"^5\.3\.4 the mail has more than 2000 octets") as refusal:
        read_mail(pipe, most=2000)
    assert refusal.value.code == 69
    assert pipe.read() == b""


def test_the_limit_itself_is_not_too_large():
    assert len(read_mail(io.BytesIO(b"From x\n" + b"x" * 2000), most=2000)) == 2000


@pytest.mark.parametrize(
    ("sender", "environ", "found"),
    [
        ("anna@corp.example", {}, "anna@corp.example"),
        ("anna@corp.example", {"SENDER": "eve@elsewhere.example"}, "anna@corp.example"),
        (None, {"SENDER": "eve@elsewhere.example"}, "eve@elsewhere.example"),
        (None, {}, None),
        ("", {"SENDER": "eve@elsewhere.example"}, ""),
        ("<>", {}, ""),
        ("MAILER-DAEMON", {}, ""),
        (None, {"SENDER": "MAILER-DAEMON"}, ""),
        ("MAILER-DAEMON@mx.corp.example", {}, "MAILER-DAEMON@mx.corp.example"),
    ],
)
def test_the_envelope_sender_is_told_by_option_or_environment(sender, environ, found):
    assert handed([HELP], sender, environ) == Handed((HELP,), found)


@pytest.mark.parametrize(
    "address", ["help@corp.example", "HELP@Corp.Example", "it@corp.example", "it+fax@corp.example"]
)
def test_a_mailbox_is_known_by_each_spelling(settings, address):
    assert mailbox_of(settings, address).address == HELP


@pytest.mark.parametrize("address", ["", "help", "@", "nobody@corp.example", "help@elsewhere.example"])
def test_an_address_that_is_no_mailbox_keeps_the_mail_in_the_queue(settings, address):
    with pytest.raises(NotDelivered, match=r"^4\.3\.5 .* accepted are help@corp.example") as refusal:
        mailbox_of(settings, address)
    assert refusal.value.code == 75


def test_a_delivered_mail_waits_in_the_ledger_for_the_running_daemon(settings, database):
    deliver(settings, Handed(("it+fax@corp.example",), ""), io.BytesIO(MAIL), now=NOON)
    (one,) = waiting(database)
    assert (one.arrival.mailbox, one.arrival.source, one.arrival.raw) == (HELP, "pipe", MAIL)
    assert one.arrival.envelope == Envelope("", "it+fax@corp.example")
    assert (one.arrival.received_at, one.arrival.size, one.arrival.position) == (NOON, len(MAIL), None)


def test_a_mail_that_is_delivered_twice_is_two_arrivals(settings, database):
    """Whether they are the same mail is decided when they are settled."""
    for _ in range(2):
        deliver(settings, Handed((HELP,), "anna@corp.example"), io.BytesIO(MAIL), now=NOON)
    assert len(waiting(database)) == 2


def test_a_mail_for_several_recipients_is_an_arrival_for_each(settings, database):
    deliver(settings, Handed((HELP, "it@corp.example"), None), io.BytesIO(MAIL), now=NOON)
    assert [one.arrival.envelope.recipient for one in waiting(database)] == [HELP, "it@corp.example"]


def test_one_recipient_that_is_not_ours_keeps_the_mail_in_the_queue_for_all(settings, database):
    with pytest.raises(NotDelivered, match=r"nobody@corp\.example"):
        deliver(settings, Handed((HELP, "nobody@corp.example"), None), io.BytesIO(MAIL), now=NOON)
    assert waiting(database) == []


def test_a_database_that_cannot_be_written_keeps_the_mail_in_the_queue(settings, database, monkeypatch):
    monkeypatch.setattr("store.database.BUSY_SECONDS", 0)
    other = sqlite3.connect(settings.path.with_name("deskbell.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(NotDelivered, match=r"^4\.3\.0 the database cannot take the mail now: database is locked"):
            deliver(settings, Handed((HELP,), None), io.BytesIO(MAIL), now=NOON)
    finally:
        other.close()
    assert waiting(database) == []


def test_a_long_mbox_line_hides_no_cut():
    """Whatever is not kept of a mail too large, it is never taken for the whole of a smaller one."""
    chunk = 64 * 1024
    raw = b"From " + b"x" * 200 + b"\n" + b"y" * 3 * chunk
    with pytest.raises(NotDelivered):
        read_mail(io.BytesIO(raw), most=2 * chunk - 10)


def breaks(error):
    raise error


@pytest.mark.parametrize(("ends", "seen"), [(None, 0), (0, 0), (69, 69), (75, 75), (1, 75), (2, 75), ("words", 75)])
def test_an_mta_sees_no_other_failure_than_75_and_69(ends, seen):
    assert code_for_an_mta(lambda: breaks(SystemExit(ends))) == seen


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), ImportError("gone")], ids=repr)
def test_whatever_breaks_keeps_the_mail_in_the_queue(error):
    assert code_for_an_mta(lambda: breaks(error)) == 75


def test_the_mta_is_told_the_reason_in_one_line(capfd):
    code_for_an_mta(lambda: breaks(ValueError("two\nlines")))
    assert capfd.readouterr().err == "4.3.0 ValueError: two lines\n"
