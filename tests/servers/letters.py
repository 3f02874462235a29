"""Mails as people and their servers write them, each with a Message-ID of its own."""

import email
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText
from email.policy import compat32
from email.policy import default as modern

ANNA = "Anna Nowak <anna@corp.example>"
BOB = "Bob Stone <bob@corp.example>"
EVE = "Eve <eve@elsewhere.example>"

# RFC 3464 with the header of what was returned.
_BOUNCE = """From: Mail Delivery System <MAILER-DAEMON@mx.corp.example>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Message-ID: {message_id}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.corp.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--part
Content-Type: text/rfc822-headers

From: {sender}
Subject: {subject}
Message-ID: {returned}

--part--
"""

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
    """A mail of plain text in that charset, with further header fields; CRLF line ends."""
    mail = MIMEText(text, "plain", charset)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = Header(subject, charset)
    mail["Message-ID"] = new_id()
    mail["Date"] = "Mon, 16 Nov 2026 09:30:00 +0100"
    for name, value in (fields or {}).items():
        mail[name] = value
    return Letter(mail["Message-ID"], mail.as_bytes(policy=compat32.clone(linesep="\r\n")))


def bounce_of(content: bytes, recipient: str) -> Letter:
    """The report of a mail server that it could not deliver our mail."""
    ours, message_id = read(content), new_id()
    words = {"sender": ours["From"], "subject": ours["Subject"], "returned": ours["Message-ID"]}
    text = _BOUNCE.format(**words, recipient=recipient, message_id=message_id)
    return Letter(message_id, text.replace("\n", "\r\n").encode())


def new_id() -> str:
    """A Message-ID no other mail has."""
    return f"<letter.{next(_numbers)}@client.example>"


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
