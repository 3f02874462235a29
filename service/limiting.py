"""What the limiter says of a receipt: the store is asked what was told before, desk/limiter.py rules."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from desk.acknowledge import Candidate, External
from desk.circuit import KNOWN_FOR, WINDOW, circuits
from desk.freemail import is_freemail
from desk.limiter import DAY, Asked, Limits, Ruling, Told, Verdict, limited_as, rule_on, said
from service.alarms import alarm
from store import limiter
from store.limiter import Sender, Window


@dataclass(frozen=True, slots=True)
class Measured:
    """A mail that would get a receipt, with the ruling on it."""

    sender: Sender
    asked: Asked
    ruling: Ruling

    def told(self, at: datetime) -> Told:
        """The receipt, if it goes out at that moment."""
        return Told(at, self.asked.words, waited=self.ruling.verdict is Verdict.WAIT, echo=self.asked.echo)


@dataclass(frozen=True, slots=True)
class Moment:
    """Where and when it is asked, and by which limits."""

    connection: Connection
    limits: Limits
    mailbox: str
    received_at: datetime
    now: datetime


def measure(candidate: Candidate, moment: Moment) -> Measured:
    """The ruling on a receipt to the candidate, whose sender is known."""
    person = candidate.mail.sender
    assert person is not None
    domain = "" if candidate.own_sender or is_freemail(person.domain) else person.domain
    sender = Sender(limited_as(person.address), domain, moment.mailbox, candidate.own_sender)
    asked = Asked(
        own=candidate.own_sender,
        everyone=candidate.external is External.ALL,
        words=said(candidate.mail),
        received_at=moment.received_at,
        now=moment.now,
        told=limiter.told(moment.connection, sender.address, since=moment.now - DAY),
        domain_told=_told_to_domain(moment, domain),
        crowd=_crowd(moment),
    )
    return Measured(sender, asked, rule_on(asked, moment.limits))


def _told_to_domain(moment: Moment, domain: str) -> int:
    return limiter.told_to_domain(moment.connection, domain, since=moment.now - DAY) if domain else 0


def _crowd(moment: Moment) -> str:
    """Which circuit is open, in words, with one alarm about it; empty where none is."""
    house, mailbox = circuits(moment.mailbox, moment.limits.circuit_per_10_minutes)
    for circuit, of in ((house, None), (mailbox, moment.mailbox)):
        told = _told(moment, of, most=circuit.base)
        if told < circuit.base:
            continue
        people = limiter.people(moment.connection, of, since=moment.now - KNOWN_FOR)
        told = _told(moment, of, most=circuit.limit(people))
        if circuit.is_open(told, people):
            words = f"{told} receipts of {circuit.name} in ten minutes"
            more = "our own people's wait, outsiders get none, until there are fewer"
            alarm(moment.connection, f"circuit {circuit.name}", f"{words}: {more}", now=moment.now)
            return words
    return ""


def _told(moment: Moment, mailbox: str | None, *, most: int) -> int:
    return limiter.told_in(moment.connection, mailbox, Window(moment.now - WINDOW, moment.now), most=most)
