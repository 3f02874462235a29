"""A folder that the server has numbered anew: its index was lost, or it was deleted and made again.

The numbers of before say nothing any more, and keywords may be gone. Three kinds of mail lie in it:

1. known: the ledger has its bytes. The arrival gets the new number, and our mark once more; nothing else happens.
   Each arrival is found once, so that a second copy of a mail is what it would be anywhere: a mail that came again.
   Equal bytes without Message-ID at another time are another mail, so that there the server's date has to agree;
   unless other mails tell that it gave them all new dates.
2. old: it came before the folder was ever watched, by the server's own date. It stays below the floor.
3. all else came meanwhile, and is taken in like any mail. What is known with other bytes, because the server makes a
   mail's text anew, is recognised there by its content key.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from store import places
from store.database import Database
from store.folders import Watched
from store.places import Place, Stranded

log = logging.getLogger("deskbell.watch")

REMEMBERED = 50_000
"""Arrivals whose digests are kept in memory, the newest ones: some 10 MB. Older ones are recognised when settled."""
TOLD_EVERY = 1_000


class Dated(Protocol):
    """What is known of a message before it is read."""

    @property
    def uid(self) -> int: ...  # noqa: D102 - the name is the RFC's
    @property
    def internal_date(self) -> datetime: ...  # noqa: D102


class Readable(Protocol):
    """A message as fetched."""

    @property
    def uid(self) -> int: ...  # noqa: D102 - as above
    @property
    def internal_date(self) -> datetime: ...  # noqa: D102
    @property
    def raw(self) -> bytes: ...  # noqa: D102
    @property
    def flags(self) -> frozenset[str]: ...  # noqa: D102


M = TypeVar("M", bound=Readable)


def floor_by_date(outlines: Iterator[Sequence[Dated]], watched_since: datetime) -> int:
    """The UID up to which all messages came before the watch; outlines in ascending order, asked for as needed."""
    floor = 0
    for some in outlines:
        for one in some:
            if one.internal_date >= watched_since:
                return floor
            floor = one.uid
    return floor


class Renumbering:
    """The arrivals of a folder that lie under other numbers, until each message is found again."""

    def __init__(self, watched: Watched, known: Sequence[Stranded], mark: str | None) -> None:
        self._name = f"{watched.mailbox} {watched.name}"
        self._mark = (mark or "").lower()
        self._known: dict[bytes, list[Stranded]] = {}
        for one in known:
            self._known.setdefault(bytes.fromhex(one.digest), []).append(one)
        self._dates_kept = self._dates_changed = False
        self._found = self._told = 0

    @classmethod
    def of(cls, database: Database, watched: Watched, mark: str | None) -> "Renumbering":
        """What the ledger has of the folder under other numbers; mark: the flag that settled mail carries."""
        with database.read() as connection:
            return cls(watched, places.stranded(connection, watched, limit=REMEMBERED), mark)

    def sorted_out(self, messages: Sequence[M]) -> tuple[list[Place], list[M]]:
        """The known ones of the messages with the arrival each of them is, and the others."""
        digests = [sha256(message.raw).digest() for message in messages]
        found = [self._surely(digest, message) for digest, message in zip(digests, messages, strict=True)]
        found = [one or self._redated(digest) for one, digest in zip(found, digests, strict=True)]
        sorted_out = list(zip(found, messages, strict=True))
        known = [Place(one.id, message.uid, self._is_marked(message)) for one, message in sorted_out if one is not None]
        self._found += len(known)
        if self._found - self._told >= TOLD_EVERY:
            self.tell()
        return known, [message for one, message in sorted_out if one is None]

    def _surely(self, digest: bytes, message: Readable) -> Stranded | None:
        """The arrival that the message is by date or Message-ID too, and no other one from now on."""
        alike = self._known.get(digest, [])
        if found := next((one for one in alike if one.received == message.internal_date), None):
            self._dates_kept = True
        elif found := next((one for one in alike if one.named), None):
            self._dates_changed = True
        return self._taken(alike, found)

    def _redated(self, digest: bytes) -> Stranded | None:
        """The arrival with these bytes, where dates are known to say nothing."""
        alike = self._known.get(digest, [])
        return self._taken(alike, alike[0] if alike and self._dates_changed and not self._dates_kept else None)

    def _taken(self, alike: list[Stranded], found: Stranded | None) -> Stranded | None:
        if found is not None:
            alike.remove(found)
        return found

    def tell(self) -> None:
        """The log says how many were found again, where it has not said so yet."""
        if self._found > self._told:
            log.warning("%s: numbered anew by the server: %d known mails found again", self._name, self._found)
            self._told = self._found

    def _is_marked(self, message: Readable) -> bool:
        return bool(self._mark) and self._mark in {flag.lower() for flag in message.flags}
