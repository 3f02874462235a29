"""One arrival settled inside one transaction: thread, decide, store, and the mails that are owed for it.

All or nothing: fate, request, entry, promises, journal and outbox rows are one commit. What is decided is decided in
desk/; this only asks the store what a decision needs, and writes what it says.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk import lifecycle
from desk.acknowledge import Candidate
from desk.arrival import Fate, Source
from desk.decision import Circumstances, Decision, decide
from desk.department import Department
from desk.lifecycle import State
from desk.mail import Automatic, AutomaticKind
from desk.promise import Targets
from desk.request import Entry, Request
from desk.targets import promise
from desk.thread import ThreadMatch
from routing.thread import Reader, continued_by
from service.house import House, Mailbox
from service.judged import Judged, candidate, limited
from service.letters import Matter, notification, receipt
from store import arrivals, journal, outbox, requests
from store.arrivals import Earlier, Waiting
from store.effects import PENDING

SAME_MAIL_WITHOUT_ID = timedelta(minutes=10)
"""Equal mails without Message-ID are one mail only when they came this close together."""
_DAY = timedelta(days=1)


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
        """The mailbox it came in at."""
        return self.house.mailboxes[self.waiting.arrival.mailbox]


def settle(settling: Settling) -> Decision:
    """The arrival has its fate, and everything that follows from it is written; nothing is sent here."""
    settling = replace(settling, judged=_own_recognised(settling))
    circumstances = _circumstances(settling)
    decision = decide(circumstances)
    request = _written(settling, circumstances.thread, decision)
    owed = _owe(settling, request, decision) if request is not None else ()
    _record(settling, circumstances.thread, decision, Consequence(request, owed))
    return decision


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an arrival led to: the request it belongs to, if any, and the kinds of mail that are owed for it."""

    request: Request | None
    owed: tuple[str, ...]


def _own_recognised(settling: Settling) -> Judged:
    """A mail of ours that came back is our own, whatever it looks like: from our mailbox, with an id we made.

    A relay may have given it another Message-ID; X-Deskbell-Id travels along.
    """
    judged = settling.judged
    mail = judged.mail
    if not settling.house.is_mailbox(mail.sender):
        return judged
    ids = [*([mail.message_id] if mail.message_id else []), *(f"<{one}>" for one in mail.header("x-deskbell-id")[:1])]
    made_by_us = requests.StoredThreads(settling.connection).sent(ids) if ids else {}
    if not made_by_us:
        return judged
    own = Automatic(AutomaticKind.OWN, (f"{next(iter(made_by_us))} is a mail of ours",))
    return replace(judged, mail=replace(mail, automatic=own, references=(*mail.references, *made_by_us)))


def _circumstances(settling: Settling) -> Circumstances:
    mail = settling.judged.mail
    asked = candidate(settling.judged, settling.house, settling.mailbox)
    reader = Reader(
        threads=requests.StoredThreads(settling.connection),
        confirms=lambda token, reference, recipient: settling.house.keyring.confirms(
            token, reference=reference, recipient=recipient
        ),
        own_sender=asked.own_sender,
    )
    return Circumstances(
        arrival=settling.waiting.arrival,
        candidate=_with_receipts(settling, asked),
        thread=continued_by(mail, reader),
        repeats=_repeated(settling),
    )


def _with_receipts(settling: Settling, asked: Candidate) -> Candidate:
    if asked.own_sender or asked.limit is None or asked.mail.sender is None:
        return asked
    since = settling.now - _DAY
    sent = outbox.receipts_since(settling.connection, recipient=asked.mail.sender.key, since=since)
    return limited(asked, receipts_today=sent)


def _repeated(settling: Settling) -> int | None:
    """The earlier arrival of the very same mail, if this is one that came again."""
    key = settling.judged.mail.content_key
    before = arrivals.earlier(settling.connection, content_key=key, but=settling.waiting.id)
    if settling.judged.mail.message_id is not None:
        return before[0].id if before else None
    return next((one.id for one in before if _is_close(one, settling)), None)


def _is_close(one: Earlier, settling: Settling) -> bool:
    return abs(one.received - settling.waiting.arrival.received_at) <= SAME_MAIL_WITHOUT_ID


def _written(settling: Settling, match: ThreadMatch | None, decision: Decision) -> Request | None:
    """The request that was opened or added to, None where the arrival belongs to none."""
    if decision.fate is Fate.OPENED:
        request = _new_request(settling, requests.next_number(settling.connection))
        requests.open_request(settling.connection, request, category=settling.judged.classification.category)
    elif match is not None and decision.fate in (Fate.APPENDED, Fate.ABSORBED, Fate.HELD):
        request = _known_request(settling, match.number)
    else:
        return None
    if decision.event is not None:
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
    )


def targets_of(settling: Settling, department: Department) -> Targets:
    """Both promised moments, counted from the arrival; from now on where that one would be over already."""
    calendar = settling.house.calendars[department.calendar]
    priority = settling.judged.classification.priority
    targets = promise(department, calendar, priority, settling.waiting.arrival.received_at)
    if targets.first_response > settling.now:
        return targets
    return promise(department, calendar, priority, settling.now)


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


def _owe(settling: Settling, request: Request, decision: Decision) -> tuple[str, ...]:
    """The kinds of mail that are owed now because of this arrival."""
    opened = decision.fate is Fate.OPENED
    if not opened and decision.news is None:
        return ()
    targets = Targets(request.first_response_due, request.resolution_due)
    if opened:
        targets = targets_of(settling, settling.house.departments[request.department])
    matter = Matter(request, targets, settling.judged, decision, settling.now)
    answer = receipt(matter, settling.house) if opened else None
    notices = (answer, notification(matter, settling.house, settling.mailbox))
    return tuple(
        notice.kind.value
        for notice in notices
        if notice is not None and outbox.owe(settling.connection, request.number, notice, now=settling.now) is not None
    )


def _record(settling: Settling, match: ThreadMatch | None, decision: Decision, led_to: Consequence) -> None:
    judged, acknowledgement = settling.judged, decision.acknowledgement
    number = led_to.request.number if led_to.request is not None else None
    values = {
        "fate": decision.fate.value,
        "reason": decision.reason,
        "receipt": f"{acknowledgement.decision}: {acknowledgement.rule}",
        "content_key": judged.mail.content_key,
        "message_id": judged.mail.message_id,
        "evidence": judged.proof.level.value,
        "request_number": number,
        "trace": _trace(judged, match, decision),
        "effect": PENDING if settling.waiting.arrival.source is Source.IMAP else None,
    }
    arrivals.record_fate(settling.connection, settling.waiting.id, values, epoch=settling.waiting.epoch)
    detail = {"fate": decision.fate.value, "reason": decision.reason, "owed": list(led_to.owed)}
    record = journal.Record("settled", number, settling.waiting.id, detail=detail)
    journal.write(settling.connection, record, now=settling.now)


def _values(verdict: Any) -> dict[str, Any]:
    """The fields of a flat value; asdict would copy each of them deeply."""
    return {field.name: getattr(verdict, field.name) for field in fields(verdict)}


def _trace(judged: Judged, match: ThreadMatch | None, decision: Decision) -> dict[str, Any]:
    return {
        "automatic": _values(judged.mail.automatic),
        "proof": _values(judged.proof),
        "thread": None if match is None else {"evidence": match.evidence, "standing": match.standing.value},
        "acknowledge": _values(decision.acknowledgement),
        "classification": _values(judged.classification)
        | {"rules": [_values(hit) for hit in judged.classification.rules]},
        "language": judged.language,
        "defects": list(judged.mail.defects),
    }
