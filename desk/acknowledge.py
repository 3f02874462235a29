"""Who is answered: an ordered table of named rules, the first one that holds decides.

The table is about a new request; whether a mail opens one is decided before (decision.py). Evidence decides what may be
disclosed, never whether an employee is answered: for mail from our own domains only *negative* evidence silences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from desk.mail import AutomaticKind, Mail


class External(StrEnum):
    """What a mailbox says to senders outside our own domains."""

    LIMITED = "limited"
    """A neutral receipt, a few a day for each address."""
    NONE = "none"
    ALL = "all"


class Mode(StrEnum):
    """How much deskbell does for a mailbox."""

    OBSERVE = "observe"
    """Nothing is sent."""
    RECEIPTS = "receipts"
    """Receipts only; staff answer in the shared mailbox as before."""
    FULL = "full"
    """Receipts, and staff are written to."""


class AckDecision(StrEnum):
    """Whether a receipt goes out."""

    SEND = "send"
    LIMITED = "limited"
    """One that discloses nothing."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The decision with the rule that made it and the reason in words."""

    decision: AckDecision
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the table looks at: the mail, and what is known of sender and mailbox."""

    mail: Mail
    own_sender: bool
    """The From domain is one of ours."""
    own_mailbox: bool
    """The From address is a mailbox that deskbell watches."""
    reachable: bool
    """A mail can be addressed to the From address at all."""
    negative: str | None
    mode: Mode
    external: External
    too_old: bool = False
    """It came so long ago that a receipt would only puzzle."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition and the answer where it holds; the reason is made from the candidate."""

    name: str
    holds: Callable[[Candidate], bool]
    decision: AckDecision
    reason: Callable[[Candidate], str]


def acknowledge(candidate: Candidate) -> Acknowledgement:
    """The decision of the first rule that holds; the last one always does."""
    rule = next(rule for rule in RULES if rule.holds(candidate))
    return Acknowledgement(rule.decision, rule.name, rule.reason(candidate))


def _words(text: str) -> Callable[[Candidate], str]:
    return lambda _candidate: text


def _is_empty(candidate: Candidate) -> bool:
    mail = candidate.mail
    return not (mail.subject.strip() or mail.text.strip() or mail.attachments)


RULES: tuple[Rule, ...] = (
    Rule(
        "automatic-mail",
        lambda c: c.mail.automatic.kind is not AutomaticKind.PERSON,
        AckDecision.NEVER,
        lambda c: f"{c.mail.automatic.kind}: {'; '.join(c.mail.automatic.evidence)}",
    ),
    Rule(
        "no-usable-sender",
        lambda c: c.mail.sender is None,
        AckDecision.NEVER,
        _words("the From field names no single usable address"),
    ),
    Rule(
        "unreachable-sender",
        lambda c: not c.reachable,
        AckDecision.NEVER,
        _words("no mail can be addressed to the From address"),
    ),
    Rule(
        "negative-evidence",
        lambda c: c.negative is not None,
        AckDecision.NEVER,
        lambda c: f"the sender is contradicted: {c.negative}",
    ),
    Rule(
        "own-mailbox",
        lambda c: c.own_mailbox,
        AckDecision.NEVER,
        _words("it comes from a mailbox that deskbell watches: a receipt would come back here"),
    ),
    Rule("empty-mail", _is_empty, AckDecision.NEVER, _words("no subject, no text and no attachment")),
    Rule(
        "mailbox-observes",
        lambda c: c.mode is Mode.OBSERVE,
        AckDecision.NEVER,
        _words('the mailbox is in mode "observe"'),
    ),
    Rule("too-old", lambda c: c.too_old, AckDecision.NEVER, _words("it came more than five days ago")),
    Rule("own-person", lambda c: c.own_sender, AckDecision.SEND, _words("a person of our own domains")),
    Rule(
        "external-not-answered",
        lambda c: c.external is External.NONE,
        AckDecision.NEVER,
        _words('an outside sender, and the mailbox has external = "none"'),
    ),
    Rule(
        "external-answered",
        lambda c: c.external is External.ALL,
        AckDecision.SEND,
        _words('an outside person, and the mailbox has external = "all"'),
    ),
    Rule("external-limited", lambda _c: True, AckDecision.LIMITED, _words("an outside person")),
)
