"""What a mail says of itself, for mail that could not be understood: two header fields, and no more work than that."""

from dataclasses import dataclass

from intake.decode import header
from intake.fields import scan

HEAD_OCTETS = 256 * 1024
_VALUE_OCTETS = 1_000
"""Of a field: whatever made the parser fail shall not find much to do here."""


@dataclass(frozen=True, slots=True)
class Glance:
    """From and subject as they stand in the header, and how many octets of the mail are kept."""

    sender: str
    subject: str
    octets: int


def own_ids(head: bytes) -> list[str]:
    """The Message-IDs under which a mail that begins like this may be one of ours, in angle brackets."""
    fields = scan(head)
    found = [(fields.first(name) or b"")[:_VALUE_OCTETS] for name in ("message-id", "x-deskbell-id")]
    return [f"<{value.strip().strip(b'<>').decode('ascii', 'replace')}>" for value in found if value.strip()]


def glance(head: bytes, *, octets: int) -> Glance:
    """The two fields of a mail that begins like this; empty where it has none."""
    fields = scan(head)
    sender, subject = (header((fields.first(name) or b"")[:_VALUE_OCTETS]) for name in ("from", "subject"))
    return Glance(sender, subject, octets)
