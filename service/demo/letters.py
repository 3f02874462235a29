"""The scenes as mails: replies, absence notes and bounces are made from the mail they are about."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from desk.mail import Mail
from service.demo.morning import Kind, Person, Scene
from service.demo.post import Letter, wire


@dataclass(frozen=True, slots=True)
class Moment:
    """When a scene is played, and the id that no other mail has."""

    now: datetime
    message_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail that a scene is about: its bytes and what they say."""

    raw: bytes
    mail: Mail


def letter(scene: Scene, moment: Moment, answered: Answered | None) -> Letter:
    """The mail of the scene with its envelope; answered is given for every kind but a new mail."""
    if answered is None:
        return Letter(scene.writer.address, scene.to, _bytes(_begun(scene, moment, scene.subject), scene.text))
    made = {Kind.REPLY: _reply, Kind.ABSENCE: _absence, Kind.BOUNCE: _bounce}[scene.kind]
    # A machine's mail has the null reverse-path, so that nothing can come back to it (RFC 3834 section 3.3).
    sender = scene.writer.address if scene.kind is Kind.REPLY else ""
    return Letter(sender, scene.to, made(scene, moment, answered))


def _begun(scene: Scene, moment: Moment, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _mailbox(scene.writer)
    mail["To"] = [Mailbox("", addr_spec=address) for address in scene.to]
    mail["Subject"] = subject
    mail["Date"] = format_datetime(moment.now.astimezone(ZoneInfo(scene.writer.zone)))
    mail["Message-ID"] = moment.message_id
    return mail


def _bytes(mail: EmailMessage, text: str) -> bytes:
    mail.set_content(text)
    return wire(mail.as_bytes())


def _reply(scene: Scene, moment: Moment, answered: Answered) -> bytes:
    mail = _continued(scene, moment, answered, _answering(answered.mail.subject))
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in answered.mail.text.rstrip().splitlines())
    sender = answered.mail.sender
    heading = f"{sender.name or sender.address} <{sender.address}> wrote:" if sender else "You wrote:"
    return _bytes(mail, f"{scene.text}\n{heading}\n{quoted}")


def _absence(scene: Scene, moment: Moment, answered: Answered) -> bytes:
    mail = _continued(scene, moment, answered, f"{scene.subject}{answered.mail.subject}")
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    return _bytes(mail, scene.text)


def _continued(scene: Scene, moment: Moment, answered: Answered, subject: str) -> EmailMessage:
    before = answered.mail
    mail = _begun(scene, moment, subject)
    if before.message_id:
        mail["In-Reply-To"] = before.message_id
        mail["References"] = " ".join((*before.references, before.message_id))
    return mail


def _answering(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _bounce(scene: Scene, moment: Moment, answered: Answered) -> bytes:
    """A delivery report (RFC 3464) with the header of the mail that came back."""
    mail = _begun(scene, moment, f"{scene.subject}{answered.mail.subject}")
    mail["Auto-Submitted"] = "auto-replied"
    server = scene.writer.address.rpartition("@")[2]
    boundary = f"report.{moment.message_id.strip('<>').partition('@')[0]}"
    content = f'multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"'
    head = mail.as_bytes().rstrip() + f"\r\nMIME-Version: 1.0\r\nContent-Type: {content}\r\n".encode()
    returned = answered.raw.partition(b"\r\n\r\n")[0]
    parts = (
        b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + _told(scene, server).encode("ascii"),
        b"Content-Type: message/delivery-status\r\n\r\n" + _status(scene, moment, server).encode("ascii"),
        b"Content-Type: text/rfc822-headers\r\n\r\n" + returned + b"\r\n",
    )
    marked = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return wire(head + b"\r\n" + marked + f"--{boundary}--\r\n".encode())


def _told(scene: Scene, server: str) -> str:
    return f"{server} could not deliver your message to {scene.seen_by}.\r\nThe last answer was:\r\n  {scene.text}\r\n"


def _status(scene: Scene, moment: Moment, server: str) -> str:
    # RFC 3464 section 2: the fields of the message, an empty line, those of the recipient.
    return (
        f"Reporting-MTA: dns; {server}\r\n"
        f"Arrival-Date: {format_datetime(moment.now)}\r\n\r\n"
        f"Final-Recipient: rfc822; {scene.seen_by}\r\n"
        f"Action: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; {scene.text}\r\n"
    )


def _mailbox(person: Person) -> Mailbox:
    return Mailbox(person.name, addr_spec=person.address)
