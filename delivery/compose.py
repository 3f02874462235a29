"""Writes a whole message: the same letter always gives the same bytes, so that a resend is the same mail.

Bytes are joined by hand: no randomness (the boundary comes from the Message-ID), no clock, and no field that is not
written by header.py. What it does not decide: what is said (templates) and who is written to.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

from delivery.header import address_field, addresses_field, ids_field, is_id, plain_field, text_field
from desk.mail import Address

LAST_REFERENCES = 20

_SUPPRESS = plain_field("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")
_LAST_FIELD = plain_field("MIME-Version", "1.0")
_BULK = plain_field("Precedence", "bulk")


class LetterKind(StrEnum):
    """Why we write, as other machines are told it (RFC 3834 section 5)."""

    RECEIPT = "receipt"
    """The automatic answer to a mail."""
    NOTIFICATION = "notification"
    """Said of our own accord: a reminder, a digest, an alarm."""


# Suppress does not say All: that would also ask for no bounce, and bounces we want.
_MARKERS = {
    LetterKind.RECEIPT: plain_field("Auto-Submitted", "auto-replied")
    + _SUPPRESS
    + _BULK
    + plain_field("X-Autoreply", "yes"),
    LetterKind.NOTIFICATION: plain_field("Auto-Submitted", "auto-generated") + _SUPPRESS + _BULK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent to one person. Raises ValueError for a date without zone or a malformed Message-ID."""

    from_name: str
    from_address: str
    to: Address
    subject: str
    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    """Bare addresses."""
    date: datetime
    language: str
    """Content-Language: one tag or several, comma separated (RFC 3282)."""
    text: str
    html: str | None = None
    thread_topic: str = ""
    kind: LetterKind
    identity: str
    """X-Deskbell-Id: survives a relay that rewrites the Message-ID."""

    def __post_init__(self) -> None:
        """Refuse what would make two sendings differ or break the thread."""
        if self.date.utcoffset() is None:
            raise ValueError("a letter's date needs a zone")
        if not is_id(self.message_id):
            raise ValueError(f"{self.message_id!r} is no Message-ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a message says instead, and since when. date is aware."""

    message_id: str
    date: datetime
    text: str
    html: str | None = None


def compose(letter: Letter) -> bytes:
    """The message (RFC 5322), 7-bit with CRLF line ends, each field once, addressed to exactly one mailbox.

    The text comes back as given, with LF for any line end and one at its end. Identifiers that are malformed are left
    out. Raises UnsendableAddress for an address nobody can write to, ValueError for a token of ours that is not ASCII.
    """
    return b"".join((_fields(letter), _body(letter.message_id, letter.text, letter.html)))


def reworded(message: bytes, words: Words) -> bytes:
    """A message of ours that nobody has got yet, with the same fields but Date, and another text."""
    fields, last, _ = message.partition(_LAST_FIELD)
    _, _, others = fields.partition(b"\r\n")  # Date is the first field
    date = plain_field("Date", format_datetime(words.date))
    return b"".join((date, others, last, _body(words.message_id, words.text, words.html)))


def _fields(letter: Letter) -> bytes:
    return b"".join(
        (
            plain_field("Date", format_datetime(letter.date)),
            address_field("From", letter.from_name, letter.from_address),
            addresses_field("Reply-To", letter.reply_to),
            address_field("To", letter.to.name, letter.to.address),
            text_field("Subject", letter.subject),
            text_field("Thread-Topic", letter.thread_topic) if letter.thread_topic else b"",
            ids_field("Message-ID", (letter.message_id,)),
            ids_field("In-Reply-To", (letter.in_reply_to or "",)),
            ids_field("References", letter.references[-LAST_REFERENCES:]),
            _MARKERS[letter.kind],
            plain_field("X-Deskbell-Id", letter.identity),
            plain_field("Content-Language", letter.language),
            _LAST_FIELD,
        )
    )


def _body(message_id: str, text: str, html: str | None) -> bytes:
    plain = _part("text/plain; charset=utf-8; format=fixed", text)
    if html is None:
        return plain
    # Neither quoted-printable nor base64 can hold "=_": the boundary never occurs in a part (RFC 2045 section 6.7).
    boundary = "=_" + hashlib.sha256(message_id.encode("ascii")).hexdigest()[:32]
    fence = b"--" + boundary.encode("ascii")
    return b"".join(
        (
            plain_field("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
            b"\r\n" + fence + b"\r\n" + plain,
            b"\r\n" + fence + b"\r\n" + _part("text/html; charset=utf-8", html),
            b"\r\n" + fence + b"--\r\n",
        )
    )


_LITERAL = bytes(range(ord(" "), ord("~") + 1)).replace(b"=", b"") + b"\t\r\n"


def _part(content_type: str, text: str) -> bytes:
    octets = _octets(text)
    # As in header.py: quoted-printable is shorter, and readable, where few octets are escaped.
    if 6 * len(octets.translate(None, _LITERAL)) < len(octets):
        encoding, encoded = "quoted-printable", binascii.b2a_qp(octets)
    else:
        encoding, encoded = "base64", base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return b"".join(
        (
            plain_field("Content-Type", content_type),
            plain_field("Content-Transfer-Encoding", encoding),
            b"\r\n",
            encoded,
        )
    )


def _octets(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines.endswith("\n"):
        lines += "\n"
    return lines.replace("\n", "\r\n").encode("utf-8", "replace")


_ATTACK = "x =?utf-8?q?=0ABcc:_evil=40e?=\r\nBcc: evil@attack.example\n\nbody\u2028Bcc: evil@attack.example\x85"


def self_test() -> None:
    """Nothing, where a hostile subject, name or identifier stays inside its field; RuntimeError where it comes through.

    Called at start, so that a broken build refuses to run rather than write to whom an attacker names.
    """
    harmless = _attacked("x")
    if _names(compose(_attacked(_ATTACK))) != _names(compose(harmless)):
        raise RuntimeError("self-test failed: a header field could be injected into outgoing mail; nothing is sent")


def _attacked(words: str) -> Letter:
    return Letter(
        from_name=words,
        from_address="help@self-test.invalid",
        to=Address(words, "person@self-test.invalid"),
        subject=words,
        message_id="<self.test@self-test.invalid>",
        in_reply_to="<parent@self-test.invalid>",
        references=(f"<{words}@self-test.invalid>", "<parent@self-test.invalid>"),
        date=datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
        language="en",
        text=words,
        thread_topic=words,
        kind=LetterKind.RECEIPT,
        identity="self-test",
    )


def _names(message: bytes) -> list[bytes]:
    """The names of all header lines that are no continuation, split at any line break a lax reader might see."""
    block = message.partition(b"\r\n\r\n")[0]
    return [line.partition(b":")[0] for line in block.splitlines() if not line.startswith((b" ", b"\t"))]
