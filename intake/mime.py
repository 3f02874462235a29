"""The parts of a mail: a bounded walk over the tree of email.message, and each leaf decoded once.

The header block is the one of fields.scan, written out again, so that a malformed line cannot end it early. Attached
messages stay octets. What is nested deeper than MAX_DEPTH, or would cost the parser more than linear time, is not taken
apart but shown as it came; what lies behind the part MAX_PARTS is not read. Nothing here recurses on the mail.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.feedparser import BytesFeedParser
from email.message import Message
from email.policy import compat32
from functools import cached_property
from itertools import islice
from typing import Any

from intake import decode
from intake.fields import Fields, scan
from intake.labels import Labels, labels, octets_of, uncommented

MAX_DEPTH = 30
MAX_PARTS = 500
_FEW = MAX_DEPTH // 4
"""Delimiters that need no look at how they nest."""
_PIECE = 64 * 1024
_MAX_HEAD = 64 * 1024
_MAX_LINE_TESTS = 5_000_000
"""The standard parser tests each line against the boundary of each level; more than this takes seconds."""

_DELIMITER = re.compile(rb"(?:\A|[\r\n])--([^\r\n]{1,200})")
_HEAD_END = re.compile(rb"(?:\r\n|\r(?!\n)|\n){2}|[\r\n]--")
_EMPTY_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]+")

_IDENTITY = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "none"))
_UUENCODE = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))
_DEFECTS = {
    "NoBoundaryInMultipartDefect": "multipart without a boundary",
    "StartBoundaryNotFoundDefect": "multipart without its first boundary",
    "CloseBoundaryNotFoundDefect": "multipart without its last boundary",
    "InvalidMultipartContentTransferEncodingDefect": "transfer encoding on a multipart",
    "MissingHeaderBodySeparatorDefect": "part without an empty line behind its header",
}


class Part(Message):
    """A message that reads its Content-Type in bounded time and keeps attached messages as octets while parsed."""

    _payload: Any

    @property
    def content(self) -> Any:
        """The parts of a multipart as a list, the rest as the parser read it; get_payload would decode the text."""
        return self._payload

    @cached_property
    def labels(self) -> Labels:
        """The Content-Type field, empty where it is missing."""
        return labels(_value(self, "content-type"))

    def get_content_type(self) -> str:
        """The type in lower case; RFC 2045 section 5.2 where it is missing or malformed."""
        kind = self.labels.value
        main, _, sub = kind.partition("/")
        if not main or not sub or "/" in sub:
            kind = "text/plain" if kind else self.get_default_type()
        # The standard parser takes messages apart without a limit of depth. While it asks, the payload is not there.
        return "application/octet-stream" if self._payload is None and kind.startswith("message/") else kind

    def get_content_maintype(self) -> str:
        """The first half of the type."""
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: object = None) -> Any:
        """The boundary without blanks at its end, in whichever form of RFC 2231 it is written."""
        return self.labels.named("boundary").rstrip() or failobj


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds no parts, with its content decoded."""

    part: Part
    type: str
    labels: Labels
    disposition: Labels
    octets: bytes
    branches: tuple[tuple[int, int], ...] = ()
    """For each multipart/alternative around it, from the outside: which one, and which of its branches."""
    extra: bool = False
    """Belongs to a text without being one: a part of multipart/related behind the root, a signature."""
    related: bool = False
    """Has a Content-ID and lies in a multipart/related."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A mail's root part and its leaves in order. Not intact: shown as it came."""

    root: Part
    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...] = ()
    intact: bool = True


@dataclass(frozen=True, slots=True)
class _Place:
    branches: tuple[tuple[int, int], ...] = ()
    extra: bool = False
    related: bool = False


def tree(fields: Fields, body: bytes) -> Tree:
    """The mail taken apart; never raises. Time is linear in the mail, or the body is one leaf of text."""
    head = b"".join(b"%b: %b\n" % (name.encode("ascii"), value) for name, value in fields.items)
    end, sound = _reach(body, fields.first("content-type") or b"")
    root = _parsed(head + b"\n" + body[:end]) if sound else None
    if root is None:
        return _untouched(head, body)
    leaves: list[Leaf] = []
    defects = [] if end is None else [f"more than {MAX_PARTS} parts: rest not read"]
    for part, place in islice(_walk(root), MAX_PARTS + 1):
        defects += filter(None, (_DEFECTS.get(type(found).__name__) for found in part.defects))
        if not _is_container(part):
            leaf, defect = _leaf(part, place)
            leaves.append(leaf)
            defects += filter(None, (defect,))
    return Tree(root, tuple(leaves), tuple(dict.fromkeys(defects)))


