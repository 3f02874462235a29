"""Tables for people. Whatever came in a mail is made harmless for a terminal first."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from desk.request import Entry, Request
from service.modes import Shown
from service.settings import Row
from store.ledger import Line

T = TypeVar("T")
_UNSEEN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_PROGRESS_FROM = 50
"""Files from which a command takes so long that it shows how far it is."""


def safe(text: str) -> str:
    """The text without control characters (line feeds and tabs stay) and without bidi overrides."""
    return text.translate(_UNSEEN)


def progress(items: Sequence[T]) -> Iterator[T]:
    """The items, with a bar on stderr where there are many and somebody watches."""
    if len(items) < _PROGRESS_FROM or not sys.stderr.isatty():
        yield from items
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items)


def requests(found: Iterable[Request]) -> None:
    """Print one line for each request."""
    rows = (
        (one.reference, one.state, one.priority, one.department, _who(one), _when(one.first_response_due), one.subject)
        for one in found
    )
    _table(("reference", "state", "priority", "department", "requester", "answer due", "subject"), rows)


def request(one: Request, history: Sequence[Entry]) -> None:
    """Print a request with its history."""
    _pairs(
        (
            ("reference", one.reference),
            ("subject", one.subject),
            ("requester", _who(one)),
            ("mailbox", one.mailbox),
            ("department", one.department),
            ("state", one.state),
            ("priority", one.priority),
            ("language", one.language),
            ("opened", _when(one.opened)),
            ("answer due", _when(one.first_response_due)),
            ("solution due", _when(one.resolution_due)),
        )
    )
    for entry in history:
        print(f"\n{entry.kind}  {_when(entry.at)}  {safe(entry.author)}  (arrival {entry.arrival})")
        print(safe(entry.text).rstrip())


def modes(found: Iterable[Shown]) -> None:
    """Print one line for each mailbox."""
    rows = (
        (one.mailbox, one.mode, "config.toml" if one.changed is None else f"{one.author}, {_when(one.changed)}")
        for one in found
    )
    _table(("mailbox", "mode", "given by"), rows)


def ledger(found: Iterable[Line]) -> None:
    """Print one line for each arrival."""
    rows = (
        (
            str(one.id),
            _when(one.received),
            one.mailbox,
            one.fate,
            one.reason or "",
            one.receipt or "",
            one.reference or "",
        )
        for one in found
    )
    _table(("id", "received", "mailbox", "fate", "reason", "receipt", "reference"), rows)


def arrival(one: Line) -> None:
    """Print an arrival with everything that led to its fate."""
    _pairs(
        (
            ("id", str(one.id)),
            ("mailbox", one.mailbox),
            ("came by", one.source),
            ("folder", f"{one.folder} (UIDVALIDITY {one.uidvalidity}, UID {one.uid})" if one.folder else ""),
            ("received", _when(one.received)),
            ("accepted", _when(one.accepted)),
            ("size", f"{one.size} octets"),
            ("Message-ID", one.message_id or ""),
            ("fate", one.fate),
            ("reason", one.reason or ""),
            ("receipt", one.receipt or ""),
            ("evidence", "" if one.evidence is None else f"E{one.evidence}"),
            ("attempts", str(one.attempts)),
            ("reference", one.reference or ""),
            *((key, _words(value)) for key, value in (one.trace or {}).items()),
        )
    )


def settings(rows: Iterable[Row]) -> None:
    """Print one line for each setting."""
    _table(("setting", "value", "from"), rows)


def explained(said: dict[str, Any]) -> str:
    """The answer of explain as lines for people."""
    sender = said["from"] or {"name": "", "address": "no usable sender"}
    lines = (
        ("file", said["file"]),
        ("from", f"{sender['name']} <{sender['address']}>".strip()),
        ("subject", said["subject"]),
        ("language", said["language"] or "unsure"),
        ("automatic", _words(said["automatic"])),
        ("receipt", _words(said["acknowledge"])),
        ("department", _words(said["classification"])),
        ("targets", _words(said["targets"])),
        ("attachments", "; ".join(f"{one['name']} ({one['size']} octets)" for one in said["attachments"])),
        ("defects", "; ".join(said["defects"])),
        ("new text", said["reply"]),
    )
    return "\n".join(f"{key:<12} {safe(value)}" for key, value in lines) + "\n"


def _who(one: Request) -> str:
    if one.requester is None:
        return "(no usable sender)"
    return f"{one.requester.name} <{one.requester.address}>" if one.requester.name else one.requester.address


def _when(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _words(value: Any) -> str:
    """A value of a trace in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items() if one not in (None, "", [], ()))
    if isinstance(value, list | tuple):
        return "; ".join(_words(one) for one in value)
    return "" if value is None else str(value)


def _pairs(pairs: Iterable[tuple[str, str]]) -> None:
    for key, value in pairs:
        print(f"{key:<16} {safe(value)}".rstrip())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(safe(cell).replace("\n", " ")) for cell in row))
    width = None if sys.stdout.isatty() else 200
    Console(width=width).print(table)
