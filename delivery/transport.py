"""The contract between the courier, which knows what must go out, and a transport, which hands one mail over.

Who cleans the input: compose made the content (7-bit, CRLF); the transport itself checks both addresses and answers
Refused, before anything is said to anybody, for one that could say more than an address.

The courier calls `send` once per mail and attempt. The transport then
1. has everything accepted that can be refused without handing the mail over (MAIL, RCPT, DATA, the content itself);
2. calls `before_dot` exactly once. There the courier commits `phase=dot`. If it raises, the mail is not handed over,
   the connection is dropped and the exception goes on to the courier;
3. hands over (writes the final dot, renames the file) and reads the reply.

What the outcomes promise: Sent, the other side owns the mail now. Refused and Deferred, it surely does not, whether
before_dot was called or not. Ambiguous, nobody on our side can know, and before_dot was called. A process that dies
before `phase=dot` is committed has handed nothing over, and one that dies later is Ambiguous.

`send` raises only what `before_dot` raised, and what the password source raised that is no OSError. A transport is used
by one thread at a time. `close` ends a kept connection in good order; a later `send` opens a new one.

    outcome = transport.send(Outgoing("<1@desk>", "help@corp.example", "ann@corp.example", content), commit_dot)
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from delivery.header import UnsendableAddress, sendable


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail to one recipient. An empty envelope_sender is the null reverse-path (RFC 5321 section 4.5.5)."""

    message_id: str
    envelope_sender: str
    recipient: str
    content: bytes


class Scope(StrEnum):
    """Whom a failure concerns: this mail and its recipient, this connection, or our account with all its mail."""

    RECIPIENT = "recipient"
    CONNECTION = "connection"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Sent:
    """Handed over; reply as the other side gave it (a relay may name its own id there)."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not accepted, for good: scope RECIPIENT ends this mail, ACCOUNT holds the outbox."""

    reply: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Deferred:
    """Surely not accepted, to be tried later: scope RECIPIENT is this mail, CONNECTION is every mail."""

    reason: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The dot was written and no complete reply came: accepted or not, nobody here can know."""

    reason: str


Outcome = Sent | Refused | Deferred | Ambiguous


class Transport(Protocol):
    """What hands mail over; the contract is at the top of this file."""

    def send(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        """What became of this attempt."""

    def close(self) -> None:
        """Nothing is kept open afterwards."""


@dataclass(frozen=True, slots=True)
class Path:
    """Both envelope addresses in their ASCII form, safe to be written into a command or a file name."""

    sender: str
    recipient: str


def path_of(outgoing: Outgoing) -> Path | Refused:
    """The envelope as it can be said, or why it cannot; a bad sender is our own fault and holds all mail."""
    try:
        sender = sendable(outgoing.envelope_sender) if outgoing.envelope_sender else ""
    except UnsendableAddress as error:
        return Refused(str(error), Scope.ACCOUNT)  # still in the outbox, nothing was said to anybody
    try:
        return Path(sender, sendable(outgoing.recipient))
    except UnsendableAddress as error:
        return Refused(str(error), Scope.RECIPIENT)  # as above
