"""Whether the ledger has every message of the watched folders: the server's UIDs above the floor against ours.

Folders are opened read-only. A message that is on the server and in no line of the ledger is missing, which must not
be. One that is in the ledger and no longer in its folder is looked for where settled mail is moved; surplus is what is
not there either: somebody moved or deleted it, which anybody may do.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from desk.arrival import Fate
from desk.errors import UserError
from desk.mail import ascii_fold
from intake.mailbox import Folder, MailboxError
from service.accounts import account_of
from service.moved import Settled, found_again
from service.secrets import SecretError
from service.server import Imap
from service.settings import Settings
from service.watch import SETTLED_FOLDER
from store import folders, ledger
from store.database import Database
from store.folders import Watched

_STEP_SECONDS = 0.1


class NoSuchMailbox(UserError):
    """The configuration has no mailbox of that address."""


class State(Protocol):
    """What EXAMINE told (RFC 3501 section 6.3.2)."""

    @property
    def uidvalidity(self) -> int: ...  # noqa: D102 - the name is the RFC's


class Opened(Protocol):
    """A folder that was opened read-only (intake.mailbox.Folder)."""

    @property
    def state(self) -> State:
        """What EXAMINE told."""
        ...

    def uids_above(self, floor: int) -> list[int]:
        """The UIDs greater than floor, ascending."""
        ...

    def close(self) -> None:
        """End the connection; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A watched folder, and how it is opened read-only."""

    mailbox: str
    folder: str
    open: Callable[[], Opened]
    open_settled: Callable[[], Settled]
    """Where settled mail is moved; raises FolderMissing where none ever was."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A folder above its floor. Sums agree: on_server is in_ledger without surplus and with missing."""

    mailbox: str
    folder: str
    on_server: int
    moved: int
    """So many of those on the server lie in the folder of settled mail."""
    in_ledger: int
    fates: Mapping[Fate, int]
    missing: tuple[int, ...]
    surplus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A folder that could not be compared, and why."""

    mailbox: str
    folder: str
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """How the ledger is read: `again` says whether to look once more for a message that came this moment."""

    database: Database
    again: Callable[[], bool]


def places(settings: Settings, mailbox: str | None) -> list[Place]:
    """The watched folders, of one mailbox or of all. Raises NoSuchMailbox."""
    return [_place(*one) for one in watched_folders(settings, mailbox)]


def watched_folders(settings: Settings, mailbox: str | None) -> list[tuple[str, Imap, str]]:
    """Mailbox, account and name of each watched folder, of one mailbox or of all. Raises NoSuchMailbox."""
    wanted = None if mailbox is None else ascii_fold(mailbox)
    chosen = [one for one in settings.mailbox if wanted is None or wanted in one.addresses]
    if not chosen:
        known = ", ".join(one.address for one in settings.mailbox)
        raise NoSuchMailbox(f"{mailbox!r} is no mailbox of {settings.path}: accepted are {known}")
    return [(one.address, one.imap, name) for one in chosen if one.imap for name in one.imap.folders]


def _place(address: str, imap: Imap, folder: str) -> Place:
    def examine(name: str) -> Folder:
        return Folder.examine(account_of(imap), name)

    return Place(address, folder, lambda: examine(folder), lambda: examine(SETTLED_FOLDER))


def compare(found: Sequence[Place], look: Look) -> Iterator[Compared | Unknown]:
    """Each of the folders compared, or why it could not be."""
    for place in found:
        try:
            yield _compared(place, look)
        except (MailboxError, SecretError) as error:  # every message is where it was: nothing was opened for writing
            yield Unknown(place.mailbox, place.folder, str(error))


def patience(seconds: float) -> Callable[[], bool]:
    """A wait in small steps: true while the seconds, counted from the first call for one folder or many, last."""
    ends: list[float] = []

    def again() -> bool:
        if not ends:
            ends.append(time.monotonic() + seconds)
        if time.monotonic() >= ends[0]:
            return False
        time.sleep(_STEP_SECONDS)
        return True

    return again


def _compared(place: Place, look: Look) -> Compared | Unknown:
    connection = place.open()
    try:
        watched = _watched(place, connection.state.uidvalidity, look.database)
        if watched is None:
            return Unknown(place.mailbox, place.folder, "not watched yet: `deskbell run` records where it begins")
        on_server = connection.uids_above(watched.floor_uid)
    finally:
        connection.close()
    return _counted(place, watched, on_server, look)


def _watched(place: Place, uidvalidity: int, database: Database) -> Watched | None:
    """The folder as the ledger knows it; one that was numbered anew is looked at from its first message."""
    with database.read() as connection:
        known = folders.watched(connection, mailbox=place.mailbox, name=place.folder)
    if not known:
        return None
    anew = Watched(0, place.mailbox, place.folder, uidvalidity, 0, 0, datetime.now(UTC))
    return next((one for one in known if one.uidvalidity == uidvalidity), anew)


def _counted(place: Place, watched: Watched, there: Sequence[int], look: Look) -> Compared:
    fates = _fates(watched, look.database)
    while not fates.keys() >= set(there) and look.again():
        fates = _fates(watched, look.database)
    gone = fates.keys() - set(there)
    moved = found_again(_message_ids(watched, gone, look.database), place.open_settled)
    return Compared(
        mailbox=watched.mailbox,
        folder=watched.name,
        on_server=len(there) + len(moved),
        moved=len(moved),
        in_ledger=len(fates),
        fates=Counter(fates.values()),
        missing=tuple(uid for uid in there if uid not in fates),
        surplus=tuple(sorted(gone - set(moved))),
    )


def _message_ids(watched: Watched, uids: Collection[int], database: Database) -> dict[int, str | None]:
    if not uids:
        return {}
    with database.read() as connection:
        every = ledger.message_ids_of(connection, watched)
    return {uid: every[uid] for uid in uids}


def _fates(watched: Watched, database: Database) -> dict[int, Fate]:
    with database.read() as connection:
        return ledger.fates_of(connection, watched)
