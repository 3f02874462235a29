"""A mail with everything that can be said of it alone: parsed, proven or not, its language, its department.

This is what `deskbell explain` prints and what settling begins with; no database is asked.
"""

from dataclasses import dataclass

from delivery.header import UnsendableAddress, sendable
from desk.acknowledge import Candidate
from desk.arrival import Arrival
from desk.classification import Classification
from desk.mail import Mail
from intake.evidence import Proof, weigh
from routing.classify import Routable, classify
from routing.languages import detect
from routing.shares import shares
from routing.text import LIMIT
from service.addressed import addressed
from service.house import House, Mailbox

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Share:
    """What the rules say of a mail at one of the mailboxes it is for."""

    mailbox: Mailbox
    classification: Classification


@dataclass(frozen=True, slots=True)
class Division:
    """A mail to several of our mailboxes: the shares of their departments, first the one that answers; and copies."""

    shares: tuple[Share, ...]
    copies: tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The mail with its proof, language (None: unsure) and classification."""

    arrival: Arrival
    mail: Mail
    proof: Proof
    language: str | None
    classification: Classification
    fallback: str = FALLBACK_LANGUAGE
    """The language of a mail that is in none for sure: the person's own where that is known."""
    division: Division | None = None
    """None for a mail to one of our mailboxes; else the classification is that of the first share."""

    @property
    def spoken(self) -> str:
        """The language to write back in."""
        return self.language or self.fallback


def judge(arrival: Arrival, mail: Mail, house: House) -> Judged:
    """Weigh, read and classify the mail; pure."""
    mailbox = house.mailboxes.get(arrival.mailbox)
    division = _division(mailbox, mail, house) if mailbox is not None else None
    alone = routable(arrival.mailbox, mail, mailbox)
    return Judged(
        arrival=arrival,
        mail=mail,
        proof=weigh(mail, house.evidence),
        language=detect(f"{mail.subject}\n{(mail.reply or mail.text)[:LIMIT]}"),
        classification=classify(house.matcher, alone) if division is None else division.shares[0].classification,
        fallback=house.people.language_of(mail.sender) or FALLBACK_LANGUAGE,
        division=division,
    )


def _division(came_in_at: Mailbox, mail: Mail, house: House) -> Division | None:
    of = addressed(came_in_at, mail, house)
    if of.mailboxes == (came_in_at,) and not of.copies:
        return None
    by_department: dict[str | None, Mailbox] = {}
    for one in of.mailboxes:
        by_department.setdefault(one.department, one)
    mailboxes = list(by_department.values())
    found = shares(house.matcher, [routable(one.address, mail, one) for one in mailboxes])
    told = (Share(mailbox, one) for mailbox, one in zip(mailboxes, found, strict=True) if one is not None)
    return Division(tuple(told), of.copies)


def routable(address: str, mail: Mail, mailbox: Mailbox | None) -> Routable:
    """What the rules look at of a mail that came in at that address."""
    return Routable(
        subject=mail.subject,
        text=(mail.reply or mail.text)[:LIMIT],
        sender=mail.sender.address if mail.sender else "",
        mailbox=address,
        mailbox_department=mailbox.department if mailbox else None,
        headers=mail.headers,
    )


def is_sendable(address: str) -> bool:
    """Whether a mail can be addressed to it at all."""
    try:
        sendable(address)
    except UnsendableAddress:  # nothing was written yet; the caller goes on without this address
        return False
    return True


def candidate(judged: Judged, house: House, mailbox: Mailbox) -> Candidate:
    """What the acknowledgement table looks at, before anything is known of receipts sent."""
    return Candidate(
        mail=judged.mail,
        own_sender=house.is_own(judged.mail.sender),
        own_mailbox=house.is_mailbox(judged.mail.sender),
        reachable=judged.mail.sender is not None and is_sendable(judged.mail.sender.address),
        negative=judged.proof.negative,
        mode=mailbox.mode,
        external=mailbox.external,
    )
