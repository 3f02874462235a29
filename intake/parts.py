"""Where the parts of a mail lie: for each multipart one search for its delimiter (RFC 2046 section 5.1).

No line is looked at that does not hold the delimiter, and nothing is copied but the leaves. A multipart is searched
only between the delimiters of the one around it. What is nested deeper than MAX_DEPTH or would cost more than linear
time is refused as a whole; what lies behind the part MAX_PARTS is not read. Nothing here recurses on the mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake.fields import Fields, scan
from intake.labels import Labels, labels

MAX_DEPTH = 30
MAX_PARTS = 500
_MAX_SEARCHED = 10_000_000
"""Octets searched, each once per multipart around it; a longer mail may have _MAX_TIMES its own size searched."""
_MAX_TIMES = 12
_MAX_LOOKS = 100_000
"""Lines that hold a delimiter or something like it."""

_HEAD = re.compile(rb"(?:From [^\r\n]*(?:\r\n?|\n|\Z))?(?:(?:[!-9;-~]*+:|[ \t])[^\r\n]*(?:\r\n?|\n|\Z))*+")
_REST = re.compile(rb"(--)?[ \t]*+(?:\r\n?|\n|\Z)")
_LINE_END = re.compile(rb"\r\n?|\n")
_BREAK = re.compile(rb"[\r\n]")

_CLEAR = frozenset((b"7bit", b"8bit", b"binary"))
_NO_BOUNDARY = "multipart without a boundary"
_NO_FIRST = "multipart without its first boundary"
_NO_LAST = "multipart without its last boundary"
_ENCODED = "transfer encoding on a multipart"
_NO_EMPTY_LINE = "part without an empty line behind its header"
_TOO_MANY = f"more than {MAX_PARTS} parts: rest not read"


class TooDeep(Exception):
    """Parts nested too deep, or too dear to take apart; the mail is to be shown as it came."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a part is."""

    branches: tuple[tuple[int, int], ...] = ()
    """For each multipart/alternative around it, from the outside: which one, and which of its branches."""
    extra: bool = False
    """Belongs to a text without being one: a part of multipart/related behind the root, a signature."""
    related: bool = False
    """Lies in a multipart/related."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a part; its type in lower case, RFC 2045 section 5.2 where that is missing or malformed."""

    fields: Fields
    labels: Labels
    type: str

    def value(self, name: str) -> str:
        """The first such field, empty where there is none: ASCII, each other octet as a lone surrogate."""
        return (self.fields.first(name) or b"").decode("ascii", "surrogateescape")


@dataclass(slots=True)
class Part:
    """A part in the order of the mail. content: a leaf as it came, its transfer encoding not undone; else None."""

    header: Header
    place: Place
    defects: list[str] = field(default_factory=list)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Delimiter:
    start: int
    end: int
    """Behind its line."""
    closing: bool


@dataclass(slots=True)
class _Multipart:
    """A multipart that is being read: what its next parts are."""

    header: Header
    place: Place
    number: int
    contents: Iterator[tuple[int, int]]
    parts: int = 0

    def next_place(self) -> Place:
        """The place of the next part."""
        around, kind, number = self.place, self.header.type, self.parts
        self.parts += 1
        branches = around.branches
        if kind == "multipart/alternative":
            branches = (*branches, (self.number, number))
        aside = kind in ("multipart/related", "multipart/signed") and number > 0
        return Place(branches, around.extra or aside, around.related or kind == "multipart/related")

    def default(self) -> str:
        """The type of a part that names none (RFC 2046 section 5.1.5)."""
        return "message/rfc822" if self.header.type == "multipart/digest" else "text/plain"


def header(fields: Fields, *, default: str = "text/plain") -> Header:
    """The header these fields are; default: the type where they name none."""
    found = labels((fields.first("content-type") or b"").decode("ascii", "surrogateescape"))
    main, _, sub = found.value.partition("/")
    if main and sub and "/" not in sub:
        return Header(fields, found, found.value)
    return Header(fields, found, "text/plain" if found.value else default)


