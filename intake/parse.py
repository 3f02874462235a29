"""Any octets to a Mail: the one entry to the parsers. Never raises, work bounded by the size of the mail.

The order: the header block (fields.py), the parts (parts.py, mime.py), the text (body.py, html.py), then the fields as
text, for its charset tells how to read undeclared octets in them. What is cut or doubtful is said in the defects.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from desk.mail import Address, Mail
from intake import addresses, automatic, body, decode, report
from intake.fields import Fields, scan, split
from intake.fingerprint import content_key
from intake.mime import DELIVERY_STATUS, Leaf, Tree, open_messages, tree
from intake.reply import split_reply

MAX_HEADER = 8 * 1024
MAX_SUBJECT = 4 * 1024
MAX_SENDER = 2 * 1024
MAX_RECIPIENTS = 128 * 1024
MAX_REFERENCES = 32 * 1024
MAX_ID = 998
LAST_REFERENCES = 20

_FIRST_REFERENCE = 2 * 1024
_MAX_DATE = 100
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ID = re.compile(r"<([^<>]{1,996})>")
_METHOD = re.compile(rb"^METHOD:[ \t]?([A-Za-z-]{1,40})", re.MULTILINE | re.IGNORECASE)
_VERBATIM = frozenset(("authentication-results", "arc-authentication-results", "received", "return-path"))
"""Written by servers, read as evidence: what a stranger put into them as an encoded word must not become syntax."""
_VERBATIM_START = "x-ms-exchange-"
_ONCE = ("from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject", "date")


def parse(raw: bytes, *, envelope_sender: str | None = None) -> Mail:
    """The mail these octets are, whatever they are. envelope_sender: None where unknown, empty for the null path."""
    octets = raw.removeprefix(_BYTE_ORDER_MARK)
    repaired = ("byte order mark in front of the header",) if len(octets) < len(raw) else ()
    fields = scan(octets)
    parts = tree(fields, split(octets)[1])
    shown = body.read(parts.leaves)
    header = _Header(fields, hint=_hint(fields, parts))
    sender = header.sender()
    reply = split_reply(shown.text, shown.html)
    reported = report.read(open_messages(parts)) if _may_report(fields, parts) else ()
    return Mail(
        message_id=header.message_id(),
        in_reply_to=header.in_reply_to(),
        references=header.references(),
        sender=sender,
        reply_to=header.mailboxes("reply-to", limit=MAX_SENDER),
        to=header.mailboxes("to", limit=MAX_RECIPIENTS),
        cc=header.mailboxes("cc", limit=MAX_RECIPIENTS),
        subject=header.line("subject", limit=MAX_SUBJECT),
        thread_topic=header.line("thread-topic", limit=MAX_SUBJECT),
        date=header.date(),
        text=shown.text,
        reply=reply.reply,
        signature=reply.signature,
        attachments=shown.attachments,
        automatic=automatic.judge(
            fields, sender=sender, envelope_sender=envelope_sender, content=_signs(parts), report=reported
        ),
        report=reported,
        headers=header.lines(),
        content_key=content_key(fields, parts, raw),
        defects=tuple(dict.fromkeys((*repaired, *fields.defects, *header.defects, *parts.defects, *shown.defects))),
    )


class _Header:
    """The fields as text; what is odd about them gathers in defects."""

    def __init__(self, fields: Fields, *, hint: str) -> None:
        self._fields = fields
        self._hint = hint
        names = [name for name, _ in fields.items]
        self.defects = [f"more than one {name.title()} field" for name in _ONCE if names.count(name) > 1]

    def line(self, name: str, *, limit: int) -> str:
        """The first such field as one decoded line, empty where there is none; cut before it is decoded."""
        return decode.header(self._octets(name, limit=limit), hint=self._hint)

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Each field, decoded unless it is evidence."""
        return tuple((name, self._shown(name, value[:MAX_HEADER])) for name, value in self._fields.items)

    def sender(self) -> Address | None:
        """The mailbox of From if there is no doubt which it is."""
        values = self._fields.all("from")
        if any(len(value) > MAX_SENDER for value in values):
            self.defects.append("From: longer than 2 KiB")
            return None
        texts = [decode.unlabelled(value, hint=self._hint) for value in values]
        address, fault = addresses.sender(texts, hint=self._hint)
        self.defects += [fault] if fault else ()
        self.defects += addresses.oddities(address) if address else ()
        return address

    def mailboxes(self, name: str, *, limit: int) -> tuple[Address, ...]:
        """All mailboxes of all such fields together."""
        values = self._fields.all(name)
        octets = b", ".join(values)
        found, sound = addresses.mailboxes(decode.unlabelled(octets[:limit], hint=self._hint), hint=self._hint)
        if not sound or len(octets) > limit:
            self.defects.append(f"{name.title()}: an entry that is no address, or too many")
        return found

    def message_id(self) -> str | None:
        """The identifier in angle brackets, or else what stands there."""
        text = self._plain("message-id", limit=MAX_HEADER)
        return next(_ids(text), text[:MAX_ID] if text.strip("<> ") else None)

    def in_reply_to(self) -> str | None:
        """The first identifier; older programs write words around it (RFC 822 section 4.6.2)."""
        text = self._plain("in-reply-to", limit=MAX_REFERENCES)
        return next(_ids(text), text[:MAX_ID] if text.strip("<>") and " " not in text else None)

    def references(self) -> tuple[str, ...]:
        """The first identifier, which began the thread, and the last ones, which are nearest."""
        value = self._fields.first("references") or b""
        if len(value) > MAX_REFERENCES:
            self.defects.append("References: longer than 32 KiB, the middle is not read")
            value = value[:_FIRST_REFERENCE] + b"<>" + value[-MAX_REFERENCES:]
        found = list(dict.fromkeys(_ids(decode.one_line(decode.unlabelled(value, hint=self._hint)))))
        return tuple(found if len(found) <= LAST_REFERENCES else (found[0], *found[-LAST_REFERENCES:]))

    def date(self) -> datetime | None:
        """The Date field with its offset; UTC where the sender does not tell its own (RFC 5322 section 3.3: -0000)."""
        text = self._plain("date", limit=_MAX_DATE)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):  # the mail goes on without a date
            self.defects += ["Date: not a date"] if text else ()
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _shown(self, name: str, value: bytes) -> str:
        if name in _VERBATIM or name.startswith(_VERBATIM_START):
            return decode.one_line(decode.unlabelled(value, hint=self._hint))
        return decode.header(value, hint=self._hint)

    def _octets(self, name: str, *, limit: int) -> bytes:
        value = self._fields.first(name) or b""
        if len(value) > limit:
            self.defects.append(f"{name.title()}: longer than {limit} octets, the rest is not read")
        return value[:limit]

    def _plain(self, name: str, *, limit: int) -> str:
        return decode.one_line(decode.unlabelled(self._octets(name, limit=limit), hint=self._hint))


