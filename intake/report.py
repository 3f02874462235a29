"""What a delivery report says about whom it could not reach (RFC 3464), without believing it.

A report is a claim of a stranger: whether it is about a mail of ours is decided by the token in the Message-ID it
returns, not here. Feedback reports (RFC 5965) and disposition notifications (RFC 8098) name no failed recipient.
Header values are read as they stand, never through the parsing of an email policy, which raises on hostile ones.
"""

import quopri
import re
from collections.abc import Iterator
from email.message import Message

from desk.mail import ReportedRecipient, ascii_fold
from intake import decode, fields

MAX_PARTS = 500
MAX_RECIPIENTS = 100
_MAX_ADDRESS = 1_000

_DELIVERY_STATUS = frozenset(("message/delivery-status", "message/global-delivery-status"))
_RETURNED = frozenset(("message/rfc822", "message/global"))
_RETURNED_HEADERS = frozenset(("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"))

_GROUP_END = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_REPLY_CODE = re.compile(r"\b([245])\d\d\b")
_WORD = re.compile(r"[a-z-]{1,20}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_NO_OCTET = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_UNPRINTED = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]")

_Group = dict[str, str]


def read(message: Message) -> tuple[ReportedRecipient, ...]:
    """Each recipient a delivery report speaks of, at most MAX_RECIPIENTS; none where it is no delivery report.

    permanent is true or false only where the report says the class of the status (RFC 3463 section 2); a delay is
    never permanent. A forwarded report inside of an attached message is not looked at.
    """
    parts = list(_parts(message))
    reports = [part for part in parts if _content_type(part) in _DELIVERY_STATUS]
    failed = _failed_recipients(message)
    if not reports and not failed:
        return ()
    original = _original_message_id(message, parts)
    groups = [group for part in reports for group in _groups(part)]
    recipients = [found for group in groups if (found := _recipient(group, original)) is not None]
    known = {ascii_fold(recipient.recipient) for recipient in recipients}
    recipients += [
        ReportedRecipient(address, "failed", None, None, original)
        for address in failed
        if ascii_fold(address) not in known
    ]
    return tuple(recipients[:MAX_RECIPIENTS])


def _parts(message: Message) -> Iterator[Message]:
    """The message and the parts of its multiparts in order, but nothing inside an attached message."""
    waiting = [message]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        yield part
        if _content_type(part).startswith("multipart/"):
            waiting += reversed(_inner(part)[:MAX_PARTS])


def _inner(part: Message) -> list[Message]:
    payload: object = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _content_type(part: Message) -> str:
    value = _raw_value(part, "content-type") or part.get_default_type()
    return ascii_fold(value.partition(";")[0].strip())


def _raw_value(part: Message, name: str) -> str | None:
    return next((str(value) for key, value in part.raw_items() if ascii_fold(key) == name), None)


def _groups(part: Message) -> Iterator[_Group]:
    """The blocks of fields of a delivery-status part: the standard parser reads one message per block.

    Text a block still holds (an encoded part, or the global variant, which that parser does not split) is split here.
    """
    for block in (_inner(part) or [part])[:MAX_PARTS]:
        if block is not part:
            yield _group((key, str(value)) for key, value in block.raw_items())
        for text in _GROUP_END.split(_octets(block, encoded_as=part), maxsplit=MAX_PARTS):
            yield _group((key, value.decode("utf-8", "replace")) for key, value in fields.scan(text).items)


def _group(items: Iterator[tuple[str, str]]) -> _Group:
    """The first value of each field."""
    group: _Group = {}
    for key, value in items:
        group.setdefault(ascii_fold(key), value[: _MAX_ADDRESS * 2])
    return group


def _octets(block: Message, *, encoded_as: Message) -> bytes:
    """The block's text, decoded as the part that holds it says; empty where it is not text."""
    text: object = block.get_payload()
    if not isinstance(text, str):
        return b""
    octets = _NO_OCTET.sub("?", text[: fields.MAX_BLOCK]).encode("utf-8", "surrogateescape")
    encoding = ascii_fold(_raw_value(encoded_as, "content-transfer-encoding") or "").strip()
    if encoding.startswith("base64"):
        return decode.base64(octets)
    return quopri.decodestring(octets) if encoding.startswith("quoted-printable") else octets


def _recipient(group: _Group, original: str | None) -> ReportedRecipient | None:
    final = _address(group.get("final-recipient", ""))
    asked = _address(group.get("original-recipient", ""))
    if not (final or asked):
        return None
    action = _WORD.match(ascii_fold(group.get("action", "").strip()))
    return ReportedRecipient(
        recipient=final or _XTEXT.sub(lambda code: chr(int(code[1], 16)), asked),
        action=action[0] if action else None,
        status=_status(group),
        permanent=_permanent(action[0] if action else None, _status_class(group)),
        original_message_id=original,
    )


def _address(value: str) -> str:
    """The address behind its type ("rfc822; a@b"), without angle brackets and comments behind it."""
    kind, semicolon, typed = value.partition(";")
    words = (typed if semicolon else kind).split()
    return _UNPRINTED.sub("", words[0].strip("<>"))[:_MAX_ADDRESS] if words else ""


def _status(group: _Group) -> str | None:
    found = _STATUS.search(group.get("status", "")) or _STATUS.search(group.get("diagnostic-code", ""))
    return found[0] if found else None


def _status_class(group: _Group) -> str | None:
    status = _status(group)
    if status:
        return status[0]
    code = _REPLY_CODE.search(group.get("diagnostic-code", ""))
    return code[1] if code else None


def _permanent(action: str | None, status_class: str | None) -> bool | None:
    if action == "delayed":
        return False
    if action not in (None, "failed") or status_class is None or status_class == "2":
        return None
    return status_class == "5"


def _original_message_id(message: Message, parts: list[Message]) -> str | None:
    """From the returned message, else from what the report itself says it answers (Exchange returns nothing more)."""
    for part in parts[1:]:
        kind = _content_type(part)
        if kind in _RETURNED | _RETURNED_HEADERS and (found := _returned_id(part)):
            return found
    return _message_id(_raw_value(message, "in-reply-to"))


def _returned_id(part: Message) -> str | None:
    """The id that the sender gave: where Microsoft 365 put one of its own in its place, it kept that one beside."""
    header = fields.scan(_octets(part, encoded_as=part))
    for name in ("x-microsoft-original-message-id", "message-id"):
        inner = next((found for one in _inner(part)[:1] if (found := _message_id(_raw_value(one, name)))), None)
        value = header.first(name)
        if found := inner or _message_id(value.decode("utf-8", "replace") if value else None):
            return found
    return None


def _message_id(value: str | None) -> str | None:
    found = _MESSAGE_ID.search(value or "")
    return _UNPRINTED.sub("", found[0]) if found else None


def _failed_recipients(message: Message) -> list[str]:
    """The addresses of X-Failed-Recipients, which Exim sets on its reports."""
    value = _raw_value(message, "x-failed-recipients") or ""
    listed = value[: MAX_RECIPIENTS * _MAX_ADDRESS].split(",", MAX_RECIPIENTS)[:MAX_RECIPIENTS]
    return [address for one in listed if (address := _address(one))]
