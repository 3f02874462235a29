"""One folder of an IMAP account: which mails are new, what they are, and a mark on those that are safe with us.

A Folder is one connection, used by one thread. It trusts the server as little as the mail: a number is a hint until the
answer names its UID, a size is a hint until the bytes are here. Nothing is moved or marked but by move and add_flags.
After ConnectionLost or Throttled a Folder is closed; what was not stored yet is on the server, and a new Folder finds
it by UID.
"""

import imaplib
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from imapclient.response_parser import parse_response

from intake.fetched import HEADER_OCTETS, Fetched, Outline, batches, fetched, headed, outlined
from intake.idle import Wire, doze, idle
from intake.login import Account, connect, examine, hang_up, log_in, select, session
from intake.trouble import (
    AccessRefused,
    CommandRefused,
    ConnectionLost,
    FolderMissing,
    LoginRefused,
    MailboxError,
    ServerUnreachable,
    Throttled,
    refusable,
    telling,
    told_as,
)

__all__ = [
    "AccessRefused",
    "Account",
    "CommandRefused",
    "ConnectionLost",
    "Fetched",
    "Folder",
    "FolderMissing",
    "FolderState",
    "LoginRefused",
    "MailboxError",
    "ServerUnreachable",
    "Throttled",
]

SEARCH_WIDTH = 50_000
"""UIDs asked for in one SEARCH: an answer of that many is 550,000 octets, and a line may hold 1,000,000."""
OUTLINES = 200
"""Mails whose size, date and flags one FETCH asks for, or that one STORE marks."""
_LAST_UID = 2**32 - 1
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OUTLINE = "(UID RFC822.SIZE INTERNALDATE FLAGS)"


@dataclass(frozen=True, slots=True)
class FolderState:
    """What SELECT told: the numbers of RFC 3501 section 2.3.1.1, and whether keywords of ours are kept."""

    uidvalidity: int
    uidnext: int
    """Each mail that comes from now on has this UID or a greater one."""
    exists: int
    keywords: bool
    moves: bool
    """Whether the server has MOVE (RFC 6851)."""


