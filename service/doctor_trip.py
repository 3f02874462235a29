"""A mail to itself: does it come back, with which Message-ID, and does the server's clock agree with ours?

The mail carries a name that proves by the key that it is ours: a running deskbell files it as its own, answers nobody
and opens no request. It stays in the mailbox.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser

from delivery.compose import Letter, LetterKind, compose
from delivery.transport import Outgoing, Sent
from desk.mail import Address
from desk.token import Keyring
from intake.mailbox import CommandRefused, Fetched, Folder, MailboxError
from service.accounts import account_of
from service.finding import Finding, bad, ok, skipped, warn
from service.health import ago
from service.keys import read_keys
from service.relay import transport_of
from service.secrets import SecretError
from service.server import Imap
from service.settings import Mailbox, Settings

SKEW = timedelta(seconds=60)
_LOOK_SECONDS = 2.0
_SMALL = 100_000
"""Octets; ours is far smaller, and of a larger mail only the header is read."""
_SUBJECT = "deskbell doctor: a mail to try the way"
_TEXT = """\
This mail was sent by `deskbell doctor` to see whether mail goes out and comes back.

It needs no answer. It may be deleted.
"""


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether mail is sent at all, how long it may take to come back, and to whom one more is sent."""

    wanted: bool = True
    seconds: float = 60.0
    also_to: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """The mail as the server has it, and the moments between which it must have come."""

    message_id: str
    mail: Fetched
    sent_at: datetime
    found_at: datetime


Trip = tuple[str, Callable[[], Iterable[Finding]]]


def trips(settings: Settings, sending: Sending) -> Iterator[Trip]:
    """The mails to be sent, each with the name of its check."""
    obstacle = _obstacle(settings, sending)
    if obstacle is not None:
        yield obstacle.check, lambda: [obstacle]
        return
    for mailbox in settings.mailbox:
        if mailbox.imap is not None:
            yield f"round trip {mailbox.address}", lambda one=mailbox: round_trip(settings, one, sending)  # type: ignore[misc]
    if sending.also_to is not None:
        to = sending.also_to
        yield f"mail to {to}", lambda: one_way(settings, settings.mailbox[0], to)


def _obstacle(settings: Settings, sending: Sending) -> Finding | None:
    if not sending.wanted:
        return skipped("round trip", "no mail was to be sent", "leave out --no-send to try the way out and back")
    if settings.smtp is None:
        return skipped("round trip", "mail goes into folders, so none can come back")
    if not settings.keys.file.exists():
        return skipped("round trip", "there is no key yet to sign the mail with", "deskbell run makes it")
    return None


def one_way(settings: Settings, mailbox: Mailbox, to: str) -> Iterator[Finding]:
    """One mail to an address that only a person can look at. Raises SecretError, KeyTrouble."""
    check = f"mail to {to}"
    refusal = _handed_over(settings, _probe(read_keys(settings.keys.file), mailbox, to))
    if refusal:
        yield bad(check, f"the relay did not take it: {refusal}", "see the relay's words")
    else:
        yield ok(check, f"the relay took it: look whether {to} has it, and not among the spam")


def round_trip(settings: Settings, mailbox: Mailbox, sending: Sending) -> Iterator[Finding]:
    """A mail of the mailbox to itself. Raises SecretError, KeyTrouble."""
    assert mailbox.imap is not None
    check = f"round trip {mailbox.address}"
    probe = _probe(read_keys(settings.keys.file), mailbox, mailbox.address)
    try:
        with closing(_opened(mailbox.imap)) as folder:
            sent_at = datetime.now(UTC)
            if refusal := _handed_over(settings, probe):
                yield bad(check, f"the relay did not take it: {refusal}", "see the relay's words")
                return
            mail = _found(folder, probe.message_id, sending.seconds)
    except (MailboxError, SecretError) as error:  # the mail is on its way or in the mailbox, and harms nobody
        yield bad(check, f"the mailbox could not be read: {error}", "see the line of its login")
        return
    if mail is None:
        yield _lost(check, mailbox.imap, sending.seconds)
    else:
        yield from judged(check, Returned(probe.message_id, mail, sent_at, datetime.now(UTC)))


