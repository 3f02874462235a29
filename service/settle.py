"""One arrival settled inside one transaction: thread, decide, store, and the mails that are owed for it.

All or nothing: fate, request, entry, promises, journal and outbox rows are one commit. What is decided is decided in
desk/; this only asks the store what a decision needs, and writes what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk import lifecycle
from desk.acknowledge import Candidate, Mode, acknowledge
from desk.arrival import Fate, Source
from desk.aside import is_told
from desk.classification import Classification
from desk.decision import Circumstances, Decision, decide
from desk.department import Department
from desk.lateness import TOO_OLD
from desk.lifecycle import Event, State
from desk.limiter import Verdict
from desk.mail import Automatic, AutomaticKind
from desk.outbox import Notice
from desk.promise import Targets
from desk.request import Entry, Request
from desk.targets import Asked, kept_or_renewed
from desk.thread import ThreadMatch
from routing.thread import Reader, continued_by
from service.house import House, Mailbox
from service.judged import Judged, candidate
from service.letters import Matter
from service.limiting import Measured, Moment, measure
from service.owing import Owing, owe_receipt
from service.parts import Copy, Occasion, answered_by, came_elsewhere, moved, news, past, promised
from service.people import Acquainted
from store import arrivals, asides, journal, outbox, requests
from store.arrivals import Earlier, Waiting
from store.effects import PENDING

SAME_MAIL_WITHOUT_ID = timedelta(minutes=10)
"""Equal mails without Message-ID are one mail only when they came this close together."""


@dataclass(frozen=True, slots=True)
class Settling:
    """An arrival on its way through one transaction."""

    connection: Connection
    house: House
    waiting: Waiting
    judged: Judged
    now: datetime

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox that answers: the one it came in at, or the first of several that it is for."""
        return self.occasion.answering

    @property
    def occasion(self) -> Occasion:
        """What is known of it but for the ledger."""
        return Occasion(self.judged, self.house, self.now)


