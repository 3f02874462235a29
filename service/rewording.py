"""Receipts that say something else before anybody has got them: they take in another mail, or their words are over.

A courier that has the receipt keeps it as it is; this then comes too late and changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from delivery.compose import Words, reworded
from desk.acknowledge import AckDecision
from desk.lateness import Lateness, lateness
from desk.promise import Targets
from desk.request import Request
from service.house import House
from service.letters import names_of, urgent_contact
from service.parts import promised, renew
from service.transactions import Transactions
from store import arrivals, requests, waiting
from store.database import Database
from store.waiting import Waiting
from templates.facts import Answered, JointFacts, ReceiptFacts, Rendered
from templates.render import render_joint, render_receipt

BATCH = 50


@dataclass(frozen=True, slots=True)
class Told:
    """A request with what its receipt can promise now."""

    request: Request
    targets: Targets
    late: bool


def reword_outdated(database: Database, transactions: Transactions, house: House, now: datetime) -> bool:
    """No due receipt says "today" of another day or promises what has passed; False where there was none to change.

    Before each step of a courier, so that what it claims holds.
    """
    with database.read() as connection:
        if not waiting.is_any_outdated(connection, now=now):
            return False
    transactions.run(lambda connection: _reword_batch(connection, house, now))
    return True


def _reword_batch(connection: Connection, house: House, now: datetime) -> None:
    for one in waiting.outdated(connection, now=now, limit=BATCH):
        _worded(connection, house, one, now=now)


def _worded(connection: Connection, house: House, receipt: Waiting, *, now: datetime) -> bool:
    """The receipt names every request it answers, in words of that moment; False where it could not be changed."""
    told = [_told(connection, house, number, now) for number in receipt.numbers]
    for one in told:
        waiting.promises(connection, receipt.id, one.request.number, one.targets)
        renew(connection, one.request, house, now=now)
    rendered = _one(connection, house, told[0], now) if len(told) == 1 else _several(house, told, now)
    words = Words(message_id=receipt.message_id, date=now, text=rendered.text, html=rendered.html)
    return waiting.reword(connection, receipt, reworded(receipt.content, words), now=now)


def _told(connection: Connection, house: House, number: int, now: datetime) -> Told:
    request = requests.find(connection, number)
    assert request is not None
    department = house.department_of(request.department)
    calendar = house.calendars[department.calendar]
    return Told(
        request, promised(request, house, now=now), lateness(calendar, request.opened, now) is not Lateness.ON_TIME
    )


def _one(connection: Connection, house: House, told: Told, now: datetime) -> Rendered:
    request, department = told.request, house.department_of(told.request.department)
    person = request.requester
    assert person is not None
    return render_receipt(
        ReceiptFacts(
            language=request.language,
            requester_name=person.name,
            department=department.name_in(request.language),
            also=names_of(request.departments[1:], house, request.language),
            first_response=told.targets.first_response,
            resolution=told.targets.resolution,
            zone=house.calendars[department.calendar].zone,
            now=now,
            delay=told.targets.delay,
            closed_name=told.targets.closed_name,
            reference=request.reference,
            token=house.keyring.token(request.reference, person.key),
            urgent_contact=urgent_contact(request, house),
            external=arrivals.receipt_of(connection, request.number).startswith(AckDecision.LIMITED.value),
            sent=request.opened if told.late else None,
        )
    )


def _several(house: House, told: list[Told], now: datetime) -> Rendered:
    first = told[0].request
    person = first.requester
    assert person is not None
    return render_joint(
        JointFacts(
            language=first.language,
            requester_name=person.name,
            answered=tuple(_answered(house, one, first.language) for one in told),
            zone=house.calendars[house.department_of(first.department).calendar].zone,
            now=now,
            late=any(one.late for one in told),
        )
    )


def _answered(house: House, told: Told, language: str) -> Answered:
    request = told.request
    assert request.requester is not None
    return Answered(
        subject=request.subject,
        departments=names_of(request.departments, house, language),
        sent=request.opened,
        first_response=told.targets.first_response,
        resolution=told.targets.resolution,
        reference=request.reference,
        token=house.keyring.token(request.reference, request.requester.key),
    )


def joined(connection: Connection, house: House, receipt: Waiting, number: int) -> bool:
    """The waiting receipt answers that request too; False where it could not be changed any more."""
    both = replace(receipt, numbers=(*receipt.numbers, number))
    return _worded(connection, house, both, now=receipt.worded)
