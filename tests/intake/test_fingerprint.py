"""The same mail has the same content key by whatever hop it comes, another mail never."""

import base64
import binascii
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.parse import parse

HEAD = (
    b"Message-ID: <m@corp.example>\nFrom: Zoe <zoe@corp.example>\nDate: Mon, 6 Jul 2026 09:00:00 +0200\nSubject: Help\n"
)
BODY = b"Content-Type: text/plain; charset=utf-8\n\nprinter is = broken\nreally\n"
MAIL = HEAD + BODY


def key(raw):
    return parse(raw).content_key


@pytest.mark.parametrize(
    "raw",
    [
        b"Received: by mx\nReturn-Path: <>\nDelivered-To: x\nX-Spam: no\n" + MAIL,
        MAIL.replace(b"\n", b"\r\n"),
        MAIL + b"\n\n",
        MAIL.replace(b"Subject: Help", b"Subject:\n Help"),
        MAIL.replace(b"Subject: Help", b"Subject: =?utf-8?b?SGVscA==?="),
        MAIL.replace(b"Zoe <", b"Zoe\n\t<"),
        MAIL.replace(b"\n\n", b"\nContent-Transfer-Encoding: quoted-printable\n\n").replace(b"is =", b"is =3D"),
        HEAD + b"Content-Transfer-Encoding: base64\n\ncHJpbnRlciBpcyA9IGJyb2tlbgpyZWFsbHkK\n",
    ],
)
def test_another_hop_changes_nothing(raw):
    assert key(raw) == key(MAIL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<m@", b"<n@"),
        (b"zoe@", b"zoo@"),
        (b"09:00:00", b"09:00:01"),
        (b"Subject: Help", b"Subject: Help!"),
        (b"really", b"not really"),
        (b"broken\n", b"broken\n\n"),
    ],
)
def test_another_identity_or_text_changes_the_key(old, new):
    assert key(MAIL.replace(old, new)) != key(MAIL)


def test_another_attachment_changes_the_key():
    parts = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: a/b\n\n%b\n--b--\n"
    assert key(parts % b"one") != key(parts % b"two")


ARCHIVE = b"PK\x03\x04\x00\r\n\x00\n\n"
ATTACHED = (
    HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/zip\n%b\n--b--\n"
)
IN_BASE64 = ATTACHED % (b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(ARCHIVE))


@pytest.mark.parametrize(
    "raw",
    [
        IN_BASE64.replace(b"\n", b"\r\n"),
        ATTACHED % (b"Content-Transfer-Encoding: base64\n\n" + b"\n".join(base64.b64encode(ARCHIVE).partition(b"M"))),
        ATTACHED % (b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n" + binascii.b2a_uu(ARCHIVE) + b"`\nend"),
    ],
)
def test_another_transfer_encoding_of_an_archive_changes_nothing(raw):
    assert key(raw) == key(IN_BASE64)


@pytest.mark.parametrize("other", [ARCHIVE + b"\n", ARCHIVE.replace(b"\r\n", b"\n"), ARCHIVE[:-1]])
def test_one_octet_of_an_archive_changes_the_key(other):
    assert key(ATTACHED % (b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(other))) != key(IN_BASE64)


@pytest.mark.parametrize("encoding", [b"8bit", b"quoted-printable"])
def test_a_nul_that_did_not_come_in_base64_leaves_line_ends_without_effect(encoding):
    raw = ATTACHED % (b"Content-Transfer-Encoding: " + encoding + b"\n\none\x00\ntwo\n")
    assert key(raw.replace(b"\n", b"\r\n")) == key(raw)


def test_a_text_that_names_the_digest_of_an_archive_is_not_the_archive():
    digest = b"sha256:" + hashlib.sha256(ARCHIVE).hexdigest().encode()
    assert key(ATTACHED % (b"\n" + digest)) != key(IN_BASE64)


def test_no_text_moves_from_one_part_to_the_next():
    parts = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n%b\n--b\n\n%b\n--b--\n"
    assert key(parts % (b"ab", b"c")) != key(parts % (b"a", b"bc"))


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"no header at all", b"\n\nbody"])
def test_what_has_no_identity_is_known_by_its_octets(raw):
    assert key(raw) == hashlib.sha256(raw).hexdigest()


def test_what_cannot_be_taken_apart_is_known_by_its_octets():
    raw = HEAD
    for level in range(60):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    assert key(raw) == hashlib.sha256(raw).hexdigest()


@given(st.binary(max_size=100), st.sampled_from([b"X-A: b\n", b"Received: x\n", b"Return-Path: <a@b>\n"]))
def test_a_trace_field_never_changes_the_key(body, field):
    assert key(field + HEAD + b"\n" + body) == key(HEAD + b"\n" + body)
