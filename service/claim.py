"""That no two databases serve one folder unknowingly: our marker lies in the mailbox, another's is looked for.

1. Before a folder is first read, and every ten minutes, the markers in the mailbox are read. Where another database
   serves the folder, this one does not: no mail is lost or answered twice, because the other one has it.
2. Ours is written anew, behind a note in the database that says so: what a copy of the database writes is then foreign.
3. The markers are read again. Where two begin at the same moment, whose marker came first stays.

Where the account may not make the folder, or write in it, the mailbox is served without a marker, and doctor says so.
"""

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message

from sqlalchemy import Connection

from delivery.compose import Letter, LetterKind, compose
from desk import marker
from desk.mail import Address
from desk.marker import FOLDER, Installed, Marker, Ourselves, Seen
from desk.token import Keyring
from intake.mailbox import Account, CommandRefused, Fetched, FolderMissing, MailboxError
from intake.shelf import Shelf
from service.transactions import Transactions
from store import meta

log = logging.getLogger("deskbell.claim")

AGAIN = timedelta(minutes=1)
"""After a refusal or a fault."""
_NONCES = 4
_NEVER = 2**32
_TEXT = """\
deskbell serves the folder {folder} of this mailbox. This mail tells other
deskbells, and is written anew every ten minutes. Please leave it here.

{marker}
"""


class ServedElsewhere(MailboxError):
    """Another deskbell serves this folder."""


class ServedByCopy(ServedElsewhere):
    """A copy of this database serves this folder elsewhere."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What the database remembers of its marker of a folder: the last nonces, and why it could not be written."""

    nonces: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ClaimPorts:
    """What a claim reaches the world through."""

    open: Callable[[], Shelf]
    transactions: Transactions
    keyring: Callable[[], Keyring]
    now: Callable[[], datetime]


@dataclass(slots=True)
class Claim:
    """Our claim to one folder of a mailbox."""

    mailbox: str
    folder: str
    installed: Installed
    ports: ClaimPorts
    _due: datetime | None = None
    _is_ours: bool = False
    _refused: ServedElsewhere | None = None
    _told: set[str] = field(default_factory=set)

    def hold(self) -> None:
        """The folder is ours as far as the mailbox tells; does nothing until the next look is due.

        Raises ServedElsewhere, and MailboxError where the mailbox cannot be reached and is not known to be ours.
        """
        now = self.ports.now()
        if self._due is None or now >= self._due or now < self._due - marker.RENEWED:
            self._look(now)
        if self._refused is not None:
            raise type(self._refused)(self._refused.detail)  # Anew: one that is raised often grows with each time.

    def _look(self, now: datetime) -> None:
        self._refused = None
        try:
            self._renew(now)
        except ServedElsewhere as refusal:  # every mail is on the server, and the other one serves it
            self._is_ours, self._refused, self._due = False, refusal, now + AGAIN
        except (CommandRefused, FolderMissing) as error:  # no mail is touched; so below
            self._is_ours, self._due = True, now + marker.RENEWED
            self._note(trouble=str(error))
            self._tell(f"no marker can be kept in {FOLDER}: {error}: a second deskbell would not be noticed")
        except MailboxError as error:
            if not self._is_ours:
                raise
            self._due = now + AGAIN
            log.info("%s %s: the marker could not be renewed: %s", self.mailbox, self.folder, error)
        else:
            self.installed = replace(self.installed, takes_over=False)
            self._is_ours, self._due = True, now + marker.RENEWED

    def _renew(self, now: datetime) -> None:
        with closing(self.ports.open()) as shelf:
            before = markers(shelf.mails(), self.folder)
            noted = self.ports.transactions.run(lambda connection: noted_of(connection, self.mailbox, self.folder))
            if not self.installed.takes_over:
                self._refuse(before, noted.nonces, now)
            nonce = secrets.token_hex(8)
            self._note(nonces=(*noted.nonces, nonce)[-_NONCES:])
            shelf.put(FOLDER, self._mail(nonce, now))
            after = markers(shelf.mails(), self.folder)
            ours = [one.uid for one in after if one.marker.instance == self.installed.instance]
            if not self.installed.takes_over:
                self._give_way(shelf, after, ours, now)
            if outdated := [one.uid for one in after if one.marker.nonce != nonce and one.uid < max(ours, default=0)]:
                shelf.take_away(outdated)

    def _give_way(self, shelf: Shelf, seen: Sequence[Seen], ours: Sequence[int], now: datetime) -> None:
        """Our marker is gone where another began at the same moment and was first. Raises ServedElsewhere then."""
        first = [
            one
            for one in seen
            if one.marker.instance != self.installed.instance and one.uid < min(ours, default=_NEVER)
        ]
        try:
            self._refuse(first, (), now)
        except ServedElsewhere:  # every mail is on the server, and the other one serves it
            shelf.take_away(ours)
            raise

    def _refuse(self, seen: Sequence[Seen], nonces: Sequence[str], now: datetime) -> None:
        ours = Ourselves(self.installed.instance, self.installed.place, frozenset(nonces))
        other = marker.rival(seen, ours, now)
        if other is not None:
            raise (ServedByCopy if marker.is_copy(other.marker, ours) else ServedElsewhere)(who(other))

    def _note(self, *, nonces: tuple[str, ...] | None = None, trouble: str = "") -> None:
        def work(connection: Connection) -> None:
            kept = noted_of(connection, self.mailbox, self.folder).nonces if nonces is None else nonces
            told = json.dumps({"nonces": kept, "trouble": trouble})
            meta.write(connection, _key(self.mailbox, self.folder), told)

        self.ports.transactions.run(work)

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            log.warning("%s %s: %s", self.mailbox, self.folder, words)

    def _mail(self, nonce: str, now: datetime) -> bytes:
        """Named by the key, as doctor's own mails are: should it ever come into a watched folder, it is filed."""
        mine = Marker(
            self.installed.instance, self.folder, self.installed.place, since=self.installed.since, nonce=nonce
        )
        message_id = self.ports.keyring().probe_id(nonce, domain=self.mailbox.rpartition("@")[2])
        letter = Letter(
            from_name="deskbell",
            from_address=self.mailbox,
            to=Address("", self.mailbox),
            subject=f"deskbell serves {self.folder}",
            message_id=message_id,
            date=now,
            language="en",
            text=_TEXT.format(folder=self.folder, marker=marker.written(mine)),
            kind=LetterKind.NOTIFICATION,
            identity=message_id.strip("<>"),
        )
        return compose(letter)


