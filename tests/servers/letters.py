"""Mails as people and their servers write them, each with a Message-ID of its own."""

import email
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.policy import default as modern

ANNA = "Anna Nowak <anna@corp.example>"
BOB = "Bob Stone <bob@corp.example>"
EVE = "Eve <eve@elsewhere.example>"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Letter:
    """A mail with its Message-ID."""

    message_id: str
    raw: bytes


def letter(
    subject: str = "The printer is jammed",
    text: str = "Hello,\n\nthe printer on the third floor does not print. Please help.\n",
    *,
    sender: str = ANNA,
    to: str = "help@corp.example",
    charset: str = "utf-8",
    fields: Mapping[str, str] | None = None,
) -> Letter:
    """A mail of plain text in that charset, with further header fields."""
    mail = MIMEText(text, "plain", charset)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = Header(subject, charset)
    return _sent(mail, fields)


def bounce_of(content: bytes, recipient: str) -> Letter:
    """The report of a mail server that it could not deliver our mail (RFC 3464), with the header of it."""
    ours = read(content)
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = "Mail Delivery System <MAILER-DAEMON@mx.corp.example>"
    report["To"] = str(ours["From"])
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText("I'm sorry to have to inform you that your message could not be delivered."))
    status = (
        "Reporting-MTA: dns; mx.corp.example\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
    )
    headers = f"From: {ours['From']}\nSubject: {ours['Subject']}\nMessage-ID: {ours['Message-ID']}\n"
    for kind, content in (("message/delivery-status", status), ("text/rfc822-headers", headers)):
        part = Message()
        part["Content-Type"] = kind
        part.set_payload(content if kind.startswith("text/") else message_from_string(content).get_payload(), "ascii")
        report.attach(part)
    return _sent(report, None)


def read(content: bytes) -> EmailMessage:
    """A mail read by the standard library."""
    found = email.message_from_bytes(content, policy=modern)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail, LF line ends."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def quoted(text: str) -> str:
    """The text as an answer repeats it."""
    return "".join(f"> {line}\n" for line in text.splitlines())


def _sent(mail: Message, fields: Mapping[str, str] | None) -> Letter:
    message_id = f"<letter.{next(_numbers)}@client.example>"
    mail["Message-ID"] = message_id
    mail["Date"] = "Mon, 16 Nov 2026 09:30:00 +0100"
    for name, value in (fields or {}).items():
        mail[name] = value
    return Letter(message_id, mail.as_bytes(policy=compat32.clone(linesep="\r\n")))
