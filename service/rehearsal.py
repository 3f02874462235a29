"""What rules make of mails, and what other rules would make of the same ones: nothing is stored or sent."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from desk.classification import Classification
from desk.mail import Mail
from routing.classify import Routable, classify
from routing.matcher import Matcher
from service.confidential import NEUTRAL
from service.explain import Found, addressed_mailbox
from service.house import House
from service.judged import routable
from service.parser import Parser, ParserDied
from store import mails
from store.database import Database


@dataclass(frozen=True, slots=True)
class Case:
    """A mail by the name it is shown by, as the rules see it."""

    name: str
    mail: Routable
    is_hidden: bool = False
    """It is of a confidential department: its words are judged and not shown."""

    @property
    def subject(self) -> str:
        """The subject as it may be shown."""
        return NEUTRAL if self.is_hidden else self.mail.subject

    def shown(self, verdict: Classification) -> Classification:
        """The verdict without words of a hidden mail."""
        if not self.is_hidden:
            return verdict
        return replace(verdict, rules=tuple(replace(hit, hits=()) for hit in verdict.rules))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules that hold make of a case, and what the candidate makes of it (None: there is no candidate)."""

    case: Case
    now: Classification
    then: Classification | None

    @property
    def moves(self) -> bool:
        """It would belong to another department."""
        return self.then is not None and self.then.department != self.now.department

    @property
    def regraded(self) -> bool:
        """It would stay where it is, with another category or priority."""
        then = self.then
        if then is None or self.moves:
            return False
        return (then.category, then.priority) != (self.now.category, self.now.priority)


def written_case(mail: Routable, house: House) -> Case:
    """What somebody typed, as if it had come in at its mailbox; at none where nothing was said."""
    mailbox = house.mailbox_of(mail.mailbox)
    department = mailbox.department if mailbox is not None else None
    given = Routable(mail.subject, mail.text, mail.sender, mail.mailbox, department)
    return Case("(typed)", given)


def file_case(found: Found, house: House, parser: Parser) -> Case:
    """A mail of a file, as if it had come in at the mailbox it is addressed to."""
    mail = _parsed(found.raw, None, parser)
    mailbox = addressed_mailbox(mail, house)
    return Case(found.file, routable(mailbox.address if mailbox else "", mail, mailbox))


def stored_case(database: Database, arrival_id: int, house: House, parser: Parser) -> Case:
    """A mail that opened a request, by its reference."""
    with database.read() as connection:
        found = mails.opening(connection, arrival_id)
    mail = _parsed(found.raw, found.envelope_sender, parser)
    hidden = any(house.department_of(one).confidential for one in found.departments)
    return Case(found.reference, routable(found.mailbox, mail, house.mailboxes.get(found.mailbox)), hidden)


def outcomes(cases: Iterable[Case], matcher: Matcher, candidate: Matcher | None) -> Iterator[Outcome]:
    """Each case judged by both."""
    for case in cases:
        then = classify(candidate, case.mail) if candidate is not None else None
        yield Outcome(case, classify(matcher, case.mail), then)


def moved(found: Iterable[Outcome]) -> Counter[tuple[str, str]]:
    """How many move from which department to which."""
    return Counter((one.now.department, one.then.department) for one in found if one.moves and one.then is not None)


def as_value(one: Outcome) -> dict[str, Any]:
    """One outcome as JSON has it; with a candidate before and after."""
    named = {"mail": one.case.name, "subject": one.case.subject}
    now = asdict(one.case.shown(one.now))
    if one.then is None:
        return named | {"classification": now}
    return named | {"before": now, "after": asdict(one.case.shown(one.then))}


def in_words(one: Outcome) -> Iterator[str]:
    """Lines for people: where it belongs, how clearly, and what each rule gave."""
    verdict = one.case.shown(one.now)
    yield f"{one.case.name}  {one.case.subject}"
    runner_up = f", then {verdict.runner_up} with {verdict.score - verdict.margin:g}" if verdict.runner_up else ""
    yield f"  department {verdict.department} with {verdict.score:g}{runner_up} (margin {verdict.margin:g})"
    yield f"  category {verdict.category or 'none'}, priority {verdict.priority}"
    for hit in verdict.rules:
        yield f"  rule {hit.rule} gives {hit.score:g}: {'; '.join(hit.hits)}"
    if not verdict.rules:
        yield "  no rule hits"


def _parsed(raw: bytes, envelope_sender: str | None, parser: Parser) -> Mail:
    try:
        return parser.parse(raw, envelope_sender=envelope_sender)
    except ParserDied as error:  # the mail is where it was: in its file, or in the store
        return Mail(defects=(f"cannot be understood: {error}",))