def _lost(check: str, imap: Imap, seconds: float) -> Finding:
    words = f"the relay took it, but it did not come to {imap.folders[0]} within {seconds:g} seconds"
    advice = "look in Junk, for a rule that moves it, or for a delay: try again with --wait 300"
    return bad(check, words, advice)


def judged(check: str, back: Returned) -> Iterator[Finding]:
    """What the mail that came back says."""
    took = back.found_at - back.sent_at
    yield ok(check, f"it came back within {max(took, timedelta(seconds=1)).total_seconds():.0f} s")
    yield _named(check.replace("round trip", "Message-ID"), back)
    yield _clock(check.replace("round trip", "clock"), back)


def _named(check: str, back: Returned) -> Finding:
    fields = BytesHeaderParser().parsebytes(back.mail.raw)
    if str(fields.get("Message-ID", "")).strip() == back.message_id:
        return ok(check, "is kept on the way: answers find their request by it")
    if _is_marked(back.mail, back.message_id):
        words = "is rewritten on the way; X-Deskbell-Id is kept, and recognises what is ours"
        return warn(check, words, "nothing, or a relay that keeps Message-IDs")
    words = "and X-Deskbell-Id are rewritten on the way: answers would not find their request"
    return bad(check, words, "use a relay that keeps one of them")


def _clock(check: str, back: Returned) -> Finding:
    """INTERNALDATE has whole seconds; it must lie between sending and finding."""
    came = back.mail.internal_date
    apart = max(back.sent_at - came, came - back.found_at, timedelta(0))
    if apart <= SKEW:
        return ok(check, "ours and the mail server's agree")
    which = "behind" if came < back.sent_at else "ahead of"
    words = f"the mail server's is {ago(apart)} {which} ours: promised moments count from its time"
    return warn(check, words, "synchronise both (timedatectl)")


def _probe(keyring: Keyring, mailbox: Mailbox, to: str) -> Outgoing:
    domain = mailbox.address.rpartition("@")[2]
    message_id = keyring.probe_id(secrets.token_hex(8), domain=domain)
    letter = Letter(
        from_name="deskbell",
        from_address=mailbox.address,
        to=Address("", to),
        subject=_SUBJECT,
        message_id=message_id,
        date=datetime.now(UTC),
        language="en",
        text=_TEXT,
        kind=LetterKind.NOTIFICATION,
        identity=message_id.strip("<>"),
    )
    return Outgoing(message_id, mailbox.address, to, compose(letter))


def _opened(imap: Imap) -> Folder:
    return Folder.open(account_of(imap), imap.folders[0])


def _handed_over(settings: Settings, probe: Outgoing) -> str:
    """The words of the relay that did not take it; empty where it did."""
    with closing(transport_of(settings)) as transport:
        outcome = transport.send(probe, lambda: None)
    return "" if isinstance(outcome, Sent) else str(getattr(outcome, "reply", "") or getattr(outcome, "reason", ""))


def _found(folder: Folder, message_id: str, seconds: float) -> Fetched | None:
    """The mail once it lies in the folder; None where it does not within the time."""
    deadline = time.monotonic() + seconds
    floor = folder.state.uidnext - 1
    while True:
        for uid in folder.uids_above(floor):
            floor = max(floor, uid)
            if (mail := _fetched(folder, uid)) is not None and _is_marked(mail, message_id):
                return mail
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        folder.wait(min(left, _LOOK_SECONDS), None)


def _fetched(folder: Folder, uid: int) -> Fetched | None:
    with suppress(CommandRefused):  # another's mail, which run will look at; it stays where it is
        return next((mail for mails in folder.fetch([uid], max_octets=_SMALL) for mail in mails), None)
    return None


def _is_marked(mail: Fetched, message_id: str) -> bool:
    fields = BytesHeaderParser().parsebytes(mail.raw)
    names = (str(fields.get(name, "")).strip().strip("<>") for name in ("Message-ID", "X-Deskbell-Id"))
    return message_id.strip("<>") in names