class Folder:
    """An open folder. Every method but close raises MailboxError; see the module for what is true afterwards."""

    def __init__(self, client: Any, wire: Wire, state: FolderState) -> None:
        self.state = state
        self._client = client
        self._wire = wire
        self._imap = wire.imap
        self._known = state.uidnext - 1

    @classmethod
    def open(cls, account: Account, name: str) -> Self:
        """The folder, selected read-write. Raises LoginRefused, FolderMissing, ServerUnreachable.

        What account.password raises passes unchanged.
        """
        return cls._begun(account, name, select)

    @classmethod
    def examine(cls, account: Account, name: str) -> Self:
        """The folder, selected read-only: for who counts and must change nothing. Raises as open."""
        return cls._begun(account, name, examine)

    @classmethod
    def _begun(cls, account: Account, name: str, opened: Callable[[Any, str], dict[bytes, Any]]) -> Self:
        client = connect(account)
        imap = session(client)
        try:
            wire = Wire(imap, read_timeout=account.read_timeout)
            log_in(client, account)
            answer = opened(client, name)
            with told_as(ServerUnreachable):
                state = _state(imap, answer, moves=client.has_capability("MOVE"))
                wire.exists = state.exists
                return cls(client, wire, state)
        except BaseException:  # whatever it is goes up; the mails are on the server
            hang_up(imap)
            raise

    def capabilities(self) -> frozenset[str]:
        """What the server offers after the login, such as IDLE (RFC 3501 section 7.2.1)."""
        with self._connection():
            return frozenset(name.decode("ascii", "replace").upper() for name in self._client.capabilities())

    def uids_above(self, floor: int, *, below: int | None = None) -> list[int]:
        """The UIDs greater than `floor` (and less than `below`), ascending."""
        limit = _LAST_UID + 1 if below is None else below
        found: set[int] = set()
        with self._connection():
            self._wire.collect()
            self._wire.news = False
            top = self._known
            for uids in _ranges(floor + 1, limit - 1, known=top, exists=self._wire.exists):
                found.update(self._search(uids))
            self._known = max(top, max(found, default=0))
        return sorted(uid for uid in found if floor < uid < limit)

    def uids_since(self, day: date, *, below: int) -> list[int]:
        """The UIDs less than `below` of mails that came on that day or later, by the server's own date, ascending."""
        found: set[int] = set()
        with self._connection():
            self._wire.collect()
            for uids in _ranges(1, below - 1, known=self._known, exists=self._wire.exists):
                found.update(self._search(f"{uids} SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"))
        return sorted(uid for uid in found if uid < below)

    def fetch(self, uids: Iterable[int], *, max_octets: int) -> Iterator[list[Fetched]]:
        """The mails in ascending order of UID, some at a time; one that is gone meanwhile is left out.

        At most BODIES mails or, by the server's word, BODY_OCTETS are in memory at once, however many are asked for.
        Of a mail above `max_octets` only the header is read. CommandRefused: ask one by one to learn which mail it is.
        """
        for outlines in self.outlines(uids):
            for whole, batch in batches(outlines, max_octets):
                if mails := self._bodies(batch, max_octets) if whole else self._headers(batch):
                    yield mails

    def fields(self, uids: Iterable[int], name: str) -> Iterator[bytes]:
        """That header field of each of the mails that is still there, as it stands; empty where a mail has none."""
        ordered = sorted(set(uids))
        for start in range(0, len(ordered), OUTLINES):
            told = self._answers(ordered[start : start + OUTLINES], f"(UID BODY.PEEK[HEADER.FIELDS ({name})])")
            for answer in told.values():
                # Some servers put the name in quotes or in other case.
                yield next((one for key, one in answer.items() if key.startswith(b"BODY[") and one), b"")

    def outlines(self, uids: Iterable[int]) -> Iterator[list[Outline]]:
        """Size, date and flags of the mails in ascending order of UID, some at a time; no mail is read."""
        ordered = sorted(set(uids))
        for start in range(0, len(ordered), OUTLINES):
            yield self._outlines(ordered[start : start + OUTLINES])

    def add_flags(self, uids: Iterable[int], flag: str) -> None:
        """Each of the mails that is still there carries the flag or keyword."""
        ordered = sorted(set(uids))
        for start in range(0, len(ordered), OUTLINES):
            with self._connection():
                self._uid("STORE", _sequence(ordered[start : start + OUTLINES]), "+FLAGS.SILENT", f"({flag})")

    def move(self, uids: Iterable[int], to: str) -> None:
        """Each of the mails that is still there is in the folder `to`, which is made if it is not there.

        A mail that was moved before, and whose answer was lost, is gone: asking again moves nothing.
        """
        ordered = sorted(set(uids))
        with self._connection():
            self._make(to)
            for start in range(0, len(ordered), OUTLINES):
                self._move(self._search(_sequence(ordered[start : start + OUTLINES])), to)

    def wait(self, seconds: float, wake: socket.socket | None) -> bool:
        """Whether the folder changed since the last search began, waiting for it at most `seconds`.

        False when the time is over (it may be sooner than asked) or `wake` became readable, which is then emptied.
        By IDLE where the server has it. A hint only: search from time to time whatever this says.
        """
        with self._connection():
            self._wire.collect()
            if not self._wire.news:
                rest = idle if self._client.has_capability("IDLE") else doze
                rest(self._wire, seconds=seconds, wake=wake)
            news, self._wire.news = self._wire.news, False
        return news

    def noop(self) -> None:
        """The connection stands; what the server had to say is remembered for wait."""
        with self._connection():
            self._imap.noop()
            self._wire.collect()

    def close(self) -> None:
        """The connection is closed. Never raises, and does not wait for the server."""
        try:
            self._imap.sock.settimeout(1.0)
            self._imap.send(b"bye LOGOUT\r\n")
        except (OSError, ValueError):  # broken or closed already; mails not yet stored are on the server
            pass
        hang_up(self._imap)

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """A fault inside closes the connection: the rest of a half-read answer must not be taken for the next one."""
        try:
            with told_as(ConnectionLost):
                yield
        except (ConnectionLost, Throttled):  # mails not yet stored are on the server
            self.close()
            raise

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        """The answer to a UID command; a NO with FETCH data is that data (RFC 2180 section 4.1.2: some were gone)."""
        self._wire.collect()
        kind, answer = self._imap.uid(command, *arguments)
        if kind == "OK":
            return answer
        came = self._imap.untagged_responses.pop("FETCH", None) if command == "FETCH" else None
        if not came:
            raise telling(f"{command}: {answer[-1]!r:.200}", CommandRefused)
        return came

    def _move(self, uids: list[int], to: str) -> None:
        self._wire.collect()
        if uids:
            with refusable("MOVE"):
                self._client.move(uids, to)

    def _make(self, folder: str) -> None:
        if not self._client.folder_exists(folder):
            with refusable("CREATE"):
                self._client.create_folder(folder)

    def _search(self, uids: str) -> list[int]:
        """The UIDs that exist in the range and fulfil what is asked behind it.

        An answer in several lines counts as one, MODSEQ behind it is cut.
        """
        lines = [line.partition(b"(")[0] for line in self._uid("SEARCH", "UID", *uids.split()) if line]
        return [int(number) for line in lines for number in line.split()]

    def _answers(self, uids: Collection[int], items: str) -> dict[int, dict[bytes, Any]]:
        """What FETCH told of the mails, by the UID each answer names; one without, or with another, is not ours."""
        told: dict[int, dict[bytes, Any]] = {}
        with self._connection():
            flat = parse_response(self._uid("FETCH", _sequence(uids), items))
            for answer in flat[1::2]:
                names = (name.upper() for name in answer[::2])
                fields = dict(zip(names, answer[1::2], strict=True))
                if fields.get(b"UID") in uids:
                    told.setdefault(fields[b"UID"], {}).update(fields)
        return told

    def _outlines(self, uids: list[int]) -> list[Outline]:
        told = self._answers(uids, _OUTLINE)
        return [outlined(uid, told[uid]) for uid in uids if uid in told]

    def _bodies(self, batch: list[Outline], max_octets: int) -> list[Fetched]:
        told = self._answers([outline.uid for outline in batch], "(UID BODY.PEEK[])")
        raws = ((outline, told.get(outline.uid, {}).get(b"BODY[]")) for outline in batch)
        return [fetched(outline, raw, max_octets=max_octets) for outline, raw in raws if isinstance(raw, bytes)]

    def _headers(self, batch: list[Outline]) -> list[Fetched]:
        told = self._answers([outline.uid for outline in batch], f"(UID BODY.PEEK[HEADER]<0.{HEADER_OCTETS}>)")
        mails = []
        for outline in batch:
            # Answered as BODY[HEADER]<0>; some servers leave the origin out.
            parts = (value for name, value in told.get(outline.uid, {}).items() if name.startswith(b"BODY[HEADER]"))
            raw = next(parts, None)
            if isinstance(raw, bytes):
                mails.append(headed(outline, raw, size=outline.size))
        return mails


