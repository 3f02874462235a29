"""A mail as somebody types it at the command line, or has it in a file."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from desk.errors import UserError
from desk.mail import Mail
from intake.parse import parse
from service.demo.post import Letter, wire
from service.house import House
from service.notation import read_address

EXAMPLE = "The printer on the third floor says paper jam, and there is no paper in it."
_SUBJECT_LENGTH = 60
_FIRST = "anna"


class CannotWrite(UserError):
    """What was typed makes no mail."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed; empty where nothing was."""

    text: str
    sender: str
    recipients: Sequence[str]
    subject: str


def written(wish: Wish, house: House, now: datetime) -> Letter:
    """A new mail of a person: to the first mailbox, from anna@ at its domain, where nothing else is said.

    Raises CannotWrite.
    """
    sender = _from(wish.sender or f"{_FIRST}@{_first_domain(house)}")
    recipients = _recipients(wish, house) or (next(iter(house.mailboxes)),)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Mailbox("", addr_spec=sender)
    mail["To"] = [Mailbox("", addr_spec=address) for address in recipients]
    mail["Subject"] = _one_line(wish.subject or wish.text)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@{sender.rpartition('@')[2]}>"
    mail.set_content(wish.text.rstrip() + "\n")
    return Letter(sender, recipients, wire(mail.as_bytes()))


def from_file(path: Path, wish: Wish, house: House) -> Letter:
    """The mail in the file, octet for octet; to those of its recipients that are ours, where none was given.

    Raises CannotWrite.
    """
    if wish.subject:
        raise CannotWrite(f"--subject: {path} has its own")
    try:
        raw = wire(path.read_bytes())
    except OSError as error:  # no mail is in hand yet
        raise CannotWrite(f"{path}: {error.strerror}") from None
    mail = parse(raw)
    sender = _from(wish.sender) if wish.sender else _sender(mail)
    recipients = _recipients(wish, house) or _ours(mail, house)
    return Letter(sender, recipients, raw)


def _first_domain(house: House) -> str:
    return next(iter(house.mailboxes)).rpartition("@")[2]


def _recipients(wish: Wish, house: House) -> tuple[str, ...]:
    for one in wish.recipients:
        if house.mailbox_of(one) is None:
            raise CannotWrite(f"--to: {one!r} is no mailbox here; accepted: {', '.join(house.mailboxes)}")
    return tuple(dict.fromkeys(wish.recipients))


def _sender(mail: Mail) -> str:
    return mail.sender.address if mail.sender else ""


def _ours(mail: Mail, house: House) -> tuple[str, ...]:
    addressed = [house.mailbox_of(one.address) for one in (*mail.to, *mail.cc)]
    found = tuple(dict.fromkeys(mailbox.address for mailbox in addressed if mailbox is not None))
    return found or (next(iter(house.mailboxes)),)


def _from(text: str) -> str:
    try:
        return read_address(text)
    except ValueError as error:  # no mail is in hand yet
        raise CannotWrite(f"--from: {text!r} is no address; accepted: {error}") from None


def _one_line(text: str) -> str:
    line = " ".join(next(iter(text.strip().splitlines()), "").split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= _SUBJECT_LENGTH else f"{line[:_SUBJECT_LENGTH].rsplit(' ', 1)[0]} ..."
