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
from routing.text import LIMIT
from service.house import House, Mailbox

FALLBACK_LANGUAGE = "en"


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

    @property
    def spoken(self) -> str:
        """The language to write back in."""
        return self.language or self.fallback


def judge(arrival: Arrival, mail: Mail, house: House) -> Judged:
    """Weigh, read and classify the mail; pure."""
    mailbox = house.mailboxes.get(arrival.mailbox)
    return Judged(
        arrival=arrival,
        mail=mail,
        proof=weigh(mail, house.evidence),
        language=detect(f"{mail.subject}\n{(mail.reply or mail.text)[:LIMIT]}"),
        classification=classify(house.matcher, routable(arrival.mailbox, mail, mailbox)),
        fallback=house.people.language_of(mail.sender) or FALLBACK_LANGUAGE,
    )


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