def _state(imap: imaplib.IMAP4, answer: dict[bytes, Any], *, moves: bool) -> FolderState:
    uidnext = answer.get(b"UIDNEXT")
    return FolderState(
        uidvalidity=int(answer[b"UIDVALIDITY"]),
        uidnext=_uidnext(imap) if uidnext is None else int(uidnext),
        exists=int(answer.get(b"EXISTS", 0)),
        keywords=b"\\*" in answer.get(b"PERMANENTFLAGS", ()),
        moves=moves,
    )


def _uidnext(imap: imaplib.IMAP4) -> int:
    """One more than the UID of the last mail: the least that a mail to come can have (RFC 3501 section 2.3.1.1)."""
    _, lines = imap.uid("SEARCH", "UID", "*")
    return 1 + max((int(number) for line in lines if line for number in line.split()), default=0)


def _ranges(first: int, last: int, *, known: int, exists: int | None) -> Iterator[str]:
    """UID ranges that cover first..last, none with more mails than SEARCH_WIDTH; beyond `known` are only newcomers."""
    if exists is not None and exists <= SEARCH_WIDTH:
        known = first - 1  # so few mails cannot make a line too long, however far apart their UIDs are
    low = first
    while low <= min(last, known):
        high = min(low + SEARCH_WIDTH - 1, last, known)
        yield f"{low}:{high}"
        low = high + 1
    if low <= last:
        yield f"{low}:*" if last == _LAST_UID else f"{low}:{last}"


def _sequence(uids: Iterable[int]) -> str:
    return ",".join(str(uid) for uid in uids)
