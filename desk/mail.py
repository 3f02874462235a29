"""A mail as understood: immutable, complete, and checked by whoever made it (intake.parse)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of a header field: the shown name (decoded, one line) and the bare address as written."""

    name: str
    address: str

    @property
    def key(self) -> str:
        """The address for comparing: ASCII letters folded, nothing else (never str.casefold: Turkish i)."""
        return ascii_fold(self.address)

    @property
    def domain(self) -> str:
        """What follows the last @, ASCII letters folded; empty where there is none."""
        return ascii_fold(self.address.rpartition("@")[2]) if "@" in self.address else ""


def ascii_fold(text: str) -> str:
    """The text with only A-Z made a-z, so that no other letter can become equal to an ASCII one."""
    # For ASCII both are the same, and str.lower is ten times as quick.
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class AutomaticKind(StrEnum):
    """Who or what wrote a mail."""

    PERSON = "person"
    AUTO_REPLY = "auto-reply"
    BOUNCE = "bounce"
    DELAY = "delay"
    RECEIPT = "receipt"
    LIST = "list"
    BULK = "bulk"
    FEEDBACK = "feedback"
    CALENDAR = "calendar"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Automatic:
    """The verdict person or machine, with the evidence for it in words ("Auto-Submitted: auto-replied")."""

    kind: AutomaticKind = AutomaticKind.PERSON
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient of a delivery report (RFC 3464 section 2.3)."""

    recipient: str
    action: str | None
    status: str | None
    permanent: bool | None
    original_message_id: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A leaf that is not the shown text: size in bytes and SHA-256 (hex) of the decoded content."""

    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A parsed arrival. Each text is free of lone surrogates and NUL; a Message-ID keeps its angle brackets."""

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sender: Address | None = None
    """The one From mailbox, or None where From is absent, doubled or malformed (then a defect says so)."""
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    thread_topic: str = ""
    date: datetime | None = None
    """The Date field as written, with its offset. Never used as the mail's age."""
    text: str = ""
    """The whole readable text, LF line ends."""
    reply: str = ""
    """What the writer newly wrote: the text without quotes and signature."""
    signature: str = ""
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[str, ...] = ()
    automatic: Automatic = field(default_factory=Automatic)
    report: tuple[ReportedRecipient, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Each field in order: name lower-cased, value unfolded, bounded, decoded unless it is evidence servers write."""
    content_key: str = ""
    """Hex SHA-256 over identity and content without trace headers: the same mail by another hop."""

    def header(self, name: str) -> tuple[str, ...]:
        """All values of one field, in order; name in lower case."""
        return tuple(value for key, value in self.headers if key == name)