def settle(settling: Settling) -> Decision:
    """The arrival has its fate, and everything that follows from it is written; nothing is sent here."""
    settling = replace(settling, judged=_own_recognised(settling))
    before = _repeated(settling)
    copy = _copied(settling, before)
    circumstances = _circumstances(settling, before, copy)
    decision = decide(circumstances)
    measured = _measured(settling, circumstances.candidate) if decision.answers else None
    if measured is not None:
        decision = decide(replace(circumstances, ruling=measured.ruling))
    request = _written(settling, circumstances.thread, decision) if copy is None else copy.request
    consequence = Consequence(request, measured, copy=copy)
    owed = _owe(settling, circumstances.thread, decision, consequence)
    _record(settling, circumstances.thread, decision, replace(consequence, owed=owed))
    return decision


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an arrival led to: its request, what the limiter said, if asked, and the kinds of mail that are owed."""

    request: Request | None
    measured: Measured | None
    owed: tuple[str, ...] = ()
    copy: Copy | None = None

    @property
    def number(self) -> int | None:
        """The number of the request it belongs to, if any."""
        if self.copy is not None:
            return self.copy.number
        return self.request.number if self.request is not None else None


def _own_recognised(settling: Settling) -> Judged:
    """A mail of ours that came back is our own, whatever it looks like: from our mailbox, with an id we made.

    A relay may have given it another Message-ID; X-Deskbell-Id travels along.
    """
    judged = settling.judged
    mail = judged.mail
    if not settling.house.is_mailbox(mail.sender):
        return judged
    ids = [*([mail.message_id] if mail.message_id else []), *(f"<{one}>" for one in mail.header("x-deskbell-id")[:1])]
    if any(map(settling.house.keyring.confirms_probe, ids)):
        tried = Automatic(AutomaticKind.OWN, ("a mail with which deskbell doctor tries the way",))
        return replace(judged, mail=replace(mail, automatic=tried))
    made_by_us = requests.StoredThreads(settling.connection).sent(ids) if ids else {}
    if not made_by_us:
        return judged
    own = Automatic(AutomaticKind.OWN, (f"{next(iter(made_by_us))} is a mail of ours",))
    return replace(judged, mail=replace(mail, automatic=own, references=(*mail.references, *made_by_us)))


def _circumstances(settling: Settling, before: Sequence[Earlier], copy: Copy | None) -> Circumstances:
    mail = settling.judged.mail
    asked = candidate(settling.judged, settling.house, settling.mailbox)
    reader = Reader(
        threads=Acquainted(requests.StoredThreads(settling.connection), settling.house.people),
        confirms=lambda token, reference, recipient: settling.house.keyring.confirms(
            token, reference=reference, recipient=recipient
        ),
        own_sender=asked.own_sender,
    )
    return Circumstances(
        arrival=settling.waiting.arrival,
        candidate=replace(asked, too_old=settling.now - settling.waiting.arrival.received_at > TOO_OLD),
        thread=continued_by(mail, reader),
        repeats=before[0].id if before and copy is None else None,
        elsewhere=copy.said if copy is not None else None,
    )


def _measured(settling: Settling, asked: Candidate) -> Measured | None:
    """What the limiter says of a receipt that would go out; None where nothing is limited."""
    limits = settling.house.limits
    if limits is None:
        return None
    received_at = settling.waiting.arrival.received_at
    moment = Moment(settling.connection, limits, settling.mailbox.address, received_at, settling.now)
    return measure(asked, moment)


def _repeated(settling: Settling) -> Sequence[Earlier]:
    """The earlier arrivals of the very same mail, if this is one that came again."""
    key = settling.judged.mail.content_key
    before = arrivals.earlier(settling.connection, content_key=key, but=settling.waiting.id)
    if settling.judged.mail.message_id is not None:
        return before
    return [one for one in before if _is_close(one, settling)]


def _copied(settling: Settling, before: Sequence[Earlier]) -> Copy | None:
    """What it means that the mail came to other mailboxes only; None where it is new, or came to this one before."""
    mailboxes = {one.mailbox for one in before}
    if not mailboxes or settling.waiting.arrival.mailbox in mailboxes:
        return None
    return came_elsewhere(settling.connection, settling.occasion, before)


def _is_close(one: Earlier, settling: Settling) -> bool:
    return abs(one.received - settling.waiting.arrival.received_at) <= SAME_MAIL_WITHOUT_ID


def _written(settling: Settling, match: ThreadMatch | None, decision: Decision) -> Request | None:
    """The request that was opened or added to, None where the arrival belongs to none."""
    if match is None and decision.entry is not None:
        request = _new_request(settling, requests.next_number(settling.connection))
        request = _as_history(settling, request) if decision.fate is Fate.BACKFILLED else request
        requests.open_request(settling.connection, request, category=settling.judged.classification.category)
    elif match is not None and decision.fate in (
        Fate.APPENDED,
        Fate.ABSORBED,
        Fate.HELD,
        Fate.BACKFILLED,
    ):
        request = _known_request(settling, match.number)
    else:
        return None
    if decision.event is not None and match is not None and request.further:
        mover = answered_by(request, match, settling.occasion) if decision.event is Event.ANSWERED else None
        request = moved(settling.connection, request, decision.event, mover=mover)
    elif decision.event is not None:
        state = lifecycle.after(request.state, decision.event)
        requests.change_state(settling.connection, request.number, state)
        request = replace(request, state=state)
    if decision.entry is not None:
        requests.append(settling.connection, request.number, _entry(settling, decision))
    return request


def _known_request(settling: Settling, number: int) -> Request:
    request = requests.find(settling.connection, number)
    assert request is not None
    return request


def _new_request(settling: Settling, number: int) -> Request:
    judged = settling.judged
    department = settling.house.departments[judged.classification.department]
    targets = targets_of(settling, department)
    return Request(
        number=number,
        subject=judged.mail.subject,
        requester=judged.mail.sender,
        mailbox=settling.mailbox.address,
        department=department.key,
        state=State.NEW,
        priority=judged.classification.priority,
        language=judged.spoken,
        opened=settling.waiting.arrival.received_at,
        first_response_due=targets.first_response,
        resolution_due=targets.resolution,
        further=settling.occasion.further(),
    )


def _as_history(settling: Settling, request: Request) -> Request:
    """A request of before the watch: nobody waits for an answer, and its moments are counted from when it came."""
    parts = [past(part, request.opened, settling.house) for part in request.parts]
    return replace(
        request,
        state=State.ANSWERED,
        first_response_due=parts[0].first_response_due,
        resolution_due=parts[0].resolution_due,
        further=tuple(parts[1:]),
    )


def targets_of(settling: Settling, department: Department) -> Targets:
    """Both promised moments, counted from the arrival; from now on where that one would be over already."""
    calendar = settling.house.calendars[department.calendar]
    asked = Asked(settling.judged.classification.priority, settling.waiting.arrival.received_at)
    return kept_or_renewed(department, calendar, asked, settling.now)


def _entry(settling: Settling, decision: Decision) -> Entry:
    mail = settling.judged.mail
    assert decision.entry is not None
    return Entry(
        kind=decision.entry,
        at=settling.waiting.arrival.received_at,
        author=mail.sender.address if mail.sender else "",
        text=mail.text,
        message_id=mail.message_id,
        arrival=settling.waiting.id,
    )


def _owe(settling: Settling, match: ThreadMatch | None, decision: Decision, led_to: Consequence) -> tuple[str, ...]:
    """The kinds of mail that are owed because of this arrival."""
    request = led_to.request
    if request is None:
        return ()
    owed = [_owed_receipt(settling, request, led_to.measured, decision)] if decision.answers else []
    targets = Targets(request.first_response_due, request.resolution_due)
    matter = Matter(request, targets, settling.judged, decision, settling.now)
    owed += [_owed_news(settling, request, one) for one in news(matter, settling.occasion, match, led_to.copy)]
    return tuple(filter(None, owed))


def _owed_news(settling: Settling, request: Request, word: Notice) -> str | None:
    outbox_id = outbox.owe(settling.connection, request.number, word, now=settling.now)
    return word.kind.value if outbox_id is not None else None


def _owed_receipt(settling: Settling, request: Request, measured: Measured | None, decision: Decision) -> str | None:
    targets = promised(request, settling.house, now=settling.now)
    matter = Matter(request, targets, settling.judged, decision, settling.now)
    return owe_receipt(Owing(settling.connection, settling.house, matter, measured))


def _record(settling: Settling, match: ThreadMatch | None, decision: Decision, led_to: Consequence) -> None:
    judged, acknowledgement = settling.judged, decision.acknowledgement
    number = led_to.number
    values = {
        "fate": decision.fate.value,
        "reason": decision.reason,
        "receipt": f"{acknowledgement.decision}: {acknowledgement.rule}{_waits(led_to.measured)}",
        "content_key": judged.mail.content_key,
        "message_id": judged.mail.message_id,
        "evidence": judged.proof.level.value,
        "request_number": number,
        "trace": _trace(judged, match, decision) | _limited(led_to.measured) | _would(settling, decision),
        "effect": PENDING if _is_to_be_marked(settling) else None,
    }
    arrivals.record_fate(settling.connection, settling.waiting.id, values, epoch=settling.waiting.epoch)
    if is_told(settling.waiting.arrival, decision.fate, settling.mailbox.mode):
        asides.note(settling.connection, settling.waiting.id, now=settling.now)
    detail = {"fate": decision.fate.value, "reason": decision.reason, "owed": list(led_to.owed)}
    record = journal.Record("settled", number, settling.waiting.id, detail=detail)
    journal.write(settling.connection, record, now=settling.now)


def _is_to_be_marked(settling: Settling) -> bool:
    """Our own mail is recognised without a mark, and stays where staff may be waiting for it."""
    is_own = settling.judged.mail.automatic.kind is AutomaticKind.OWN
    return settling.waiting.arrival.source is Source.IMAP and not is_own


def _would(settling: Settling, decision: Decision) -> dict[str, Any]:
    """What would be decided of the receipt if the mailbox did not observe."""
    if settling.mailbox.mode is not Mode.OBSERVE or decision.fate is not Fate.OPENED:
        return {}
    asked = candidate(settling.judged, settling.house, replace(settling.mailbox, mode=Mode.FULL))
    return {"would": _values(acknowledge(asked))}


def _waits(measured: Measured | None) -> str:
    """Which limit makes the receipt wait."""
    waits = measured is not None and measured.ruling.verdict is Verdict.WAIT
    return f", waits: {measured.ruling.rule}" if measured is not None and waits else ""


def _limited(measured: Measured | None) -> dict[str, Any]:
    if measured is None:
        return {}
    ruling = measured.ruling
    return {"limiter": {"verdict": ruling.verdict.value, "rule": ruling.rule, "reason": ruling.reason}}


def _values(verdict: Any) -> dict[str, Any]:
    """The fields of a flat value; asdict would copy each of them deeply."""
    return {field.name: getattr(verdict, field.name) for field in fields(verdict)}


def _trace(judged: Judged, match: ThreadMatch | None, decision: Decision) -> dict[str, Any]:
    return {
        "automatic": _values(judged.mail.automatic),
        "proof": _values(judged.proof),
        "thread": None if match is None else {"evidence": match.evidence, "standing": match.standing.value},
        "acknowledge": _values(decision.acknowledgement),
        "classification": _verdict(judged.classification),
        "language": judged.language,
        "defects": list(judged.mail.defects),
    } | _parts_of_trace(judged, match)


def _parts_of_trace(judged: Judged, match: ThreadMatch | None) -> dict[str, Any]:
    """What the rules said at the further mailboxes that a new mail is for."""
    shares = judged.division.shares[1:] if judged.division is not None and match is None else ()
    return (
        {"parts": [{"mailbox": one.mailbox.address, **_verdict(one.classification)} for one in shares]}
        if shares
        else {}
    )


def _verdict(classification: Classification) -> dict[str, Any]:
    return _values(classification) | {"rules": [_values(hit) for hit in classification.rules]}
