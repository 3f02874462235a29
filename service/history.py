"""Old mail taken in as history: what lies below the floor of a watched folder, since a day, without a word to anybody.

The folder is opened read-only. Each batch is one commit, and what the ledger has is never taken again: an import that
was stopped goes on where it was. Each mail is settled by the daemon, behind all new mail.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

from desk.arrival import Arrival, Position, Source
from intake.mailbox import Fetched, Folder, MailboxError
from service.accounts import account_of
from service.overrule import changing
from service.reconcile import Unknown, watched_folders
from service.secrets import SecretError
from service.server import Imap
from service.settings import Settings
from store import arrivals, folders
from store.arrivals import Packed
from store.database import Database
from store.folders import Watched

BEHIND_NEW_MAIL = 0
"""The epoch of no start: such arrivals are settled when nothing fresh waits."""


@dataclass(frozen=True, slots=True)
class Old:
    """A watched folder, and how it is opened read-only."""

    mailbox: str
    folder: str
    open: Callable[[], Folder]
    max_octets: int


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many old mails a folder has since that day, and how many of them are new in the ledger."""

    mailbox: str
    folder: str
    found: int
    taken: int


@dataclass(frozen=True, slots=True)
class Import:
    """What is asked for: where the ledger is, since which day, what time it is, and who hears how far it is."""

    database: Database
    since: date
    now: datetime
    told: Callable[[int, int], None]


def old_folders(settings: Settings, mailbox: str | None) -> list[Old]:
    """The watched folders, of one mailbox or of all. Raises NoSuchMailbox."""
    limit = settings.limits.message_octets
    return [_old(*one, limit) for one in watched_folders(settings, mailbox)]


def _old(address: str, imap: Imap, folder: str, max_octets: int) -> Old:
    return Old(address, folder, lambda: Folder.examine(account_of(imap), folder), max_octets)


def take_in(chosen: Sequence[Old], wanted: Import) -> Iterator[TakenIn | Unknown]:
    """Each of the folders taken in, or why it was not. Raises DatabaseTrouble: go on by asking again."""
    for old in chosen:
        try:
            with closing(old.open()) as folder:
                yield _taken_in(old, folder, wanted)
        except (MailboxError, SecretError) as error:  # what was not taken in yet is on the server
            yield Unknown(old.mailbox, old.folder, str(error))


def _taken_in(old: Old, folder: Folder, wanted: Import) -> TakenIn | Unknown:
    with wanted.database.read() as connection:
        known = folders.watched(connection, mailbox=old.mailbox, name=old.folder)
    if not known:
        return Unknown(old.mailbox, old.folder, "not watched yet: `deskbell run` records where it begins")
    watched = next((one for one in known if one.uidvalidity == folder.state.uidvalidity), None)
    if watched is None:
        return Unknown(old.mailbox, old.folder, "numbered anew by the server: `deskbell run` has to see it first")
    uids = folder.uids_since(wanted.since, below=watched.floor_uid + 1)
    with wanted.database.read() as connection:
        there = folders.uids_below_floor(connection, watched)
    new = [uid for uid in uids if uid not in there]
    taken = 0
    for messages in folder.fetch(new, max_octets=old.max_octets) if new else ():
        _accept([_packed(watched, one) for one in messages], wanted)
        taken += len(messages)
        wanted.told(taken, len(new))
    return TakenIn(old.mailbox, old.folder, len(uids), taken)


def _packed(watched: Watched, message: Fetched) -> Packed:
    return arrivals.pack(
        Arrival(
            mailbox=watched.mailbox,
            source=Source.IMPORT,
            received_at=message.internal_date,
            raw=message.raw,
            position=Position(watched.name, watched.uidvalidity, message.uid),
            size=message.size,
            complete=message.complete,
        )
    )


def _accept(packed: Sequence[Packed], wanted: Import) -> None:
    with changing(wanted.database) as connection:
        arrivals.accept(connection, packed, now=wanted.now, epoch=BEHIND_NEW_MAIL)
