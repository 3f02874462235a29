"""Which leaves of a mail are its text, which are attachments, and what they are called.

Shown is text/plain before HTML before other text before a calendar invitation, so that nobody needs a browser to read a
mail. Of a multipart/alternative one branch is shown; the other texts of it are neither text nor attachment.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from desk.mail import Attachment
from intake import decode
from intake.html import visible_text
from intake.mime import Leaf

MAX_TEXT = 1024 * 1024
"""Octets of a text that are read, and characters of all texts that are shown."""
MAX_NAME = 150
"""Octets (UTF-8) of an attachment's name."""
_MAX_TEXTS = 20
_MAX_SUFFIX = 16

_META_CHARSET = re.compile(rb"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_LAST_COMPONENT = re.compile(r"[^/\\]*\Z")

_PLACEHOLDER = re.compile(rb"\bhtml\b|\bview (?:this|it|the) ", re.IGNORECASE)
_MAX_PLACEHOLDER = 400

_UNREADABLE = {
    "application/ms-tnef": "content not readable: Outlook's own format (TNEF)",
    "application/vnd.ms-tnef": "content not readable: Outlook's own format (TNEF)",
    "application/pkcs7-mime": "content not readable: S/MIME",
    "application/x-pkcs7-mime": "content not readable: S/MIME",
    "application/pgp-encrypted": "content not readable: PGP",
}


class _Rank(IntEnum):
    PLAIN = 0
    HTML = 1
    RICH = 2
    CALENDAR = 3


_RANKS = {
    "text/plain": _Rank.PLAIN,
    "text/markdown": _Rank.PLAIN,
    "text/html": _Rank.HTML,
    "application/xhtml+xml": _Rank.HTML,
    "text/enriched": _Rank.RICH,
    "text/richtext": _Rank.RICH,
    "text/calendar": _Rank.CALENDAR,
    "message/external-body": _Rank.CALENDAR,
    "message/partial": _Rank.CALENDAR,
}


@dataclass(frozen=True, slots=True)
class Body:
    """The shown text; the HTML that is the text or says the same, undecorated; everything else as attachments."""

    text: str
    html: str | None
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...] = ()


def read(leaves: Sequence[Leaf]) -> Body:
    """The body of a mail made of these leaves; linear in their octets, never raises."""
    texts = [leaf for leaf in leaves if _may_be_text(leaf)]
    chosen = texts
    for alternative in sorted({number for leaf in texts for number, _ in leaf.branches}):
        chosen = _one_branch(chosen, alternative)
    shown = _best(chosen)
    passed_over = {id(leaf) for leaf in texts} - {id(leaf) for leaf in chosen}
    aside = passed_over | {id(leaf) for leaf in (*shown, *chosen) if not leaf.octets.strip()}
    aside |= {id(leaf) for leaf in shown}
    pieces, defects = _texts(shown)
    text = "\n\n".join(piece for piece in pieces if piece)
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        defects.append("text longer than 1 MiB: rest not shown")
    page = next((leaf for leaf in (*shown, *texts) if _RANKS[leaf.type] is _Rank.HTML), None)
    rest = [leaf for leaf in leaves if id(leaf) not in aside]
    defects += (_UNREADABLE[leaf.type] for leaf in rest if leaf.type in _UNREADABLE)
    return Body(
        text=text,
        html=_source(page)[0] if page else None,
        attachments=tuple(map(attachment, rest)),
        defects=tuple(dict.fromkeys(defects)),
    )


def charset(leaves: Iterable[Leaf]) -> str | None:
    """The 8-bit charset a text declares: the best word on undeclared octets elsewhere in the mail."""
    declared = (decode.codec(leaf.labels.named("charset")) for leaf in leaves if leaf.type in _RANKS)
    return next((name for name in declared if name and name != "ascii" and not name.startswith(("utf", "hz"))), None)


def attachment(leaf: Leaf) -> Attachment:
    """What is kept of a leaf that is not shown; name "" where it has none that can be used."""
    return Attachment(
        name=file_name(leaf.disposition.named("filename") or leaf.labels.named("name")),
        content_type=leaf.type,
        size=len(leaf.octets),
        sha256=leaf.digest,
        inline=leaf.disposition.value == "inline" or leaf.related,
    )


