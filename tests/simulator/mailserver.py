"""An IMAP server with one folder: numbers are given anew when it likes, and a connection can break at any word."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from intake.mailbox import ConnectionLost
from service.watch import KEYWORD
from tests.simulator.letters import Matter
from tests.simulator.world import Violation, World

BATCH = 3
"""Mails that one FETCH gives, at most."""


@dataclass(slots=True)
class Stored:
    """A mail in the folder."""

    matter: Matter
    raw: bytes
    date: datetime
    flags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class State:
    """What SELECT tells."""

    uidvalidity: int
    uidnext: int
    keywords: bool = True
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What FETCH tells."""

    uid: int
    internal_date: datetime
    size: int
    raw: bytes
    flags: frozenset[str]
    complete: bool


class MailServer:
    """The folder, and every number a mail ever had in it."""

    def __init__(self, world: World, is_settled: Callable[[int, int], bool]) -> None:
        self._world = world
        self.is_settled = is_settled
        self.uidvalidity = 1000
        self.uidnext = 1
        self.box: dict[int, Stored] = {}
        self.history: dict[tuple[int, int], Stored] = {}
        self.begun: dict[tuple[int, int], int] = {}
        """How many deaths there had been when a mail was first fetched, under whatever number it then had."""
        self.deaths = 0
        """Of the process, while it tried to settle something."""

    def deliver(self, matter: Matter, raw: bytes, date: datetime | None = None) -> None:
        """The mail lies in the folder."""
        self._world.note(f"deliver {matter.kind} {self.uidvalidity}/{self.uidnext}")
        self._store(Stored(matter, raw, date or self._world.true_now.replace(microsecond=0)))

    def renumber(self) -> None:
        """UIDVALIDITY changes, keywords are gone, every connection is broken (as when index files are lost)."""
        self._world.note("renumber")
        kept, self.box, before = self.box, {}, self.uidvalidity
        self.uidvalidity += 1
        self.uidnext = 1
        for uid, one in kept.items():
            self._store(Stored(one.matter, one.raw, one.date))
            if (begun := self.begun.get((before, uid))) is not None:
                self.begun[self.uidvalidity, self.uidnext - 1] = begun

    def expunge(self, uid: int) -> None:
        """Somebody removed the mail."""
        self._world.note(f"expunge {uid}")
        del self.box[uid]

    def _store(self, one: Stored) -> None:
        self.box[self.uidnext] = self.history[self.uidvalidity, self.uidnext] = one
        self.uidnext += 1

    def open(self) -> "Connection":
        """A connection with the folder selected."""
        self._world.port("open")
        if self._world.lost("open"):
            raise ConnectionLost("open")
        return Connection(self._world, self)


class Connection:
    """One connection: once broken it stays so."""

    def __init__(self, world: World, server: MailServer) -> None:
        self._world = world
        self._server = server
        self._broken = False
        self.state = State(server.uidvalidity, server.uidnext)

    def uids_above(self, floor: int) -> list[int]:
        """The UIDs greater than floor."""
        self._speak("search")
        found = [uid for uid in self._server.box if uid > floor]
        self._hear("search")
        return found

    def outlines(self, uids: Sequence[int]) -> Iterator[list[Message]]:
        """What is known without reading."""
        for start in range(0, len(uids), BATCH):
            self._speak("outlines")
            boxed = [(uid, self._server.box[uid]) for uid in uids[start : start + BATCH] if uid in self._server.box]
            found = [Message(uid, one.date, len(one.raw), b"", frozenset(), complete=False) for uid, one in boxed]
            self._hear("outlines")
            yield found

    def fetch(self, uids: Sequence[int], *, max_octets: int) -> Iterator[list[Message]]:
        """A few mails at a time; the connection may be lost before the next ones."""
        for start in range(0, len(uids), BATCH):
            self._speak("fetch")
            found = [self._message(uid, max_octets) for uid in uids[start : start + BATCH] if uid in self._server.box]
            self._hear("fetch")
            if found:
                yield found

    def add_flags(self, uids: Sequence[int], flag: str) -> None:
        """The mails carry the flag, or some of them where the connection breaks."""
        self._speak("store")
        for uid in uids:
            if not self._server.is_settled(self.state.uidvalidity, uid):
                raise Violation(f"UID {uid} is flagged before its fate was committed")
            if uid in self._server.box:
                self._server.box[uid].flags.add(flag)
            if self._world.lost("within store"):
                self._lose("within store")
        self._hear("store")

    def wait(self, _seconds: float, _wake: object) -> bool:
        """Whether something is new; it may lie."""
        self._speak("wait")
        self._world.passes(self._world.random.randint(0, 60))
        self._hear("wait")
        return self._world.random.random() < 0.5

    def close(self) -> None:
        """Nothing more is said."""
        self._broken = True

    def _message(self, uid: int, max_octets: int) -> Message:
        one, size = self._server.box[uid], len(self._server.box[uid].raw)
        self._server.begun.setdefault((self.state.uidvalidity, uid), self._server.deaths)
        raw = one.raw if size <= max_octets else one.raw.partition(b"\r\n\r\n")[0]
        return Message(uid, one.date, size, raw, frozenset(one.flags), size <= max_octets)

    def _speak(self, word: str) -> None:
        self._world.port(word)
        if self._broken or self.state.uidvalidity != self._server.uidvalidity or self._world.lost(f"before {word}"):
            self._lose(word)

    def _hear(self, word: str) -> None:
        """The answer comes; or it was done all the same, and we never hear of it."""
        if self._world.lost(f"after {word}"):
            self._lose(word)
        self._world.may_crash(f"after {word}")

    def _lose(self, word: str) -> None:
        self._broken = True
        raise ConnectionLost(word)


def marked(one: Stored) -> bool:
    """Whether the mail carries our mark."""
    return KEYWORD in one.flags
