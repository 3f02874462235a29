"""Any octets are a Mail, and a mail is what its reader would say it is."""

import json
from dataclasses import asdict
from datetime import datetime
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import Mail
from intake import parse as module
from intake import report
from intake.parse import parse

MAILS = Path(__file__).parents[1] / "mail"
KNOWN = sorted(MAILS.glob("parse_*.json"))
ALL = sorted(MAILS.glob("*.eml"))
FORBIDDEN = set(map(chr, (*range(9), 11, *range(14, 32), *range(0x7F, 0xA0))))


def address(found):
    return [found.name, found.address] if found else None


def told(mail):
    """The mail in the words of the files with expected values."""
    return {
        **{name: getattr(mail, name) for name in ("message_id", "in_reply_to", "subject", "thread_topic")},
        **{name: getattr(mail, name) for name in ("text", "reply", "signature")},
        "references": list(mail.references),
        "sender": address(mail.sender),
        **{name: list(map(address, getattr(mail, name))) for name in ("to", "cc", "reply_to")},
        "date": mail.date.isoformat() if mail.date else None,
        "attachments": [[found.name, found.content_type, found.size, found.inline] for found in mail.attachments],
        "defects": list(mail.defects),
        "automatic": mail.automatic.kind.value,
        "report": [list(asdict(found).values()) for found in mail.report],
    }


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def assert_sound(raw, mail):
    """What holds for every mail holds for this one."""
    assert isinstance(mail, Mail)
    for text in strings(asdict(mail)):
        text.encode("utf-8")
        assert not FORBIDDEN & set(text)
    assert sum(found.size for found in mail.attachments) <= len(raw)
    assert len(set(mail.defects)) == len(mail.defects)
    assert len(mail.content_key) == 64
    assert mail.date is None or mail.date.tzinfo


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_a_strange_mail_says_what_is_expected(path):
    mail = parse(path.with_suffix(".eml").read_bytes())
    expected = json.loads(path.read_text(encoding="utf-8"))
    found = told(mail)
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_kept_mail_is_sound(path):
    raw = path.read_bytes()
    assert_sound(raw, parse(raw))


def field(name, value):
    return parse(b"From: a@corp.example\n" + name + b": " + value + b"\n\nx")


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        (b"<a@x>", "<a@x>"),
        (b" <a@x> junk", "<a@x>"),
        (b"<a@\n x>", "<a@x>"),
        (b"<a b@x>", "<ab@x>"),
        (b"a@x", "a@x"),
        (b"words and more", "words and more"),
        (b"<>", None),
        (b"< >", None),
        (b"", None),
        (b"<>[=?x?q?a?=;", "<>[=?x?q?a?=;"),
        (b"<\x01a@x\xff>", "<a@xÿ>"),
        (b"x" * 3000, "x" * 998),
        (b"<" + b"x" * 3000 + b">", "<" + "x" * 997),
    ],
)
def test_a_message_id_keeps_its_brackets_and_odd_ones_are_cleaned(value, identifier):
    assert field(b"Message-ID", value).message_id == identifier


@pytest.mark.parametrize(
    ("value", "identifier"),
    [(b"<a@x> <b@x>", "<a@x>"), (b"Monday's mail <a@x>", "<a@x>"), (b"a@x", "a@x"), (b"some words", None), (b"", None)],
)
def test_in_reply_to_is_the_first_identifier(value, identifier):
    assert field(b"In-Reply-To", value).in_reply_to == identifier


def test_of_many_references_the_first_and_the_last_twenty_are_kept():
    ids = [f"<{number}@x>" for number in range(100)]
    assert field(b"References", " ".join(ids).encode()).references == (ids[0], *ids[-20:])


def test_the_middle_of_very_long_references_is_not_read():
    ids = [f"<{number}@x.example>" for number in range(5000)]
    mail = field(b"References", " ".join(ids).encode())
    assert mail.references == (ids[0], *ids[-20:])
    assert mail.defects == ("References: longer than 32 KiB, the middle is not read",)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Mon, 6 Jul 2026 09:00:00 +0200", "2026-07-06T09:00:00+02:00"),
        (b"6 Jul 2026 09:00:00 -0000", "2026-07-06T09:00:00+00:00"),
        (b"Mon, 6 Jul 2026 09:00:00 GMT (comment)", "2026-07-06T09:00:00+00:00"),
    ],
)
def test_a_date_keeps_its_offset(value, moment):
    assert field(b"Date", value).date == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "value",
    [
        *(b"yesterday", b"Mon, 6 Jul 99999 09:00:00 +0200", b"6 Jul 2026 09:00 +99999999"),
        *(b"Mon, 99 Foo 2026", b",", b"\xff", b"=?utf-8?q?x?=", b"1" * 5000, b"6 Jul 2026 09:00:00 +" + b"9" * 70),
    ],
)
def test_a_date_that_is_none_is_told_and_not_guessed(value):
    mail = field(b"Date", value)
    assert mail.date is None
    assert "Date: not a date" in mail.defects


@pytest.mark.parametrize("name", ["Subject", "To", "Cc", "Reply-To", "Date", "Message-ID", "In-Reply-To", "References"])
def test_a_doubled_field_is_told(name):
    mail = parse(f"From: a@x\n{name}: <1@x>\n{name}: <2@x>\n\nx".encode())
    assert f"more than one {name.title()} field" in mail.defects


