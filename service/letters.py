"""From a decision to the mails that are owed: the receipt to the requester, the word to the department."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from delivery.compose import Letter, LetterKind, compose
from desk.acknowledge import AckDecision
from desk.decision import Decision, News
from desk.mail import Address, Attachment, Mail
from desk.outbox import Notice, NoticeKind
from desk.promise import Delay, Targets
from desk.request import Request
from desk.zone import zone_of_writer
from service.house import House, Mailbox
from service.judged import Judged, is_sendable
from templates.facts import Event, NotificationFacts, ReceiptFacts
from templates.render import render_notification, render_receipt

SHOWN_TEXT = 20_000
"""Characters of a mail that a notification repeats; the whole is in the mailbox."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a letter is about: the request, the mail that led to it, and what was decided."""

    request: Request
    targets: Targets
    judged: Judged
    decision: Decision
    now: datetime
    late: bool = False
    """The receipt says when the mail came, and that it is sorry."""
    others: tuple[str, ...] = ()
    """The departments that have it too; of a copy, those that answer."""
    is_copy: bool = False
    """Its reader owes no answer."""


def receipt(matter: Matter, house: House) -> Notice | None:
    """The one receipt of a request, to the one verified From and nobody else; None where none is to go out."""
    request, mail = matter.request, matter.judged.mail
    decision = matter.decision.acknowledgement.decision
    if decision is AckDecision.NEVER or request.requester is None:
        return None
    department = house.department_of(request.department)
    external = decision is AckDecision.LIMITED
    office = house.calendars[department.calendar].zone
    zone = _zone_of_reader(matter, house, office)
    facts = ReceiptFacts(
        language=request.language,
        requester_name=request.requester.name,
        department=department.name_in(request.language),
        also=names_of(request.departments[1:], house, request.language),
        first_response=matter.targets.first_response,
        resolution=matter.targets.resolution,
        zone=zone,
        now=matter.now,
        delay=_delay_for_reader(matter, zone, office),
        closed_name=matter.targets.closed_name,
        reference=request.reference,
        token=house.keyring.token(request.reference, request.requester.key),
        urgent_contact=urgent_contact(request, house),
        external=external,
        sent=request.opened if matter.late else None,
    )
    rendered = render_receipt(facts)
    message_id = _message_id(matter, house, NoticeKind.RECEIPT, request.requester.key)
    letter = Letter(
        from_name="" if external else facts.department,
        from_address=request.mailbox,
        to=Address("", request.requester.address) if external else request.requester,
        subject=answer_subject(mail.subject) if rendered.subject is None else rendered.subject,
        message_id=message_id,
        in_reply_to=mail.message_id,
        references=_references(mail),
        date=matter.now,
        language=facts.language,
        text=rendered.text,
        html=rendered.html,
        thread_topic="" if external else mail.thread_topic,
        kind=LetterKind.RECEIPT,
        identity=message_id.strip("<>"),
    )
    return _notice(NoticeKind.RECEIPT, letter, matter.targets)


def names_of(departments: Sequence[str], house: House, language: str) -> tuple[str, ...]:
    """What the departments are called for a reader of the language."""
    return tuple(house.department_of(one).name_in(language) for one in departments)


def urgent_contact(request: Request, house: House) -> str:
    """What to do if it cannot wait; where not all departments have the same way, each with its name."""
    departments = [house.department_of(one) for one in request.departments]
    ways = {one.urgent_contact for one in departments}
    if len(ways) == 1:
        return ways.pop()
    named = [(one.name_in(request.language), one.urgent_contact) for one in departments if one.urgent_contact]
    return ", ".join(f"{name}: {way}" for name, way in named)


def _zone_of_reader(matter: Matter, house: House, department: ZoneInfo) -> tzinfo:
    """Where the requester is known to live; else where their mail was written, as far as it tells."""
    return house.people.zone_of(matter.request.requester) or zone_of_writer(matter.judged.mail.date, department)


def _delay_for_reader(matter: Matter, zone: tzinfo, department: ZoneInfo) -> Delay:
    """Why not today; no reason where only the reader's midnight lies elsewhere, so that the answer comes today."""
    crosses, is_today = _is_later_day(matter, department), not _is_later_day(matter, zone)
    return Delay.NONE if crosses and is_today else matter.targets.delay


def _is_later_day(matter: Matter, zone: tzinfo) -> bool:
    return matter.targets.first_response.astimezone(zone).date() > matter.now.astimezone(zone).date()


