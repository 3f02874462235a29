"""The mails of a simulated world, tiny, each of a kind whose fate is known beforehand."""

from dataclasses import dataclass
from enum import StrEnum

MAILBOX = "help@corp.example"
OTHER = "hr@corp.example"
"""A second mailbox, of which no copy ever comes."""
LARGEST = 8_000
"""Octets up to which a mail is fetched whole."""


class Kind(StrEnum):
    """What a mail is, and with that what must become of it."""

    PERSON = "person"
    """Opens a request and is sent a receipt."""
    BOTH = "both"
    """As PERSON, but written to a second mailbox too: one request, told to two departments."""
    NAMELESS = "nameless"
    """As PERSON, but without Message-ID: it is the same mail only within ten minutes."""
    ROBOT = "robot"
    """Opens a request and is answered by nobody."""
    REPLY = "reply"
    """Answers a receipt: appended to its request."""
    AWAY = "away"
    """An automatic answer to a receipt: absorbed by its request."""
    RETURNED = "returned"
    """Our own receipt back in our mailbox: absorbed by its request."""
    POISON = "poison"
    """Cannot be parsed: quarantined."""
    KILLER = "killer"
    """Takes the process with it: quarantined."""
    LARGE = "large"
    """Larger than is fetched."""
    OLD = "old"
    """In the mailbox before it was watched: none of ours, even after the mailbox was renumbered."""


@dataclass(eq=False, slots=True)
class Matter:
    """A mail as its writer sent it once, however often it comes; parent is the one that a receipt was for."""

    kind: Kind
    raw: bytes
    sender: str
    parent: "Matter | None" = None


def first_mail(kind: Kind, number: int) -> Matter:
    """A mail that answers none."""
    sender = f"person{number % 3}@corp.example"
    fields = [
        f"From: P{number} <{sender}>",
        f"To: {MAILBOX}, {OTHER}" if kind is Kind.BOTH else f"To: {MAILBOX}",
        f"Subject: printer {number}",
        f"Date: Mon, 2 Mar 2026 09:{number % 60:02}:00 +0100",
    ]
    if kind is not Kind.NAMELESS:
        fields.append(f"Message-ID: <{number}.mail@corp.example>")
    if kind is Kind.ROBOT:
        fields.append("Auto-Submitted: auto-replied")
    if kind in (Kind.POISON, Kind.KILLER):
        fields.append(f"X-Poison: {kind}")
    body = "x" * 70 + "\n"
    return Matter(
        kind, _octets(fields, body * (LARGEST // 60) if kind is Kind.LARGE else f"It is broken {number}."), sender
    )


def answer(kind: Kind, number: int, *, parent: Matter, receipt_id: str) -> Matter:
    """A mail that answers the receipt sent to the parent's writer."""
    fields = [
        f"From: {parent.sender}",
        f"To: {MAILBOX}",
        f"Subject: Re: answer {number}",
        "Date: Mon, 2 Mar 2026 10:00:00 +0100",
        f"Message-ID: <{number}.answer@corp.example>",
        f"In-Reply-To: {receipt_id}",
        f"References: {receipt_id}",
    ]
    if kind is Kind.AWAY:
        fields.append("Auto-Submitted: auto-replied (vacation)")
    return Matter(kind, _octets(fields, f"Answer {number}."), parent.sender, parent)


def by_another_hop(raw: bytes, number: int) -> bytes:
    """The same mail with trace fields of its own."""
    return f"Received: from mx{number}.corp.example by mail; Mon, 2 Mar 2026 09:00:00 +0100\r\n".encode() + raw


def _octets(fields: list[str], body: str) -> bytes:
    return ("\n".join([*fields, "", body, ""])).replace("\n", "\r\n").encode("ascii")
