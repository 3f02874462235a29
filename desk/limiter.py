"""How many receipts an address may get: the last line against loops that no header gives away.

An answering machine writes because we wrote; people write because they want something. So outsiders are met with
silence where a budget is used up, and our own people with patience: their receipt waits and answers several mails in
one. Silence towards them is left for what only a machine does: it answers the late receipt at once, twice, or says the
same words again and again, whenever it is told.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from desk.mail import Mail, ascii_fold

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ECHO = timedelta(minutes=15)
"""A mail that comes this soon after a receipt that had waited is taken for an answer to it."""
ECHOES = 2
"""People may write at such a moment by chance; so many times a day they do not."""
PATIENCE = 2
"""The same words are told this many times what is told at once, the rest after waiting; then nothing more that day."""
CIRCUIT_WAIT = timedelta(minutes=10)


class Verdict(StrEnum):
    """Whether the receipt goes out now, later and together with others, or not at all."""

    NOW = "now"
    WAIT = "wait"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets, each a number of receipts. An hour and a day are sliding: the last 60 minutes, the last 24 hours."""

    own_per_hour: int = 10
    own_per_day: int = 30
    same_words_per_day: int = 3
    external_per_day: int = 2
    external_domain_per_day: int = 20
    circuit_per_10_minutes: int = 100
    catch_up: int = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt that went out, or is to go out, at that moment."""

    at: datetime
    words: str
    waited: bool = False
    """It was made to wait by the limiter."""
    echo: bool = False
    """The mail it answers came right after one that had waited."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that would get a receipt, with what its sender was told before.

    told: receipts to this address in the last 24 hours and those that still wait, ascending. domain_told: receipts to
    the whole domain in that time; zero for our own domains and for freemail, where a domain is no group of people.
    """

    own: bool
    """One of our own people."""
    everyone: bool
    """The mailbox answers outsiders as it answers us."""
    words: str
    received_at: datetime
    now: datetime
    told: Sequence[Told] = ()
    domain_told: int = 0
    crowd: str = ""
    """Which circuit is open, in words; empty where none is."""

    @property
    def echo(self) -> bool:
        """It came right after a receipt that had waited."""
        return any(one.waited and one.at <= self.received_at <= one.at + ECHO for one in self.told)

    @property
    def repeats(self) -> int:
        """Receipts for the same words."""
        return sum(one.words == self.words for one in self.told)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict with the rule that made it and the reason in words; until is given for WAIT alone."""

    verdict: Verdict
    rule: str
    reason: str
    until: datetime | None = None


UNLIMITED = Ruling(Verdict.NOW, "unlimited", "nothing is limited")


@dataclass(frozen=True, slots=True)
class Rule:
    """A named budget: where it is used up, people of ours get the verdict, and outsiders silence."""

    name: str
    is_used_up: Callable[[Asked, Limits], bool]
    verdict: Verdict
    reason: Callable[[Asked], str]
    wait: timedelta = timedelta(0)


def rule_on(asked: Asked, limits: Limits) -> Ruling:
    """The ruling of the first budget that is used up; NOW where none is."""
    for rule in RULES:
        if rule.is_used_up(asked, limits):
            return _applied(rule, asked, limits)
    return Ruling(Verdict.NOW, "within-limits", "no limit is reached")


def _applied(rule: Rule, asked: Asked, limits: Limits) -> Ruling:
    reason = rule.reason(asked)
    if rule.verdict is Verdict.SILENT or not asked.own:
        return Ruling(Verdict.SILENT, rule.name, reason)
    return Ruling(Verdict.WAIT, rule.name, reason, until=_room(asked, limits, asked.now + rule.wait))


def _room(asked: Asked, limits: Limits, moment: datetime) -> datetime:
    """The first moment, not before the given one, at which another receipt exceeds neither hour nor day."""
    moments = sorted(one.at for one in asked.told)
    budgets = ((limits.own_per_day, DAY), (limits.own_per_hour, HOUR))
    for number, window in budgets:
        if len(moments) >= number:
            moment = max(moment, moments[-number] + window)
    return moment


def _since(asked: Asked, window: timedelta) -> int:
    """Receipts of that window, and those that still wait: they will be of it soon."""
    return sum(one.at > asked.now - window for one in asked.told)


RULES: tuple[Rule, ...] = (
    Rule(
        "external-limit-reached",
        lambda asked, limits: not (asked.own or asked.everyone) and _since(asked, DAY) >= limits.external_per_day,
        Verdict.SILENT,
        lambda asked: f"an outside sender who was sent {_since(asked, DAY)} receipts in the last 24 hours",
    ),
    Rule(
        "domain-limit-reached",
        lambda asked, limits: not asked.own and asked.domain_told >= limits.external_domain_per_day,
        Verdict.SILENT,
        lambda asked: f"the outside domain was sent {asked.domain_told} receipts in the last 24 hours",
    ),
    Rule(
        "answers-receipts",
        lambda asked, _: asked.echo and sum(one.echo for one in asked.told) + 1 >= ECHOES,
        Verdict.SILENT,
        lambda _: "the address writes whenever it is sent a receipt, as only an answering machine does",
    ),
    Rule(
        "repeats-itself",
        lambda asked, limits: asked.repeats >= PATIENCE * limits.same_words_per_day,
        Verdict.SILENT,
        lambda asked: f"the same words were answered {asked.repeats} times in the last 24 hours",
    ),
    Rule(
        "same-words",
        lambda asked, limits: asked.repeats >= limits.same_words_per_day,
        Verdict.WAIT,
        lambda asked: f"the same words were answered {asked.repeats} times in the last 24 hours",
        HOUR,
    ),
    Rule(
        "circuit-open",
        lambda asked, _: bool(asked.crowd),
        Verdict.WAIT,
        lambda asked: asked.crowd,
        CIRCUIT_WAIT,
    ),
    Rule(
        "many-this-hour",
        lambda asked, limits: _since(asked, HOUR) >= limits.own_per_hour,
        Verdict.WAIT,
        lambda asked: f"{_since(asked, HOUR)} receipts to this address in an hour",
    ),
    Rule(
        "many-today",
        lambda asked, limits: _since(asked, DAY) >= limits.own_per_day,
        Verdict.WAIT,
        lambda asked: f"{_since(asked, DAY)} receipts to this address in 24 hours",
    ),
)


def limited_as(address: str) -> str:
    """The address that a budget belongs to: ASCII letters folded, a plus-tag set aside (RFC 5233)."""
    local, at, domain = ascii_fold(address).rpartition("@")
    return (local.partition("+")[0] or local) + at + domain


_PREFIXES = re.compile(r"^(?:(?:re|aw|fw|fwd|wg|sv|odp|auto|automatic reply)\s*:\s*)+", re.IGNORECASE)
_TAGS = re.compile(r"\[[^\]\n]{0,100}\]")
_SHORT = 40
_COMPARED = 4_000


def said(mail: Mail) -> str:
    """What tells whether two mails say the same: numbers, tags, signs and spaces do not count, attachments do.

    The subject counts where there is little text: that of an answering machine grows with each round.
    """
    words = _letters(mail.reply or mail.text)
    if len(words) < _SHORT:
        words = f"{_letters(_TAGS.sub('', _PREFIXES.sub('', mail.subject)))} {words}"
    attached = sorted(one.sha256 for one in mail.attachments)
    return sha256("\n".join([words, *attached]).encode("utf-8", "replace")).hexdigest()[:32]


def _letters(text: str) -> str:
    return "".join(sign for sign in text[:_COMPARED].lower() if unicodedata.category(sign)[0] in "LM")
