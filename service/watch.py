r"""One watched folder: what is new is accepted, what is settled gets our mark, and nothing above the floor is missed.

The server is believed in nothing but the UID of an answer. \Seen decides nothing; the ledger does. IDLE only shortens
the wait: UIDs are searched above the cursor after each wait, and above the floor every few minutes.
"""

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import Connection as Transaction

from desk.arrival import Arrival, Position, Source
from intake.mailbox import CommandRefused
from service.pipeline import Pipeline
from service.renumbering import Dated, Renumbering, floor_by_date
from service.transactions import Transactions
from store import effects, folders, places
from store.database import Database
from store.folders import Watched
from store.places import Place

log = logging.getLogger("deskbell.watch")

KEYWORD = "$Deskbell"
"""Our mark: an IMAP keyword (RFC 3501 section 2.3.2)."""
WAIT_SECONDS = 60.0
"""New mail is searched for at least this often, whatever IDLE says."""
FULL_DIFFERENCE = timedelta(minutes=5)
MARKS = 200
"""Messages that one STORE marks."""

SETTLED_FOLDER = "Deskbell"
"""Where settled mail is moved on a server that keeps no keywords."""

After = Literal["auto", "keyword", "seen", "move", "nothing"]


class State(Protocol):
    """What SELECT told (RFC 3501 section 6.3.1)."""

    @property
    def uidvalidity(self) -> int: ...  # noqa: D102 - the names are the RFC's
    @property
    def uidnext(self) -> int: ...  # noqa: D102
    @property
    def keywords(self) -> bool: ...  # noqa: D102
    @property
    def moves(self) -> bool: ...  # noqa: D102 - RFC 6851


