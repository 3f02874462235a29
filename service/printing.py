"""Tables for people. Whatever came in a mail is made harmless for a terminal first."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from desk.arrival import Fate
from desk.mail import Address, Mail
from desk.outbox import OutboxState, Phase
from desk.request import Entry, Request

if TYPE_CHECKING:
    from rich.progress import Progress

    from service.finding import Finding
    from service.glance import Glance
    from service.history import TakenIn
    from service.modes import Shown
    from service.reconcile import Compared
    from service.rotation import Listed
    from service.settings import Row
    from store.holding import Owed
    from store.ledger import Line

T = TypeVar("T")
_UNSEEN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_NUMBERS_SHOWN = 5
_ERASED = "(erased)"
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
    with _progress(shown=True) as bar:
        yield from bar.track(items)


def counted(items: Iterable[T], total: int) -> Iterator[T]:
    """The items, each of which takes long to come, with a bar on stderr where somebody watches."""
    if not sys.stderr.isatty():
        yield from items
        return
    with _progress(shown=True) as bar:
        yield from bar.track(items, total=total)


@contextmanager
def bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where somebody watches; it is called with how much is done, and how much there is."""
    with _progress(shown=sys.stderr.isatty()) as shown:
        task = shown.add_task("")
        yield lambda done, every: shown.update(task, completed=done, total=every)


def _progress(*, shown: bool) -> "Progress":
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), transient=True, disable=not shown)


def requests(found: Iterable[Request]) -> None:
    """Print one line for each request."""
    rows = (
        (
            one.reference,
            _each(part.state for part in one.parts),
            _each(part.priority for part in one.parts),
            ", ".join(one.departments),
            _who(one),
            _when(min(part.first_response_due for part in one.parts)),
            _about(one),
        )
        for one in found
    )
    _table(("reference", "state", "priority", "department", "requester", "answer due", "subject"), rows)


def request(one: Request, history: Sequence[Entry]) -> None:
    """Print a request with its history."""
    _pairs(
        (
            ("reference", one.reference),
            ("subject", _about(one)),
            ("requester", _who(one)),
            ("mailbox", one.mailbox),
            ("department", one.department),
            ("state", one.state),
            ("priority", one.priority),
            ("language", one.language),
            ("opened", _when(one.opened)),
            ("answer due", _when(one.first_response_due)),
            ("solution due", _when(one.resolution_due)),
            *((("erased on", _when(one.erased)),) if one.erased else ()),
        )
    )
    for part in one.further:
        print("\nand a part of its own for")
        _pairs(
            (
                ("mailbox", part.mailbox),
                ("department", part.department),
                ("state", part.state),
                ("priority", part.priority),
                ("answer due", _when(part.first_response_due)),
                ("solution due", _when(part.resolution_due)),
            )
        )
    for entry in history:
        print(f"\n{entry.kind}  {_when(entry.at)}  {safe(entry.author)}  (arrival {entry.arrival})")
        print(safe(entry.text).rstrip())


def modes(found: "Iterable[Shown]") -> None:
    """Print one line for each mailbox."""
    rows = (
        (one.mailbox, one.mode, "config.toml" if one.changed is None else f"{one.author}, {_when(one.changed)}")
        for one in found
    )
    _table(("mailbox", "mode", "given by"), rows)


def keys(found: "Iterable[Listed]") -> None:
    """Print one line for each key."""
    rows = ((one.name, "yes" if one.signs else "", _when(one.since) if one.since else "the first") for one in found)
    _table(("key", "signs", "since"), rows)


def ledger(found: "Iterable[Line]") -> None:
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


def arrival(one: "Line") -> None:
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
            *((("erased on", _when(one.erased)),) if one.erased else ()),
            *((key, _words(value)) for key, value in (one.trace or {}).items()),
        )
    )


def mail(one: Mail) -> None:
    """Print a mail as a mail program shows it."""
    fields = (
        ("From", _addresses([one.sender] if one.sender else [])),
        ("To", _addresses(one.to)),
        ("Subject", one.subject),
        ("Date", _when(one.date) if one.date else ""),
    )
    for name, value in fields:
        print(f"{name}: {safe(value)}".rstrip())
    print(f"\n{safe(one.text).rstrip()}")