def notification(matter: Matter, house: House, mailbox: Mailbox) -> Notice | None:
    """Word to the department's address, answered to the requester and the shared mailbox; None for no news."""
    news = matter.decision.news
    if news is None:
        return None
    request, mail = matter.request, matter.judged.mail
    department = house.department_of(request.department)
    if house.is_mailbox(mail.sender) and house.mailbox_of(department.address) is not None:
        return (
            None  # If it is a mail of ours that a relay made unrecognisable, a word about it would go round for ever.
        )
    writer = mail.sender or Address("", "")
    facts = NotificationFacts(
        language=request.language,
        reference=request.reference,
        subject=mail.subject,
        requester_name=writer.name,
        requester_address=writer.address,
        mailbox=mailbox.address,
        department=department.name_in(request.language),
        reply=_shown(mail, news),
        first_response=matter.targets.first_response,
        resolution=matter.targets.resolution,
        zone=house.calendars[department.calendar].zone,
        now=matter.now,
        event=Event(news.value),
        receipt_note=_receipt_note(matter),
        attachments=tuple(_listed(attachment) for attachment in mail.attachments),
        evidence=_noticed(matter),
        others=names_of(matter.others, house, request.language),
        is_copy=matter.is_copy,
    )
    rendered = render_notification(facts)
    message_id = _message_id(matter, house, NoticeKind.NOTIFICATION, department.address)
    letter = Letter(
        from_name=writer.name or writer.address,
        from_address=request.mailbox,
        to=Address(facts.department, department.address),
        subject=rendered.subject or request.reference,
        message_id=message_id,
        in_reply_to=mail.message_id,
        references=_references(mail),
        reply_to=tuple(filter(is_sendable, (_answered(matter), mailbox.address))),
        date=matter.now,
        language=facts.language,
        text=rendered.text,
        kind=LetterKind.NOTIFICATION,
        identity=message_id.strip("<>"),
    )
    return _notice(NoticeKind.NOTIFICATION, letter, None)


def answer_subject(subject: str) -> str:
    """Exactly "Re: " and the requester's subject, so that Gmail and Outlook keep the thread; never "Re: Re: "."""
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def _answered(matter: Matter) -> str:
    """Who gets the department's answer: the writer, but of a held mail the requester, not the stranger."""
    person = matter.request.requester if matter.decision.news is News.HELD else matter.judged.mail.sender
    return person.address if person is not None else ""


def _message_id(matter: Matter, house: House, kind: NoticeKind, recipient: str) -> str:
    """The same whenever the mail is settled; equal words without Message-ID at another time are another mail."""
    mail, came = matter.judged.mail, matter.judged.arrival.received_at.astimezone(UTC)
    return house.keyring.at(came).message_id(
        kind.value,
        content_key=mail.content_key if mail.message_id else f"{mail.content_key} {came.isoformat()}",
        recipient=recipient,
        domain=matter.request.mailbox.rpartition("@")[2],
    )


def _references(mail: Mail) -> tuple[str, ...]:
    return (*mail.references, *((mail.message_id,) if mail.message_id else ()))


def _notice(kind: NoticeKind, letter: Letter, targets: Targets | None) -> Notice:
    return Notice(
        kind=kind,
        recipient=letter.to.key,
        message_id=letter.message_id,
        envelope_sender=letter.from_address,
        content=compose(letter),
        targets=targets,
    )


def _shown(mail: Mail, news: News) -> str:
    text = mail.reply if news is News.FOLLOWED_UP and mail.reply else mail.text
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}\n[...]"


def _listed(attachment: Attachment) -> str:
    return f"{attachment.name or attachment.content_type} ({size_of(attachment.size)})"


def size_of(octets: int) -> str:
    """A size in words."""
    return f"{octets / 1_000_000:.1f} MB" if octets >= 1_000_000 else f"{max(1, round(octets / 1_000))} kB"  # noqa: PLR2004


def _receipt_note(matter: Matter) -> str:
    acknowledgement = matter.decision.acknowledgement
    asked = matter.decision.news in (News.OPENED, News.DOUBTFUL)
    return acknowledgement.reason if asked and acknowledgement.decision is AckDecision.NEVER else ""


def _noticed(matter: Matter) -> tuple[str, ...]:
    judged = matter.judged
    negative = (judged.proof.negative,) if judged.proof.negative else ()
    return (*negative, *judged.mail.defects)