def test_a_long_subject_is_cut_before_it_is_decoded():
    mail = field(b"Subject", b"=?utf-8?q?a?= " * 20_000)
    assert len(mail.subject) < module.MAX_SUBJECT
    assert "Subject: longer than 4096 octets, the rest is not read" in mail.defects


def test_a_long_from_gives_no_sender():
    mail = parse(b"From: " + b"x" * 2100 + b" <a@corp.example>\n\nx")
    assert (mail.sender, mail.defects) == (None, ("From: longer than 2 KiB",))


def test_nobody_else_is_taken_for_the_sender():
    mail = parse(b"Sender: a@x\nReply-To: b@x\nReturn-Path: <c@x>\n\nFrom: d@x\n")
    assert mail.sender is None
    assert [found.address for found in mail.reply_to] == ["b@x"]
    assert mail.defects == ("no From field",)


def test_five_hundred_answer_addresses_are_kept():
    mail = parse(b"From: a@x\nTo: " + b", ".join(b"a%d@x.example" % number for number in range(500)) + b"\n\nx")
    assert len(mail.to) == 500


def test_a_bad_entry_of_a_list_is_told():
    assert parse(b"From: a@x\nTo: nobody, b@x\n\nx").defects == ("To: an entry that is no address, or too many",)


def test_all_fields_are_kept_decoded_and_bounded():
    mail = parse(b"From: a@x\nX-One: =?utf-8?q?=C5=BC?=\nx-one: two\n  three\nX-Long: " + b"y" * 20_000 + b"\n\nx")
    assert mail.header("x-one") == ("ż", "two  three")
    assert list(map(len, mail.header("x-long"))) == [module.MAX_HEADER]
    assert [name for name, _ in mail.headers] == ["from", "x-one", "x-one", "x-long"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("authentication-results", "x =?utf-8?q?=3B?="),
        ("arc-authentication-results", "x =?utf-8?q?=3B?="),
        ("received", "x =?utf-8?q?=3B?="),
        ("return-path", "x =?utf-8?q?=3B?="),
        ("x-ms-exchange-organization-authas", "x =?utf-8?q?=3B?="),
        ("x-ms-exchange", "x ;"),
        ("x-authentication-results", "x ;"),
    ],
)
def test_what_servers_write_as_evidence_keeps_its_encoded_words(name, shown):
    assert field(name.title().encode(), b"x =?utf-8?q?=3B?=").header(name) == (shown,)


def test_the_null_envelope_sender_is_judged():
    raw = b"From: a@corp.example\nSubject: x\n\nx"
    assert parse(raw).automatic.kind == "person"
    assert parse(raw, envelope_sender="").automatic.kind != "person"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_report_is_what_the_message_of_the_standard_library_says(path):
    raw = path.read_bytes()
    assert parse(raw).report == report.read(message_from_bytes(raw, policy=compat32))


def test_a_report_without_a_delivery_status_part_is_read_too():
    raw = (
        b"From: Mailer-Daemon@mx.example\nX-Failed-Recipients: a@else.example\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n"
        b"--b\nContent-Type: multipart/mixed; boundary=c\n\n"
        b"--c\nContent-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
        b"TWVzc2FnZS1JRDogPHguQGNvcnAuZXhhbXBsZT4K\n--c--\n--b--\n"
    )
    (found,) = parse(raw).report
    assert (found.recipient, found.original_message_id) == ("a@else.example", "<x.@corp.example>")


def test_a_calendar_file_of_a_person_is_no_calendar_answer():
    raw = b"From: a@x\nContent-Type: text/calendar; method=REPLY\nContent-Disposition: attachment; filename=a.ics\n\nx"
    assert parse(raw).automatic.kind == "person"


def test_parsing_twice_gives_the_same():
    raw = (MAILS / "parse_outlook_reply.eml").read_bytes()
    assert parse(raw) == parse(raw)


HOSTILE = {
    "nested parts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)),
    "nested messages": b"Content-Type: message/rfc822\n\n" * 3000,
    "fields": b"A: \xff\n" * 50_000 + b"\nx",
    "one long field": b"X: " + b"y" * 1_000_000 + b"\n\nx",
    "words of unknown charsets": b"X: " + b"=?x?q?=ff?= =?y?q?=ff?= " * 5000 + b"\n\nx",
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 10_000 + b"\n\nx",
    "addresses": b"From: a@x\nTo: " + b"a@b," * 30_000 + b"\n\nx",
    "comments": b"From: " + b"(" * 500 + b"a@x" + b")" * 500 + b"\n\nx",
    "blanks": b"From: a@x\n\n" + b" " * 500_000,
    "line ends": b"\r" * 300_000,
    "brackets": b"From: a@x\n\n" + b"<" * 500_000,
    "NUL": b"\0" * 300_000,
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_mail_is_a_mail(trick):
    assert_sound(HOSTILE[trick], parse(HOSTILE[trick]))


@given(st.binary(max_size=400))
def test_any_octets_are_a_mail(raw):
    assert_sound(raw, parse(raw))


LINES = [line for path in ALL for line in path.read_bytes().split(b"\n")]


@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_any_arrangement_of_lines_of_mails_is_a_mail(lines):
    raw = b"\n".join(lines)
    assert_sound(raw, parse(raw))


@given(st.sampled_from(ALL), st.integers(0, 3000), st.integers(0, 40), st.binary(max_size=6))
def test_a_damaged_mail_is_a_mail(path, start, length, octets):
    raw = path.read_bytes()
    raw = raw[: start % len(raw)] + octets + raw[start % len(raw) + length :]
    assert_sound(raw, parse(raw))