def mails(found: Iterable[Mail]) -> None:
    """Print one line for each mail."""
    rows = (
        (_when(one.date) if one.date else "", _addresses([one.sender] if one.sender else []), one.subject)
        for one in found
    )
    _table(("date", "from", "subject"), rows)


def settings(rows: "Iterable[Row]") -> None:
    """Print one line for each setting."""
    _table(("setting", "value", "from"), rows)


def compared(found: "Iterable[Compared]") -> None:
    """Print one line for each folder."""
    heads = ("mailbox", "folder", "on server", "moved", "in ledger", "missing", "surplus", "fates")
    rows = (
        (
            one.mailbox,
            one.folder,
            str(one.on_server),
            str(one.moved),
            str(one.in_ledger),
            _numbers(one.missing),
            _numbers(one.surplus),
            ", ".join(f"{fate} {count}" for fate, count in sorted(one.fates.items())),
        )
        for one in found
    )
    _table(heads, rows)


def _numbers(uids: Sequence[int]) -> str:
    """How many there are, and the first of them."""
    if not uids:
        return "0"
    shown = ", ".join(map(str, uids[:_NUMBERS_SHOWN]))
    return f"{len(uids)}: UID {shown}{', ...' if len(uids) > _NUMBERS_SHOWN else ''}"


def taken_in(found: "Iterable[TakenIn]") -> None:
    """Print one line for each folder."""
    rows = ((one.mailbox, one.folder, str(one.found), str(one.taken)) for one in found)
    _table(("mailbox", "folder", "old mails", "taken in now"), rows)


def outbox(found: "Iterable[Owed]") -> None:
    """Print one line for each mail of ours."""
    rows = (
        (
            str(one.id),
            one.kind,
            one.recipient or _ERASED,
            f"{one.state}, perhaps sent" if one.phase is Phase.DOT and one.state is OutboxState.DUE else one.state,
            str(one.attempts),
            _when(one.next_attempt) if one.next_attempt else "",
            one.last_reply or "",
        )
        for one in found
    )
    _table(("id", "kind", "recipient", "state", "attempts", "next attempt", "last reply"), rows)


def quarantine(found: "Iterable[tuple[Line, Glance]]") -> None:
    """Print one line for each arrival that was set aside."""
    rows = (
        (str(line.id), _when(line.received), line.mailbox, line.fate, line.reason or "", glance.sender, glance.subject)
        for line, glance in found
    )
    _table(("id", "received", "mailbox", "fate", "reason", "from", "subject"), rows)


def set_aside(line: "Line", glance: "Glance") -> None:
    """Print an arrival in quarantine and where its bytes are."""
    arrival(line)
    kept = "all" if line.fate is not Fate.OVERSIZE else "the header alone"
    _pairs(
        (
            ("from", glance.sender),
            ("subject", glance.subject),
            ("in the database", f"{kept}, {glance.octets} octets: deskbell quarantine show {line.id} --raw"),
            ("in the mailbox", f"{line.folder}, UID {line.uid}, unless moved or deleted" if line.folder else ""),
        )
    )


def findings(found: "Iterable[Finding]", *, file: TextIO | None = None) -> None:
    """Print one line for each finding, and under it what to do next; on stdout, or on that file."""
    for one in found:
        print(f"{one.state:<8} {safe(one.check)}: {safe(one.meaning)}", file=file)
        if one.advice:
            print(f"{'':<8} -> {safe(one.advice)}", file=file)


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


def _each(values: Iterable[str]) -> str:
    """What the parts of a request have, named once where it is the same."""
    return ", ".join(dict.fromkeys(values))


def _about(one: Request) -> str:
    return _ERASED if one.erased else one.subject


def _who(one: Request) -> str:
    if one.erased:
        return _ERASED
    return _addresses([one.requester]) if one.requester else "(no usable sender)"


def _addresses(found: Iterable[Address]) -> str:
    return ", ".join(f"{one.name} <{one.address}>" if one.name else one.address for one in found)


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
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(safe(cell).replace("\n", " ")) for cell in row))
    width = None if sys.stdout.isatty() else 200
    Console(width=width).print(table)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, made harmless for a terminal."""
    _table(heads, rows)


def lines(texts: Iterable[str]) -> None:
    """Print lines, made harmless for a terminal."""
    for text in texts:
        print(safe(text))
