"""What a notice is made of, and what comes out: values without behaviour."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from desk.promise import Delay


class Event(StrEnum):
    """What a department is told of."""

    OPENED = "opened"
    """A new request."""
    FOLLOWED_UP = "followed-up"
    """A participant wrote again."""
    HELD = "held"
    """Somebody wrote who has no part in the request."""
    DOUBTFUL = "doubtful"
    """The sender is unproven or malformed."""


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a receipt says. Moments are aware, zone is the reader's, department is named in the language.

    external: the reader is a stranger; names, department, holiday and urgent contact are not disclosed. sent: when the
    mail came, told with an apology; None where the receipt is on time. also: further departments that have it; then
    the moments are those by which the last of them answers, and by which all of it is expected to be solved.
    """

    language: str
    requester_name: str
    department: str
    first_response: datetime
    resolution: datetime
    zone: tzinfo
    now: datetime
    delay: Delay
    closed_name: str
    reference: str
    token: str
    urgent_contact: str = ""
    external: bool = False
    sent: datetime | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """One of several mails that a joint receipt answers, with the departments that have it."""

    subject: str
    departments: tuple[str, ...]
    sent: datetime
    first_response: datetime
    resolution: datetime
    reference: str
    token: str


@dataclass(frozen=True, slots=True)
class JointFacts:
    """What a receipt for several mails of one person says; late: it is to be excused."""

    language: str
    requester_name: str
    answered: tuple[Answered, ...]
    zone: tzinfo
    now: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """What a department is told: who wrote, where, until when, and the new text of the mail.

    The requester_ fields name the writer of this mail. receipt_note: why no receipt went out, or empty. attachments:
    names with sizes, as text. evidence: what was noticed about the mail, in words. others: departments that have it
    too. is_copy: those answer it, and the reader need not.
    """

    language: str
    reference: str
    subject: str
    requester_name: str
    requester_address: str
    mailbox: str
    department: str
    reply: str
    first_response: datetime
    resolution: datetime
    zone: tzinfo
    now: datetime
    event: Event
    receipt_note: str = ""
    attachments: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class EveningFacts:
    """What admins are told about a mailbox and the time since the last report, in lines that hold no text of a mail.

    sent, silent and unsure are told of a mailbox that observes: what would have been.
    """

    mailbox: str
    mode: str
    observing: bool
    since: datetime
    until: datetime
    zone: tzinfo
    alarms: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Requests that are not erased although their time has passed."""
    sent: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AsideLine:
    """One mail that was set aside: its number in the ledger, what it says of itself, why and where it is."""

    number: int
    came: datetime
    sender: str
    subject: str
    size: str
    why: str
    where: str


@dataclass(frozen=True, slots=True)
class AsideFacts:
    """What a department is told of mail that could not become a request. more: how many are not listed.

    moved: some of it may lie in the folder of settled mail.
    """

    mailbox: str
    department: str
    listed: tuple[AsideLine, ...]
    more: int
    zone: tzinfo
    now: datetime
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice ready to compose: subject in one line (None: "Re: " and the requester's own), text, perhaps HTML."""

    subject: str | None
    text: str
    html: str | None = None
