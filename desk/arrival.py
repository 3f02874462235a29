"""What came in at a mailbox or a door, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Source(StrEnum):
    """By which way a mail came in."""

    IMAP = "imap"
    LMTP = "lmtp"
    SMTP = "smtp"
    PIPE = "pipe"
    IMPORT = "import"
    """Older than the watch, and asked for by a person: history, about which nobody is written to."""


class Fate(StrEnum):
    """What became of an arrival. Each arrival ends in exactly one; RECEIVED means not settled yet."""

    RECEIVED = "received"
    OPENED = "opened"
    APPENDED = "appended"
    ABSORBED = "absorbed"
    FILED = "filed"
    HELD = "held"
    DUPLICATE = "duplicate"
    BACKFILLED = "backfilled"
    QUARANTINED = "quarantined"
    OVERSIZE = "oversize"


class Evidence(IntEnum):
    """How well the sender is proven (E0 nothing or contradiction, E1 boundary, E2 trusted results)."""

    E0 = 0
    E1 = 1
    E2 = 2


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope: sender None where unknown (IMAP), empty for the null reverse-path."""

    sender: str | None = None
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a message lies on an IMAP server (RFC 3501 section 2.3.1.1)."""

    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """Raw bytes as received, with mailbox, way and moment (INTERNALDATE, or when the door took it; aware)."""

    mailbox: str
    source: Source
    received_at: datetime
    raw: bytes
    envelope: Envelope = Envelope()
    position: Position | None = None
    replayed: bool = False
    """Our keyword was already on it: this database is older than the mailbox."""
    size: int = 0
    """Octets on the server, where it says so."""
    complete: bool = True
    """False where only the header was fetched, because the mail is larger than the limit."""
    before_floor: bool = False
    """It came before deskbell watched this mailbox, and turns up under another UIDVALIDITY."""
