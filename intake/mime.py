"""The parts of a mail as leaves, each decoded once; and a mail in the shape of email.message, for reports.

Attached messages stay octets. What is nested too deep or would cost too much (parts.py) is shown as it came.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from functools import cached_property

from intake import decode
from intake.fields import MAX_BLOCK, Fields, split
from intake.labels import Labels, labels, uncommented
from intake.parts import MAX_DEPTH, MAX_PARTS, Header, Part, TooDeep, header, parts

_MAX_STATUS = 1024 * 1024
"""Octets of a delivery-status part that are read."""
_EMPTY_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]+")

_IDENTITY = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "none"))
_UUENCODE = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))
_EXACT = _UUENCODE | {"base64"}
_KNOWN = _IDENTITY | _EXACT | {"quoted-printable"}
DELIVERY_STATUS = frozenset(("message/delivery-status", "message/global-delivery-status"))


@dataclass(frozen=True)
class Leaf:
    """A part that holds no parts, with its content decoded. Without slots: its digest is asked for more than once."""

    header: Header
    type: str
    disposition: Labels
    octets: bytes
    branches: tuple[tuple[int, int], ...] = ()
    """For each multipart/alternative around it, from the outside: which one, and which of its branches."""
    extra: bool = False
    """Belongs to a text without being one: a part of multipart/related behind the root, a signature."""
    related: bool = False
    """Has a Content-ID and lies in a multipart/related."""
    exact: bool = False
    """Came in base64 or uuencode, which keep each octet."""

    @property
    def labels(self) -> Labels:
        """The Content-Type field, empty where it is missing."""
        return self.header.labels

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of the decoded content."""
        return hashlib.sha256(self.octets).hexdigest()


@dataclass(frozen=True, slots=True)
class Tree:
    """A mail's own header and its leaves in order. Not intact: shown as it came."""

    root: Header
    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...] = ()
    intact: bool = True


def tree(fields: Fields, body: bytes) -> Tree:
    """The mail taken apart; never raises. Time is linear in the mail, or the body is one leaf of text."""
    try:
        found, defects = parts(fields, body)
    except TooDeep:  # the body is shown whole
        return _untouched(fields, body)
    leaves = []
    for part in found:
        if part.content is not None:
            encoding = _encoding(part.header)
            leaves.append(_leaf(part, encoding, _decoded(encoding, part.content)))
            if encoding not in _KNOWN:
                defects.append(f"unknown transfer encoding {encoding[:40]}")
    return Tree(found[0].header, tuple(leaves), tuple(dict.fromkeys(defects)))


def open_messages(mail: Tree) -> Message:
    """The mail as a message of the standard library: its leaves side by side, attached messages opened one level.

    Only what a report is read from has content; of an attached message that is the header.
    """
    opened = [_message(leaf) for leaf in mail.leaves]
    if len(opened) == 1 and mail.leaves[0].header is mail.root:
        return opened[0]
    root = _headed(mail.root)
    root.set_payload([*opened])
    return root


def _message(leaf: Leaf) -> Message:
    message = _headed(leaf.header)
    if leaf.type in DELIVERY_STATUS:
        text = leaf.octets[:_MAX_STATUS].replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n")
        message.set_payload([_parsed(block) for block in _EMPTY_LINES.split(text, MAX_PARTS)[:MAX_PARTS]])
    elif leaf.type.startswith("message/"):
        message.set_payload([_parsed(split(leaf.octets[:MAX_BLOCK])[0])])
    elif leaf.type == "text/rfc822-headers":
        del message["content-transfer-encoding"]
        message.set_payload(leaf.octets[:MAX_BLOCK].decode("ascii", "surrogateescape"))
    return message


def _headed(found: Header) -> Message:
    message = Message(policy=compat32)
    message.set_default_type(found.type)
    for name, value in found.fields.items:
        message.set_raw(name, value.decode("ascii", "surrogateescape"))
    return message


def _parsed(block: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(block)


def _untouched(fields: Fields, body: bytes) -> Tree:
    root = header(fields)
    shown = Leaf(Header(fields, Labels("text/plain"), "text/plain"), "text/plain", Labels(), body)
    return Tree(root, (shown,), (f"parts nested deeper than {MAX_DEPTH}: shown as they came",), intact=False)


def _leaf(part: Part, encoding: str, octets: bytes) -> Leaf:
    kind = part.header.type
    return Leaf(
        header=part.header,
        type="text/plain" if kind.startswith("multipart/") else decode.one_line(kind)[:200],
        disposition=labels(part.header.value("content-disposition")),
        octets=octets,
        branches=part.place.branches,
        extra=part.place.extra,
        related=part.place.related and part.header.fields.first("content-id") is not None,
        exact=encoding in _EXACT,
    )


def _encoding(found: Header) -> str:
    token = _TOKEN.search(uncommented(found.value("content-transfer-encoding")[:1000].lower()))
    return token[0] if token else ""


def _decoded(encoding: str, content: bytes) -> bytes:
    """The content of a leaf; what cannot be decoded is given as it came."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    if encoding == "base64":
        return decode.base64(content)
    return _uudecoded(content) if encoding in _UUENCODE else content


def _uudecoded(octets: bytes) -> bytes:
    content = []
    started = False
    for line in octets.splitlines():
        if line.startswith(b"begin ") and not started:
            started = True
        elif started and line.strip() in (b"end", b"`", b""):
            break
        elif started:
            content.append(_uu_line(line))
    return b"".join(content) if started else octets


def _uu_line(line: bytes) -> bytes:
    # What the length octet says is taken: broken encoders write more, others cut blanks off.
    count = (((line[0] - 32) & 63) * 4 + 2) // 3
    try:
        return binascii.a2b_uu(line[: count + 1])
    except binascii.Error:  # one line of the attachment is lost, its octets stay in the raw mail
        return b""
