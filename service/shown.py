"""Values as the machine-readable face shows them: one JSON object each, every key always there."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from desk.mail import Address, Attachment, Mail
from desk.request import Entry, Request

if TYPE_CHECKING:
    from service.glance import Glance
    from service.history import TakenIn
    from service.modes import Shown
    from service.reconcile import Compared
    from service.rotation import Listed
    from store.holding import Owed
    from store.ledger import Line


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with offset, to the second."""
    return None if value is None else value.isoformat(timespec="seconds")


def mode(one: "Shown") -> dict[str, Any]:
    """A mailbox with its mode, and who gave it."""
    return {
        "mailbox": one.mailbox,
        "mode": one.mode.value,
        "configured": one.configured.value,
        "changed": moment(one.changed),
        "author": one.author,
    }


def key(one: "Listed") -> dict[str, Any]:
    """A key, without its secret; since is null for the first one."""
    return {"name": one.name, "signs": one.signs, "since": moment(one.since)}


def address(value: Address | None) -> dict[str, str] | None:
    """Name and bare address."""
    return None if value is None else {"name": value.name, "address": value.address}


def mail(value: Mail) -> dict[str, Any]:
    """Everything a mail says."""
    return {
        "message_id": value.message_id,
        "in_reply_to": value.in_reply_to,
        "references": list(value.references),
        "from": address(value.sender),
        "reply_to": [address(one) for one in value.reply_to],
        "to": [address(one) for one in value.to],
        "cc": [address(one) for one in value.cc],
        "subject": value.subject,
        "date": moment(value.date),
        "text": value.text,
        "reply": value.reply,
        "signature": value.signature,
        "attachments": [attachment(one) for one in value.attachments],
        "defects": list(value.defects),
        "automatic": {"kind": value.automatic.kind.value, "evidence": list(value.automatic.evidence)},
        "report": [
            {
                "recipient": one.recipient,
                "action": one.action,
                "status": one.status,
                "permanent": one.permanent,
                "original_message_id": one.original_message_id,
            }
            for one in value.report
        ],
    }


def attachment(value: Attachment) -> dict[str, Any]:
    """Name, type, size in octets and SHA-256 of the decoded content."""
    return {
        "name": value.name,
        "type": value.content_type,
        "size": value.size,
        "sha256": value.sha256,
        "inline": value.inline,
    }


def request(value: Request, entries: Sequence[Entry]) -> dict[str, Any]:
    """A request with its history. Nobody is assigned yet in this version: assignee is always null.

    Department, state and moments beside `parts` are those of the first part.
    """
    return {
        "reference": value.reference,
        "subject": value.subject,
        "requester": address(value.requester),
        "department": value.department,
        "assignee": None,
        "state": value.state.value,
        "priority": value.priority.value,
        "language": value.language,
        "opened": moment(value.opened),
        "first_response_due": moment(value.first_response_due),
        "resolution_due": moment(value.resolution_due),
        "parts": [
            {
                "mailbox": one.mailbox,
                "department": one.department,
                "state": one.state.value,
                "priority": one.priority.value,
                "first_response_due": moment(one.first_response_due),
                "resolution_due": moment(one.resolution_due),
            }
            for one in value.parts
        ],
        "erased": moment(value.erased),
        "entries": [
            {
                "kind": one.kind.value,
                "at": moment(one.at),
                "author": one.author,
                "text": one.text,
                "message_id": one.message_id,
                "arrival": one.arrival,
            }
            for one in entries
        ],
    }


def line(value: "Line") -> dict[str, Any]:
    """A line of the ledger."""
    return {
        "id": value.id,
        "mailbox": value.mailbox,
        "folder": value.folder,
        "uidvalidity": value.uidvalidity,
        "uid": value.uid,
        "received": moment(value.received),
        "message_id": value.message_id,
        "fate": value.fate.value,
        "reason": value.reason,
        "reference": value.reference,
    }


def arrival(value: "Line") -> dict[str, Any]:
    """A line of the ledger with all that led to its fate."""
    return line(value) | {
        "source": value.source,
        "accepted": moment(value.accepted),
        "size": value.size,
        "receipt": value.receipt,
        "evidence": value.evidence,
        "attempts": value.attempts,
        "trace": value.trace,
        "erased": moment(value.erased),
    }


def compared(value: "Compared") -> dict[str, Any]:
    """A folder held against the ledger; UIDs ascending."""
    return {
        "mailbox": value.mailbox,
        "folder": value.folder,
        "on_server": value.on_server,
        "in_ledger": value.in_ledger,
        "fates": {fate.value: count for fate, count in sorted(value.fates.items())},
        "missing": list(value.missing),
        "surplus": list(value.surplus),
    }


def taken_in(value: "TakenIn") -> dict[str, Any]:
    """A folder whose old mail was taken in."""
    return {"mailbox": value.mailbox, "folder": value.folder, "found": value.found, "taken": value.taken}


def owed(value: "Owed") -> dict[str, Any]:
    """A mail of ours."""
    return {
        "id": value.id,
        "kind": value.kind.value,
        "recipient": value.recipient,
        "message_id": value.message_id,
        "aliases": list(value.aliases),
        "state": value.state.value,
        "phase": value.phase.value if value.phase else None,
        "attempts": value.attempts,
        "next_attempt": moment(value.next_attempt),
        "last_reply": value.last_reply,
    }


def set_aside(value: "Line", glance: "Glance") -> dict[str, Any]:
    """An arrival in quarantine, with what its header says of itself."""
    return line(value) | {
        "size": value.size,
        "attempts": value.attempts,
        "from": glance.sender,
        "subject": glance.subject,
        "raw_octets": glance.octets,
    }
