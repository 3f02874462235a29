"""Hands a mail to a door of deskbell, as a mail program or a mail server does."""

import re
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from desk.errors import RefusedError
from service.notation import HostPort
from service.settings import Settings

_SECONDS = 30
_LINE_END = re.compile(rb"\r\n|\r|\n")


class NoDoor(RefusedError):
    """The installation takes mail by IMAP alone, or its door is closed."""


class NotTaken(RefusedError):
    """The door refused the mail; nobody keeps it but the sender."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to be handed over: CRLF line ends. Envelope sender "" is the null reverse-path."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Door:
    """Where mail is taken, and by which protocol."""

    at: HostPort
    lmtp: bool

    def __str__(self) -> str:
        """Protocol and place."""
        return f"{'LMTP' if self.lmtp else 'SMTP'} {self.at}"


def wire(raw: bytes) -> bytes:
    """The mail as it travels and is kept: CRLF line ends, the last line ended (RFC 5321 section 2.3.8)."""
    text = _LINE_END.sub(b"\r\n", raw)
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def door_of(settings: Settings) -> Door:
    """The door to use, SMTP before LMTP. Raises NoDoor."""
    listener = settings.listener
    if listener.smtp is not None:
        return Door(_reachable(listener.smtp), lmtp=False)
    if listener.lmtp is not None:
        return Door(_reachable(listener.lmtp), lmtp=True)
    raise NoDoor(f"{settings.path}: has no [listener], so no mail can be handed in: send it to the mailbox instead")


def hand_over(door: Door, letter: Letter) -> None:
    """The mail was answered 250 for each recipient: deskbell keeps it. Raises NoDoor, NotTaken."""
    try:
        if door.lmtp:
            # Python's LMTP client reads one answer to DATA; with one recipient there is one (RFC 2033 section 4.2).
            for recipient in letter.recipients:
                _spoken(door, letter, [recipient])
        else:
            _spoken(door, letter, letter.recipients)
    except smtplib.SMTPRecipientsRefused as error:  # the sender has it; so below
        raise NotTaken(_first_refusal(error)) from None
    except smtplib.SMTPResponseException as error:
        raise NotTaken(f"{door} refused the mail: {_words(error.smtp_code, error.smtp_error)}") from None
    except smtplib.SMTPException as error:
        raise NotTaken(f"{door} did not take the mail: {error}") from None
    except OSError as error:
        raise NoDoor(f"nobody answers at {door} ({error.strerror or error}): does `deskbell run` run?") from None


def _spoken(door: Door, letter: Letter, recipients: Sequence[str]) -> None:
    kind = smtplib.LMTP if door.lmtp else smtplib.SMTP
    with kind(door.at.host, door.at.port, local_hostname="client.example", timeout=_SECONDS) as client:
        offers = ["SMTPUTF8"] if not all(one.isascii() for one in (letter.sender, *recipients)) else []
        refused = client.sendmail(letter.sender, list(recipients), letter.raw, mail_options=offers)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)


def _first_refusal(error: smtplib.SMTPRecipientsRefused) -> str:
    recipient, (code, words) = next(iter(error.recipients.items()))
    return f"{recipient} was refused: {_words(code, words)}"


def _words(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def _reachable(at: HostPort) -> HostPort:
    """A door that listens on every address is reached on this machine."""
    try:
        everywhere = ip_address(at.host).is_unspecified
    except ValueError:  # a name: no mail is in hand yet
        return at
    if not everywhere:
        return at
    return HostPort("::1" if ":" in at.host else "127.0.0.1", at.port)
