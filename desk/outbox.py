"""A mail that is owed: what it says is fixed, and what is known of its sending."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desk.promise import Targets


class NoticeKind(StrEnum):
    """What a mail of ours is. The value stands in its Message-ID and in the outbox."""

    RECEIPT = "receipt"
    NOTIFICATION = "notification"
    EVENING = "evening"
    SET_ASIDE = "set-aside"
    """Word to a department of mail that deskbell could not take."""


SENDING_ORDER = {
    NoticeKind.RECEIPT: 1,
    NoticeKind.NOTIFICATION: 3,
    NoticeKind.EVENING: 4,
    NoticeKind.SET_ASIDE: 3,
}
"""Which of several due mails goes first: people waiting for word before staff."""


class OutboxState(StrEnum):
    """Where a mail of ours stands. SENT, REFUSED and EXPIRED are final."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"
    HELD = "held"
    """Nobody tries it until a person releases it: one held it back, or the brake did."""


class Phase(StrEnum):
    """How far an attempt had come: before DOT it surely was not accepted, from DOT on it may have been."""

    CLAIMED = "claimed"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail to be owed, complete: a resend is the same bytes. targets are those it tells, if any."""

    kind: NoticeKind
    recipient: str
    message_id: str
    envelope_sender: str
    content: bytes
    targets: Targets | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A due mail that one courier holds; fence tells its writes from those of a later holder."""

    id: int
    fence: int
    attempts: int
    created: datetime
    message_id: str
    envelope_sender: str
    recipient: str
    content: bytes
    perhaps_sent: bool
    """An earlier attempt reached the final dot without a known outcome."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known after an attempt: the new state, the last reply or reason, and when to try again (DUE only)."""

    state: OutboxState
    reply: str
    next_attempt: datetime | None = None
    perhaps_sent: bool = False