def file_name(given: str) -> str:
    """The last component of a path, clean, at most MAX_NAME octets, suffix kept; to be shown, never to be opened."""
    found = _LAST_COMPONENT.search(decode.name(given))
    name = (found[0] if found else "").strip(" .\t") if given.strip(" .") else ""
    if len(name.encode()) <= MAX_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _MAX_SUFFIX:
        return name.encode()[:MAX_NAME].decode("utf-8", "ignore")
    room = MAX_NAME - len((dot + suffix).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + suffix


def unflowed(text: str, *, delete_space: bool) -> str:
    """The paragraphs of format=flowed put together (RFC 3676 section 4), quotation marks kept."""
    paragraphs: list[tuple[int, list[str]]] = []
    soft = False
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if soft and paragraphs[-1][0] == depth and content != "-- ":
            paragraphs[-1][1].append(content)
        else:
            paragraphs.append((depth, [content]))
        soft = content.endswith(" ") and content != "-- "
        if soft and delete_space:
            paragraphs[-1][1][-1] = content[:-1]
    return "\n".join(">" * depth + " " * (depth > 0) + "".join(pieces) for depth, pieces in paragraphs)


def _may_be_text(leaf: Leaf) -> bool:
    return leaf.type in _RANKS and not leaf.extra and leaf.disposition.value != "attachment"


def _one_branch(texts: Sequence[Leaf], alternative: int) -> list[Leaf]:
    """The texts without those in other branches of the alternative than the best; later is better (RFC 2046 5.1.4)."""
    inside = [(leaf, dict(leaf.branches)[alternative]) for leaf in texts if alternative in dict(leaf.branches)]
    filled = [(_rank(leaf), -branch) for leaf, branch in inside if leaf.octets.strip()]
    best = -min(filled)[1] if filled else 0
    return [leaf for leaf in texts if dict(leaf.branches).get(alternative, best) == best]


def _rank(leaf: Leaf) -> _Rank:
    """A text that only says that the other one is to be read ranks behind it."""
    short = len(leaf.octets) <= _MAX_PLACEHOLDER and _RANKS[leaf.type] is _Rank.PLAIN
    return _Rank.RICH if short and _PLACEHOLDER.search(leaf.octets) else _RANKS[leaf.type]


def _best(texts: Sequence[Leaf]) -> list[Leaf]:
    """Plain and HTML texts together; other kinds only where there is nothing else. A file among texts is a file."""
    filled = [leaf for leaf in texts if leaf.octets.strip()]
    wanted = max(_Rank.HTML, min((_RANKS[leaf.type] for leaf in filled), default=_Rank.HTML))
    fitting = [leaf for leaf in filled if _RANKS[leaf.type] <= wanted]
    return [leaf for number, leaf in enumerate(fitting) if number == 0 or not _has_name(leaf)][:_MAX_TEXTS]


def _has_name(leaf: Leaf) -> bool:
    return bool(leaf.disposition.named("filename") or leaf.labels.named("name"))


def _texts(shown: Iterable[Leaf]) -> tuple[list[str], list[str]]:
    pieces: list[str] = []
    defects: list[str] = []
    for leaf in shown:
        text, found = _source(leaf)
        if _RANKS[leaf.type] is _Rank.HTML:
            page = visible_text(text)
            text, found = page.text, (*found, *page.defects)
        elif leaf.labels.named("format").lower() == "flowed":
            text = unflowed(text, delete_space=leaf.labels.named("delsp").lower() == "yes")
        pieces.append(text.strip("\n"))
        defects += found
    return pieces, defects


def _source(leaf: Leaf) -> tuple[str, tuple[str, ...]]:
    """The clean text of a leaf as it is written, and what is wrong with it."""
    octets = leaf.octets[:MAX_TEXT]
    label: str | None = leaf.labels.named("charset")
    if not label and _RANKS[leaf.type] is _Rank.HTML:
        meta = _META_CHARSET.search(octets[:2048])
        label = meta[1].decode("ascii") if meta else None
    text, defect = decode.decoded(octets, label or None)
    cut = ("text longer than 1 MiB: rest not shown",) if len(leaf.octets) > MAX_TEXT else ()
    return decode.clean(text), (*filter(None, (defect,)), *cut)
