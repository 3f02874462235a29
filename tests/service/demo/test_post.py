"""Handing a mail to a door: taken by SMTP and LMTP, or refused with the door's own words."""

import pytest

from service.demo.post import Door, Letter, NoDoor, NotTaken, door_of, hand_over, wire
from service.notation import HostPort
from service.settings import load
from tests.servers.door import HELP, HR, Running
from tests.servers.installation import free_port

RAW = b"From: ann@corp.example\r\nSubject: printer\r\n\r\nIt burns.\r\n.\r\n"


@pytest.fixture
def running():
    door = Running()
    yield door
    door.stop()


def at(running: Running, protocol: str) -> Door:
    return Door(HostPort("127.0.0.1", running.open(protocol)), lmtp=protocol == "lmtp")


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_each_recipients_copy_is_kept_octet_for_octet(running: Running, protocol: str) -> None:
    hand_over(at(running, protocol), Letter("ann@corp.example", (HELP, HR), RAW))
    assert [(one.sender, one.recipient, raw) for one, raw in running.desk.taken] == [
        ("ann@corp.example", HELP, RAW),
        ("ann@corp.example", HR, RAW),
    ]


def test_a_machine_hands_in_with_the_null_reverse_path(running: Running) -> None:
    hand_over(at(running, "smtp"), Letter("", (HELP,), RAW))
    assert [one.sender for one, _ in running.desk.taken] == [""]


def test_an_address_beyond_ascii_is_handed_in_as_it_is(running: Running) -> None:
    hand_over(at(running, "smtp"), Letter("zoë@corp.example", ("zażółć@corp.example",), RAW))
    assert [(one.sender, one.recipient) for one, _ in running.desk.taken] == [
        ("zoë@corp.example", "zażółć@corp.example")
    ]


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_a_recipient_the_door_does_not_know_is_named_with_its_answer(running: Running, protocol: str) -> None:
    with pytest.raises(NotTaken, match=r"^nobody@corp.example was refused: 550 5\.1\.1"):
        hand_over(at(running, protocol), Letter("ann@corp.example", ("nobody@corp.example",), RAW))
    assert running.desk.taken == []


def test_where_one_of_two_recipients_is_refused_it_is_said(running: Running) -> None:
    with pytest.raises(NotTaken, match=r"^nobody@corp.example was refused"):
        hand_over(at(running, "smtp"), Letter("ann@corp.example", (HELP, "nobody@corp.example"), RAW))


def test_a_mail_that_is_not_kept_is_reported_with_the_answer_to_its_data(running: Running) -> None:
    running.desk.failing[HELP] = OSError("disk full")
    with pytest.raises(NotTaken, match=r"refused the mail: 451"):
        hand_over(at(running, "smtp"), Letter("ann@corp.example", (HELP,), RAW))


def test_a_door_nobody_listens_at_is_named() -> None:
    port = free_port()
    with pytest.raises(NoDoor, match=rf"^nobody answers at SMTP 127.0.0.1:{port} .*does `deskbell run` run\?$"):
        hand_over(Door(HostPort("127.0.0.1", port), lmtp=False), Letter("ann@corp.example", (HELP,), RAW))


@pytest.mark.parametrize(
    ("raw", "travels"),
    [
        (b"a: b\n\nc", b"a: b\r\n\r\nc\r\n"),
        (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n"),
        (b"a\rb\r\nc\n\nd\n", b"a\r\nb\r\nc\r\n\r\nd\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_a_mail_travels_with_crlf_and_an_ended_last_line(raw: bytes, travels: bytes) -> None:
    assert wire(raw) == travels
    assert wire(travels) == travels


@pytest.mark.parametrize(
    ("listener", "door"),
    [
        ('lmtp = "127.0.0.1:24"\nsmtp = "127.0.0.1:25"', "SMTP 127.0.0.1:25"),
        ('lmtp = "127.0.0.1:24"', "LMTP 127.0.0.1:24"),
        ('smtp = "0.0.0.0:25"', "SMTP 127.0.0.1:25"),
        ('smtp = "[::]:25"', "SMTP [::1]:25"),
        ('smtp = "localhost:25"', "SMTP localhost:25"),
    ],
)
def test_the_door_is_smtp_before_lmtp_and_on_this_machine(tmp_path, listener: str, door: str) -> None:
    assert str(door_of(configured(tmp_path, f"[listener]\n{listener}\n"))) == door


def test_an_installation_without_door_says_so(tmp_path) -> None:
    with pytest.raises(NoDoor, match=r"config.toml: has no \[listener\]"):
        door_of(configured(tmp_path, ""))


def configured(folder, more: str):
    config = folder / "config.toml"
    config.write_text(f'[[mailbox]]\naddress = "help@corp.example"\n[maildir]\npath = "out"\n{more}')
    return load(config)