def parts(root: Fields, body: bytes) -> tuple[list[Part], list[str]]:
    """Each part of the mail in order, the root first, and what is wrong with their structure. Raises TooDeep."""
    reading = _Reading(body)
    whole = Part(header(root), Place())
    # As if a delimiter followed: the last part of a multipart that is not closed ends like any other.
    end = _before_line_end(body, 0, len(body)) if whole.header.type.startswith("multipart/") else len(body)
    reading.enter(whole, 0, end)
    defects = []
    while reading.multiparts:
        around = reading.multiparts[-1]
        content = next(around.contents, None)
        if content is None:
            reading.multiparts.pop()
        elif len(reading.found) > MAX_PARTS:
            defects.append(_TOO_MANY)
            break
        else:
            reading.enter_content(around, *content)
    defects += (defect for part in reading.found for defect in part.defects)
    return reading.found, defects


class _Reading:
    """The parts found so far, the multiparts around the next one, and what the search may still cost."""

    def __init__(self, body: bytes) -> None:
        self.found: list[Part] = []
        self.multiparts: list[_Multipart] = []
        self._body = body
        self._opened = 0
        self._may_search = max(_MAX_SEARCHED, _MAX_TIMES * len(body))
        self._may_look = _MAX_LOOKS

    def enter_content(self, around: _Multipart, start: int, end: int) -> None:
        """Note the part whose header and body lie here."""
        head = _HEAD.match(self._body, start, end)
        behind = head.end() if head else start
        separator = _LINE_END.match(self._body, behind, end)
        defects = [] if separator or behind == end else [_NO_EMPTY_LINE]
        found = header(scan(self._body[start:behind]), default=around.default())
        part = Part(found, around.next_place(), defects)
        self.enter(part, separator.end() if separator else behind, end)

    def enter(self, part: Part, start: int, end: int) -> None:
        """Note the part whose body lies here; if it is a multipart, its parts are read next."""
        self.found.append(part)
        if not part.header.type.startswith("multipart/"):
            part.content = self._body[start:end]
            return
        boundary = part.header.labels.named("boundary").rstrip().encode("utf-8", "surrogateescape")
        if not boundary:
            part.defects.append(_NO_BOUNDARY)
            part.content = self._body[start:end]
            return
        if (part.header.fields.first("content-transfer-encoding") or b"7bit").lower() not in _CLEAR:
            part.defects.append(_ENCODED)
        self._open(part, b"--" + boundary, start, end)

    def _open(self, part: Part, mark: bytes, start: int, end: int) -> None:
        self._may_search -= end - start
        if len(self.multiparts) == MAX_DEPTH or self._may_search < 0:
            raise TooDeep
        first = self._delimiter(mark, start, end)
        if first is None or first.closing:
            part.defects.append(_NO_FIRST)
            part.content = self._body[start : first.start if first else end]
            return
        self._opened += 1
        contents = self._contents(part, mark, first.end, end)
        self.multiparts.append(_Multipart(part.header, part.place, self._opened, contents))

    def _contents(self, part: Part, mark: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where each part of a multipart lies; start is behind the first delimiter."""
        following = self._delimiter(mark, start, end)
        while following:
            if following.start == start:  # one, though the lower one may close: what follows is shown, not dropped
                start = following.end
            else:
                yield start, _before_line_end(self._body, start, following.start)
                if following.closing:
                    return
                start = following.end
            following = self._delimiter(mark, start, end)
        part.defects.append(_NO_LAST)
        yield start, end

    def _delimiter(self, mark: bytes, start: int, end: int) -> _Delimiter | None:
        """The first line from start, where a line begins, that is this delimiter."""
        body, position = self._body, start
        while (found := body.find(mark, position, end)) >= 0:
            self._may_look -= 1
            if self._may_look < 0:
                raise TooDeep
            rest = _REST.match(body, found + len(mark), end)
            if rest and (found == start or body[found - 1] in b"\r\n"):
                return _Delimiter(found, rest.end(), rest[1] is not None)
            line_end = _BREAK.search(body, found, end)
            position = line_end.end() if line_end else end
        return None


def _before_line_end(body: bytes, start: int, end: int) -> int:
    """Where the content ends that has its last line end here; that belongs to the delimiter behind it."""
    if body.endswith(b"\r\n", start, end):
        return end - 2
    return end - 1 if body.endswith((b"\n", b"\r"), start, end) else end