def _ids(text: str) -> Iterator[str]:
    """Each identifier, put together again where it was folded."""
    for found in _ID.finditer(text):
        bare = "".join(found[1].split())
        if bare:
            yield f"<{bare}>"


def _hint(fields: Fields, parts: Tree) -> str:
    """How to read undeclared octets in the header: asked once, as a guess for each field would cost too much."""
    undeclared = b"\n".join(value for _, value in fields.items if not value.isascii())
    if not undeclared:
        return "cp1252"
    return body.charset(parts.leaves) or decode.detected(undeclared)


def _may_report(fields: Fields, parts: Tree) -> bool:
    """Nothing else makes a delivery report; most mails are none, and need not take the shape report.read wants."""
    return fields.first("x-failed-recipients") is not None or _has_delivery_status(parts)


def _has_delivery_status(parts: Tree) -> bool:
    return any(leaf.type in DELIVERY_STATUS for leaf in parts.leaves)


def _signs(parts: Tree) -> automatic.ContentSigns:
    root = parts.root
    reported = root.labels.named("report-type") if root.type == "multipart/report" else ""
    return automatic.ContentSigns(
        report_type=decode.one_line(reported).lower() or None,
        has_delivery_status=_has_delivery_status(parts),
        calendar_method=next(filter(None, map(_calendar_method, parts.leaves)), None),
    )


def _calendar_method(leaf: Leaf) -> str | None:
    """The iTIP method of an invitation (RFC 6047 section 2.4), but not of a calendar file a person attached."""
    if leaf.type != "text/calendar" or leaf.disposition.value == "attachment":
        return None
    found = _METHOD.search(leaf.octets[:MAX_HEADER])
    return leaf.labels.named("method") or (found[1].decode("ascii") if found else None)
