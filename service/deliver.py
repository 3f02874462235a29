"""One mail from the pipe of an MTA: in the ledger before the command ends with 0, settled by the daemon.

Exit codes are those of sysexits.h as Postfix' pipe(8) and local(8) read them: 75 keeps the mail in the MTA's queue, and
nearly every other one returns it to its sender. So whatever is our own trouble is 75, also a mistake in the
configuration or on the command line: it can be repaired while the mail waits. A line that begins with an enhanced
status code (RFC 3463) is what the MTA logs and reports.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NoReturn

from sqlalchemy.exc import DBAPIError

from desk.arrival import Arrival, Envelope, Source
from desk.mail import ascii_fold
from service.installation import epoch_of, reading
from service.settings import Mailbox, Settings
from store import arrivals
from store.database import Database, TransactionLost

TEMPORARY, TOO_LARGE = 75, 69
"""EX_TEMPFAIL and EX_UNAVAILABLE."""
_NULL_SENDERS = ("", "<>", "MAILER-DAEMON")
"""The null reverse-path as Postfix' pipe(8) (null_sender) and local(8) (SENDER) write it."""
_STDERR = 2
_CHUNK = 64 * 1024


class NotDelivered(Exception):
    """The mail was not taken; the text begins with an enhanced status code."""

    def __init__(self, words: str, code: int = TEMPORARY) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Handed:
    """What the MTA says of the mail: the addresses it is for, and its envelope sender (None: it does not say)."""

    recipients: tuple[str, ...]
    sender: str | None


def handed(recipients: Sequence[str], sender: str | None, environ: Mapping[str, str]) -> Handed:
    """The envelope by the options, the sender else by SENDER of local(8)."""
    told = environ.get("SENDER") if sender is None else sender
    return Handed(tuple(recipients), "" if told in _NULL_SENDERS else told)


def mailbox_of(settings: Settings, address: str) -> Mailbox:
    """The mailbox an address leads to, a plus-tag set aside (RFC 5233). Raises NotDelivered."""
    folded = ascii_fold(address)
    local, at, domain = folded.rpartition("@")
    for mailbox in settings.mailbox:
        if folded in mailbox.addresses or local.partition("+")[0] + at + domain in mailbox.addresses:
            return mailbox
    known = ", ".join(one.address for one in settings.mailbox)
    raise NotDelivered(f"4.3.5 {address!r} is no mailbox of {settings.path}: accepted are {known}")


def read_mail(stream: BinaryIO, *, most: int) -> bytes:
    """The mail on the stream without a leading mbox line. Raises NotDelivered: empty, or more than `most` octets.

    It is read to its end in any case: an MTA that cannot write the rest may call that a failure of its own.
    """
    kept = bytearray()
    octets = 0
    while chunk := stream.read(_CHUNK):
        octets += len(chunk)
        if octets <= most + _CHUNK:
            kept += chunk
    mail = bytes(kept.split(b"\n", 1)[-1] if kept.startswith(b"From ") else kept)
    if not mail:
        raise NotDelivered("4.3.0 there was no mail on stdin")
    if octets - (len(kept) - len(mail)) > most:
        raise NotDelivered(f"5.3.4 the mail has more than {most} octets (limits.message_octets)", TOO_LARGE)
    return mail


def deliver(settings: Settings, given: Handed, stream: BinaryIO, *, now: datetime) -> None:
    """The mail on the stream is durable for each recipient, or for none. Raises NotDelivered, UserError.

    pipe(8) names several recipients at once unless it is told not to (transport_destination_recipient_limit).
    """
    mailboxes = [mailbox_of(settings, recipient) for recipient in given.recipients]
    raw = read_mail(stream, most=settings.limits.message_octets)
    envelopes = [Envelope(given.sender, recipient) for recipient in given.recipients]
    packed = [
        arrivals.pack(Arrival(mailbox.address, Source.PIPE, now, raw, envelope, size=len(raw)))
        for mailbox, envelope in zip(mailboxes, envelopes, strict=True)
    ]
    with reading(settings) as database:
        _accept(database, packed, now=now)


def _accept(database: Database, packed: Sequence[arrivals.Packed], *, now: datetime) -> None:
    try:
        with database.write() as connection:
            epoch = arrivals.UNCLAIMED if database.is_shared else epoch_of(connection)
            arrivals.accept(connection, packed, now=now, epoch=epoch)
    except (DBAPIError, TransactionLost) as error:  # rolled back: the MTA has the mail and asks again
        raise NotDelivered(f"4.3.0 the database cannot take the mail now: {_words(error)}") from error


def _words(error: Exception) -> str:
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())


def code_for_an_mta(command: Callable[[], None]) -> int:
    """Run the command; the code that an MTA reads rightly, whatever happened in it."""
    try:
        command()
    except SystemExit as end:  # the command line was read: what it refused is no fault of the mail
        code = 0 if end.code is None else end.code
        return code if code in (0, TOO_LARGE) else TEMPORARY
    except BaseException as error:  # noqa: BLE001 - nothing was committed, or 0 was not told: the MTA has the mail
        tell(f"4.3.0 {type(error).__name__}: {error}")
        return TEMPORARY
    return 0


def leave(code: int) -> NoReturn:
    """The program has ended with that code: Python's own way ends with 120 where stderr takes no more."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def tell(words: str) -> None:
    """One line on stderr, where an MTA finds the reason."""
    line = " ".join(words.split()) + "\n"
    with contextlib.suppress(OSError):  # nobody may be listening; the exit code still says what matters
        os.write(_STDERR, line.encode("utf-8", "replace"))