class Message(Protocol):
    """A message as fetched; only the header where it is not complete."""

    @property
    def uid(self) -> int: ...  # noqa: D102 - as above
    @property
    def internal_date(self) -> datetime: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def raw(self) -> bytes: ...  # noqa: D102
    @property
    def flags(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def complete(self) -> bool: ...  # noqa: D102


class Connection(Protocol):
    """An open folder (intake.mailbox.Folder)."""

    @property
    def state(self) -> State:
        """What SELECT told."""
        ...

    def uids_above(self, floor: int) -> list[int]:
        """The UIDs greater than floor, ascending."""
        ...

    def outlines(self, uids: Sequence[int]) -> Iterator[Sequence[Dated]]:
        """What is known of the messages without reading them, some at a time, in ascending order of UID."""
        ...

    def fetch(self, uids: Sequence[int], *, max_octets: int) -> Iterator[Sequence[Message]]:
        """The messages, some at a time; one that is gone is left out."""
        ...

    def add_flags(self, uids: Sequence[int], flag: str) -> None:
        """Each of the messages carries the flag."""
        ...

    def move(self, uids: Sequence[int], to: str) -> None:
        """Each of the messages that is still there is in that folder."""
        ...

    def wait(self, seconds: float, wake: socket.socket | None) -> bool:
        """Return when something may be new, when woken, or when the time is over."""
        ...

    def close(self) -> None:
        """End the connection; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Spec:
    """Which folder is watched, and how."""

    mailbox: str
    folder: str
    after: After
    max_octets: int


@dataclass(frozen=True, slots=True)
class WatchPorts:
    """What a watch reaches the world through."""

    open: Callable[[], Connection]
    pipeline: Pipeline
    database: Database
    transactions: Transactions
    now: Callable[[], datetime]
    hold: Callable[[], None] = lambda: None
    """Raises where the folder is another's to serve."""


@dataclass(slots=True)
class _Session:
    """One connection with the folder as known to the ledger."""

    connection: Connection
    watched: Watched
    cursor: int
    renumbered: bool
    """The folder had another UIDVALIDITY before: what is older than its floor was there already."""
    anew: Renumbering | None = None
    """Where the folder had several: the known mails that were not found again yet."""
    compared: datetime | None = None
    flag: str | None = None
    moves: bool = False
    """Settled messages are moved to SETTLED_FOLDER."""
    accepted: int = 0
    """Messages handed over so far; a UID that the server lists but never hands over must not keep us busy."""


class FolderWatch:
    """Keeps the ledger equal to one folder.

    After any exception `close` it: the next `step` opens a new session and finds what is missing by UID.
    """

    def __init__(self, spec: Spec, ports: WatchPorts) -> None:
        self._spec = spec
        self._ports = ports
        self._session: _Session | None = None

    def step(self) -> bool:
        """Accept what is new and set marks that are owed; False where there was neither."""
        self._ports.hold()
        session = self._session or self._opened()
        accepted = self._accept(session, session.connection.uids_above(session.cursor))
        if self._comparison_is_due(session):
            accepted |= self._accept(session, self._missing(session))
            session.compared = self._ports.now()
            if session.anew is not None:
                session.anew.tell()
        return self._mark(session) or accepted

    def rest(self, wake: socket.socket | None) -> None:
        """Return when something may be new, at the latest after WAIT_SECONDS."""
        if self._session is not None:
            self._session.connection.wait(WAIT_SECONDS, wake)

    def open(self) -> None:
        """The folder is selected and has a floor."""
        if self._session is None:
            self._ports.hold()
            self._opened()

    def close(self) -> None:
        """Nothing is kept open; never raises."""
        if self._session is not None:
            self._session.connection.close()
            self._session = None

    def _opened(self) -> _Session:
        connection = self._ports.open()
        try:
            self._session = self._begin(connection)
        except BaseException:  # the messages are on the server
            connection.close()
            raise
        return self._session

    def _begin(self, connection: Connection) -> _Session:
        state = connection.state
        known = self._known()
        watched = next((one for one in known if one.uidvalidity == state.uidvalidity), None)
        watched = watched or self._begun(connection, known)
        renumbered = bool(known) and known[0].uidvalidity != state.uidvalidity
        flag, moves = self._flag(state), self._moves(state)
        if moves:
            log.info("%s %s: settled mail is moved to %s", self._spec.mailbox, self._spec.folder, SETTLED_FOLDER)
        if flag is None and not moves and self._spec.after != "nothing":
            log.warning(
                "%s %s: the server keeps no keywords, or cannot move mail: no mark is set",
                self._spec.mailbox,
                self._spec.folder,
            )
        several = any(one.uidvalidity != watched.uidvalidity for one in known)
        anew = Renumbering.of(self._ports.database, watched, flag) if several else None
        return _Session(connection, watched, watched.cursor_uid, renumbered, anew, flag=flag, moves=moves)

    def _known(self) -> list[Watched]:
        with self._ports.database.read() as connection:
            return folders.watched(connection, mailbox=self._spec.mailbox, name=self._spec.folder)

    def _begun(self, connection: Connection, known: Sequence[Watched]) -> Watched:
        """Watch the folder under this UIDVALIDITY from now on.

        The first one begins behind the last message. A later one begins behind those that came before the watch.
        """
        state = connection.state
        floor = self._floor_anew(connection, known) if known else state.uidnext - 1
        new = Watched(
            id=0,
            mailbox=self._spec.mailbox,
            name=self._spec.folder,
            uidvalidity=state.uidvalidity,
            floor_uid=floor,
            cursor_uid=floor,
            floor_at=known[0].floor_at if known else self._ports.now(),
        )
        self._ports.transactions.run(lambda transaction: folders.watch(transaction, new))
        log.info("%s %s: watched from UID %d on", self._spec.mailbox, self._spec.folder, floor + 1)
        return self._known()[-1]

    def _floor_anew(self, connection: Connection, known: Sequence[Watched]) -> int:
        uids = connection.uids_above(0)
        log.warning(
            "%s %s: numbered anew by the server (UIDVALIDITY %d, was %d): its %d mails are compared with the ledger",
            self._spec.mailbox,
            self._spec.folder,
            connection.state.uidvalidity,
            known[-1].uidvalidity,
            len(uids),
        )
        return floor_by_date(connection.outlines(uids), _whole_second(known[0].floor_at))

    def _flag(self, state: State) -> str | None:
        if self._spec.after == "seen":
            return "\\Seen"
        return KEYWORD if self._spec.after in {"auto", "keyword"} and state.keywords else None

    def _moves(self, state: State) -> bool:
        """Whether settled messages leave the folder; never where it is the one they would be moved to."""
        wanted = self._spec.after == "move" or (self._spec.after == "auto" and not state.keywords)
        return wanted and state.moves and self._spec.folder != SETTLED_FOLDER

    def _comparison_is_due(self, session: _Session) -> bool:
        return session.compared is None or self._ports.now() - session.compared >= FULL_DIFFERENCE

    def _missing(self, session: _Session) -> list[int]:
        on_server = session.connection.uids_above(session.watched.floor_uid)
        with self._ports.database.read() as connection:
            known = folders.uids_in_ledger(connection, session.watched)
        return [uid for uid in on_server if uid not in known]

    def _accept(self, session: _Session, uids: Sequence[int]) -> bool:
        before = session.accepted
        try:
            self._accept_batches(session, uids)
        except CommandRefused:  # the server hands over some mail of these not at all: ask one by one to learn which
            self._accept_singly(session, [uid for uid in uids if uid > session.cursor] or uids)
        return session.accepted > before

    def _accept_singly(self, session: _Session, uids: Sequence[int]) -> None:
        for uid in uids:
            try:
                self._accept_batches(session, [uid])
            except CommandRefused as error:  # it stays on the server, and the next full difference asks again
                log.error("%s %s: UID %d cannot be read: %s", self._spec.mailbox, self._spec.folder, uid, error)  # noqa: TRY400

    def _accept_batches(self, session: _Session, uids: Sequence[int]) -> None:
        for messages in session.connection.fetch(uids, max_octets=self._spec.max_octets) if uids else ():
            top = max(message.uid for message in messages)
            known, new = session.anew.sorted_out(messages) if session.anew is not None else ([], messages)
            accept = self._ports.pipeline.acceptance([self._arrival(session, message) for message in new])
            self._ports.transactions.run(_together(accept, known, session.watched, top))
            session.cursor = max(session.cursor, top)
            session.accepted += len(messages)

    def _arrival(self, session: _Session, message: Message) -> Arrival:
        watched = session.watched
        return Arrival(
            mailbox=self._spec.mailbox,
            source=Source.IMAP,
            received_at=message.internal_date,
            raw=message.raw,
            position=Position(self._spec.folder, watched.uidvalidity, message.uid),
            replayed=KEYWORD.lower() in {flag.lower() for flag in message.flags},
            size=message.size,
            complete=message.complete,
            before_floor=session.renumbered and message.internal_date < _whole_second(watched.floor_at),
        )

    def _mark(self, session: _Session) -> bool:
        with self._ports.database.read() as connection:
            owed = effects.pending(connection, session.watched, limit=MARKS)
        if not owed:
            return False
        if session.flag is not None:
            session.connection.add_flags(owed, session.flag)
        elif session.moves:
            self._move(session, owed)
        self._ports.transactions.run(lambda connection: effects.done(connection, session.watched, owed))
        return True

    def _move(self, session: _Session, owed: Sequence[int]) -> None:
        try:
            session.connection.move(owed, SETTLED_FOLDER)
        except CommandRefused as refusal:  # they stay in the folder, settled; the ledger knows that
            session.moves = False
            log.warning("%s %s: settled mail is left where it is: %s", self._spec.mailbox, self._spec.folder, refusal)


def _together(
    accept: Callable[[Transaction], None], known: Sequence[Place], of: Watched, top: int
) -> Callable[[Transaction], None]:
    """Rows and cursor in one commit: a cursor that ran ahead of its rows would lose them."""

    def work(connection: Transaction) -> None:
        places.relocate(connection, of, known)
        accept(connection)
        folders.advance(connection, of.id, uid=top)

    return work


def _whole_second(moment: datetime) -> datetime:
    """INTERNALDATE knows no fractions of a second."""
    return moment.replace(microsecond=0)