def open_messages(mail: Tree) -> Part:
    """The root, attached messages and reports taken apart one level, in the shape the standard parser gives them."""
    for leaf in mail.leaves:
        if not leaf.type.startswith("message/") or isinstance(leaf.part.content, list):
            continue
        if leaf.type in ("message/delivery-status", "message/global-delivery-status"):
            text = leaf.octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n")
            opened = [_parsed(block) for block in _EMPTY_LINES.split(text, MAX_PARTS)[:MAX_PARTS]]
        else:
            end, sound = _reach(leaf.octets, scan(leaf.octets).first("content-type") or b"")
            opened = [_parsed(leaf.octets[:end]) if sound else None]
        leaf.part.set_payload([message for message in opened if message is not None])
    return mail.root


def _untouched(head: bytes, body: bytes) -> Tree:
    root = _message(head + b"\n")
    shown = Leaf(part=root, type="text/plain", labels=Labels("text/plain"), disposition=Labels(), octets=body)
    return Tree(root, (shown,), (f"parts nested deeper than {MAX_DEPTH}: shown as they came",), intact=False)


def _message(octets: bytes) -> Part:
    """In pieces: given all at once, the standard library keeps the whole in four octets a character."""
    parser = BytesFeedParser(_factory=Part, policy=compat32)
    for start in range(0, len(octets), _PIECE):
        parser.feed(octets[start : start + _PIECE])
    parsed = parser.close()
    assert isinstance(parsed, Part)
    return parsed


def _parsed(octets: bytes) -> Part | None:
    try:
        return _message(octets)
    except RecursionError:  # the caller goes on with the octets, which are kept
        return None


def _value(part: Message, name: str) -> str:
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


def _reach(body: bytes, declared: bytes) -> tuple[int | None, bool]:
    """Where what is behind the last permitted part begins (None: nothing), and whether the parser stays linear."""
    if body.count(b"\n--") + body.count(b"\r--") <= _FEW:
        return None, True
    parts = depth = 0
    end = None
    awaited = [_boundary(declared)]
    for found in _DELIMITER.finditer(body):
        line = found[1].rstrip()
        closing = line not in awaited and line.endswith(b"--")
        key = line[:-2] if closing else line
        if not key or key not in awaited:
            continue
        del awaited[awaited.index(key) + (not closing) :]
        parts += not closing
        if parts > MAX_PARTS:
            end = found.start()
            break
        inner = b"" if closing else _inner_boundary(body[found.end() : found.end() + _MAX_HEAD])
        awaited += filter(None, (inner,))
        depth = max(depth, len(awaited))
    lines = body.count(b"\n") + body.count(b"\r")
    return end, depth <= MAX_DEPTH and depth * lines <= _MAX_LINE_TESTS


def _inner_boundary(part: bytes) -> bytes:
    """The boundary declared in the header of a part; the octets begin with the line end behind its delimiter."""
    part = part[2:] if part.startswith(b"\r\n") else part[1:]
    end = _HEAD_END.search(part)
    return _boundary(scan(part[: end.start()] if end else part).first("content-type") or b"")


def _boundary(declared: bytes) -> bytes:
    boundary = labels(declared.decode("ascii", "surrogateescape")).named("boundary")
    return boundary.rstrip().encode("utf-8", "surrogateescape")


def _walk(root: Part) -> Iterator[tuple[Part, _Place]]:
    """Each part with its place, in order; by an own stack, as recursion would follow the mail."""
    stack = [(root, _Place())]
    containers = 0
    while stack:
        part, place = stack.pop()
        yield part, place
        if not _is_container(part):
            continue
        containers += 1
        kind = part.get_content_type()
        placed = [(child, _place(place, kind, containers, number)) for number, child in enumerate(part.content)]
        stack += reversed(placed)


def _is_container(part: Part) -> bool:
    return isinstance(part.content, list) and part.get_content_maintype() == "multipart"


def _place(around: _Place, kind: str, container: int, number: int) -> _Place:
    branches = around.branches
    if kind == "multipart/alternative":
        branches = (*branches, (container, number))
    aside = kind in ("multipart/related", "multipart/signed") and number > 0
    return _Place(branches, around.extra or aside, around.related or kind == "multipart/related")


def _leaf(part: Part, place: _Place) -> tuple[Leaf, str | None]:
    kind = part.get_content_type()
    octets, defect = _content(part)
    leaf = Leaf(
        part=part,
        type="text/plain" if kind.startswith("multipart/") else decode.one_line(kind)[:200],
        labels=part.labels,
        disposition=labels(_value(part, "content-disposition")),
        octets=octets,
        branches=place.branches,
        extra=place.extra,
        related=place.related and "content-id" in part,
    )
    return leaf, defect


def _content(part: Part) -> tuple[bytes, str | None]:
    """The decoded octets of a leaf; what cannot be decoded is given as it came, with the defect."""
    octets = octets_of(part.content) if isinstance(part.content, str) else b""
    token = _TOKEN.search(uncommented(_value(part, "content-transfer-encoding")[:1000].lower()))
    encoding = token[0] if token else ""
    if encoding in _IDENTITY:
        return octets, None
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets), None
    if encoding == "base64":
        return decode.base64(octets), None
    if encoding in _UUENCODE:
        return _uudecoded(octets), None
    return octets, f"unknown transfer encoding {encoding[:40]}"


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
