"""What becomes of one arrival: its fate, what it does to a request, who is written to, and why.

The table is read from the top; each line names the rule that is recorded with the arrival.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from desk.acknowledge import AckDecision, Acknowledgement, Candidate, Mode, acknowledge
from desk.arrival import Arrival, Fate, Source
from desk.lifecycle import Event
from desk.limiter import UNLIMITED, Ruling, Verdict
from desk.mail import AutomaticKind
from desk.request import EntryKind
from desk.thread import Standing, ThreadMatch

REPORTS = frozenset(
    {
        AutomaticKind.BOUNCE,
        AutomaticKind.DELAY,
        AutomaticKind.RECEIPT,
        AutomaticKind.FEEDBACK,
        AutomaticKind.OWN,
    }
)
"""Mail about mail: never a request of its own."""


class News(StrEnum):
    """What the department is told."""

    OPENED = "opened"
    FOLLOWED_UP = "followed-up"
    HELD = "held"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same mail came to another of our mailboxes before: by which arrival, and at which mailbox.

    adds: the request it opened there is for this mailbox's department too, which its header did not say.
    """

    arrival: int
    mailbox: str
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    """An arrival with all that is known before anything is decided."""

    arrival: Arrival
    candidate: Candidate
    thread: ThreadMatch | None = None
    """The request it continues."""
    repeats: int | None = None
    """The arrival that brought the same mail before."""
    elsewhere: Elsewhere | None = None
    ruling: Ruling = UNLIMITED
    """What the limiter says of a receipt."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The fate with its reason code, the entry and event for the request, the receipt, and the news for staff."""

    fate: Fate
    reason: str
    acknowledgement: Acknowledgement
    entry: EntryKind | None = None
    event: Event | None = None
    news: News | None = None

    @property
    def answers(self) -> bool:
        """A receipt goes out, now or later."""
        return self.acknowledgement.decision is not AckDecision.NEVER


def decide(circumstances: Circumstances) -> Decision:
    """The one decision about an arrival; total and deterministic."""
    settled = _without_request(circumstances)
    if settled is not None:
        return settled
    match = circumstances.thread
    decision = _opened(circumstances) if match is None else _continued(circumstances, match)
    if circumstances.arrival.source is Source.IMPORT:
        return _remembered(decision)
    return decision if circumstances.candidate.mode is Mode.FULL else replace(decision, news=None)


def _remembered(decision: Decision) -> Decision:
    """The same mail as history: its entry is written, no state changes and nobody hears of it."""
    never = _never("imported", "older than the watch, taken in by `deskbell ledger import`")
    return Decision(Fate.BACKFILLED, "imported", never, decision.entry)


def _never(rule: str, reason: str) -> Acknowledgement:
    return Acknowledgement(AckDecision.NEVER, rule, reason)


def _without_request(circumstances: Circumstances) -> Decision | None:
    mail = circumstances.candidate.mail
    if not circumstances.arrival.complete:
        return Decision(Fate.OVERSIZE, "too-large", _never("too-large", "larger than limits.message_octets"))
    if circumstances.repeats is not None:
        words = f"the same mail came before (arrival {circumstances.repeats})"
        return Decision(Fate.DUPLICATE, "same-mail", _never("same-mail", words))
    if circumstances.elsewhere is not None:
        return _copied(circumstances, circumstances.elsewhere)
    if circumstances.arrival.before_floor:
        return Decision(Fate.BACKFILLED, "before-floor", _never("before-floor", "older than the watch"))
    if circumstances.thread is None and mail.automatic.kind in REPORTS:
        return Decision(Fate.FILED, "report", acknowledge(circumstances.candidate))
    return None


def _copied(circumstances: Circumstances, elsewhere: Elsewhere) -> Decision:
    never = _never("other-mailbox", f"the same mail came to {elsewhere.mailbox} before (arrival {elsewhere.arrival})")
    if not elsewhere.adds:
        return Decision(Fate.DUPLICATE, "other-mailbox", never)
    return Decision(Fate.APPENDED, "further-part", never, news=_first_news(circumstances.candidate))


def _first_news(candidate: Candidate) -> News:
    doubtful = candidate.mail.sender is None or candidate.negative is not None
    return News.DOUBTFUL if doubtful else News.OPENED


def _opened(circumstances: Circumstances) -> Decision:
    candidate = circumstances.candidate
    acknowledgement = acknowledge(candidate)
    if circumstances.arrival.replayed and acknowledgement.decision is not AckDecision.NEVER:
        words = "handled before by a newer database than this one: a second receipt is worse than none"
        acknowledgement = _never("replayed", words)
    elif circumstances.ruling.verdict is Verdict.SILENT and acknowledgement.decision is not AckDecision.NEVER:
        acknowledgement = _never(circumstances.ruling.rule, circumstances.ruling.reason)
    return Decision(Fate.OPENED, "new-request", acknowledgement, EntryKind.MAIL, news=_first_news(candidate))


def _continued(circumstances: Circumstances, match: ThreadMatch) -> Decision:
    candidate = circumstances.candidate
    if candidate.mail.automatic.kind is not AutomaticKind.PERSON:
        entry = None if candidate.mail.automatic.kind is AutomaticKind.OWN else EntryKind.EVENT
        return Decision(Fate.ABSORBED, "automatic-mail", acknowledge(candidate), entry)
    follow_up = _never("follow-up", "continues a request: a receipt goes out once, when it is opened")
    if match.standing is Standing.STRANGER or candidate.negative is not None or candidate.mail.sender is None:
        return Decision(Fate.HELD, "not-a-participant", follow_up, EntryKind.HELD, news=News.HELD)
    if match.standing is Standing.STAFF:
        return Decision(Fate.APPENDED, "staff-answer", follow_up, EntryKind.ANSWER, Event.ANSWERED)
    return Decision(Fate.APPENDED, "follow-up", follow_up, EntryKind.MAIL, Event.FOLLOWED_UP, News.FOLLOWED_UP)