@dataclass(frozen=True, slots=True)
class Claims:
    """Makes the claim to each folder of an installation."""

    installed: Installed
    transactions: Transactions
    keyring: Callable[[], Keyring]
    now: Callable[[], datetime]

    def of(self, mailbox: str, folder: str, account: Account) -> Claim:
        """Our claim to that folder, for the one thread that watches it."""
        ports = ClaimPorts(lambda: Shelf.made(account, FOLDER), self.transactions, self.keyring, self.now)
        return Claim(mailbox, folder, self.installed, ports)


def markers(mails: Sequence[Fetched], folder: str) -> list[Seen]:
    """The markers of that folder among the mails."""
    read = ((mail, marker.read(_text(message_from_bytes(mail.raw)))) for mail in mails if mail.complete)
    return [Seen(mail.uid, mail.internal_date, found) for mail, found in read if found and found.folder == folder]


def _text(message: Message) -> str:
    part = next((part for part in message.walk() if part.get_content_type() == "text/plain"), None)
    octets = part.get_payload(decode=True) if part is not None else b""
    return octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""


def who(other: Seen) -> str:
    """Who serves the folder, and what to do, in words for people; with its heading no longer than health shows."""
    since, sign = (f"{moment:%Y-%m-%d %H:%M}" for moment in (other.marker.since, other.at))
    place = other.marker.place if len(other.marker.place) <= 90 else f"{other.marker.place[:89]}…"  # noqa: PLR2004
    advice = "stop that one; if it is gone for good: deskbell run --take-over"
    return f"{place}, since {since}, last sign {sign} UTC: {advice}"


def noted_of(connection: Connection, mailbox: str, folder: str) -> Noted:
    """What the database remembers of its marker."""
    told = json.loads(meta.read(connection, _key(mailbox, folder)) or "{}")
    return Noted(tuple(told.get("nonces", ())), told.get("trouble", ""))


def _key(mailbox: str, folder: str) -> str:
    return f"marker {mailbox} {folder}"
