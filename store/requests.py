"""Requests with their history: opened, appended to, moved from state to state, read."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, func, insert, select, update

from desk.classification import Priority
from desk.lifecycle import State
from desk.mail import Address
from desk.outbox import NoticeKind
from desk.request import FIRST_NUMBER, Entry, EntryKind, Request
from desk.thread import SentMail
from store import meta
from store.prepared import Prepared
from store.tables import arrival, entry, outbox, outbox_alias, participant, request

_INSERT_REQUEST = Prepared(insert(request))
_INSERT_PARTICIPANT = Prepared(insert(participant))
_INSERT_ENTRY = Prepared(insert(entry))
_CHANGE_STATE = Prepared(
    update(request).where(request.c.number == bindparam("of")).values(state=bindparam("new_state"))
)
# Built once: making a statement costs as much as running it.
_SENT = select(outbox.c.message_id, outbox.c.request_number, outbox.c.kind).where(
    outbox.c.message_id.in_(bindparam("ids", expanding=True)), outbox.c.request_number.is_not(None)
)
_ALIASED = (
    select(outbox_alias.c.message_id, outbox.c.request_number, outbox.c.kind)
    .join(outbox, outbox.c.id == outbox_alias.c.outbox_id)
    .where(outbox_alias.c.message_id.in_(bindparam("ids", expanding=True)))
)
_RECEIVED = select(arrival.c.message_id, arrival.c.request_number).where(
    arrival.c.message_id.in_(bindparam("ids", expanding=True)), arrival.c.request_number.is_not(None)
)
# Typed, because people name numbers that no column can hold; so below.
_PARTICIPANTS = Prepared(
    select(participant.c.address).where(participant.c.request_number == bindparam("number", type_=BigInteger))
)


def next_number(connection: Connection) -> int:
    """A number no request has or ever had."""
    return meta.count_up(connection, "last_request_number", start=FIRST_NUMBER)


def open_request(connection: Connection, new: Request, *, category: str | None) -> None:
    """Write the request; its requester becomes its first participant."""
    requester = new.requester
    row = {
        "number": new.number,
        "subject": new.subject,
        "requester_address": requester.address if requester else None,
        "requester_name": requester.name if requester else "",
        "mailbox": new.mailbox,
        "department": new.department,
        "category": category,
        "priority": new.priority.value,
        "state": new.state.value,
        "language": new.language,
        "opened": new.opened,
        "first_response_due": new.first_response_due,
        "resolution_due": new.resolution_due,
    }
    _INSERT_REQUEST.run(connection, row)
    if requester is not None:
        first = {"request_number": new.number, "address": requester.key, "name": requester.name}
        _INSERT_PARTICIPANT.run(connection, first)


def append(connection: Connection, number: int, new: Entry) -> None:
    """Add an entry to the request's history."""
    row = {
        "request_number": number,
        "arrival_id": new.arrival,
        "kind": new.kind.value,
        "at": new.at,
        "author": new.author,
        "text": new.text,
        "message_id": new.message_id,
    }
    _INSERT_ENTRY.run(connection, row)


def change_state(connection: Connection, number: int, state: State) -> None:
    """The request is in that state."""
    _CHANGE_STATE.run(connection, {"of": number, "new_state": state.value})


def _request(row: Row[Any]) -> Request:
    requester = Address(row.requester_name, row.requester_address) if row.requester_address else None
    return Request(
        number=row.number,
        subject=row.subject,
        requester=requester,
        mailbox=row.mailbox,
        department=row.department,
        state=State(row.state),
        priority=Priority(row.priority),
        language=row.language,
        opened=row.opened,
        first_response_due=row.first_response_due,
        resolution_due=row.resolution_due,
        erased=row.erased,
    )


_REQUESTS: Select[Any] = select(
    request.c.number,
    request.c.subject,
    request.c.requester_address,
    request.c.requester_name,
    request.c.mailbox,
    request.c.department,
    request.c.state,
    request.c.priority,
    request.c.language,
    request.c.opened,
    request.c.first_response_due,
    request.c.resolution_due,
    request.c.erased,
)

_REQUEST = _REQUESTS.where(request.c.number == bindparam("wanted", type_=BigInteger))


def find(connection: Connection, number: int) -> Request | None:
    """The request of that number, or None."""
    row = connection.execute(_REQUEST, {"wanted": number}).one_or_none()
    return None if row is None else _request(row)


def every(connection: Connection, *, department: str | None, state: State | None) -> list[Request]:
    """All requests, newest first; of one department or state where given."""
    chosen = _REQUESTS.order_by(request.c.number.desc())
    if department is not None:
        chosen = chosen.where(request.c.department == department)
    if state is not None:
        chosen = chosen.where(request.c.state == state.value)
    return [_request(row) for row in connection.execute(chosen)]


def newest(connection: Connection) -> int:
    """The highest number of a request; 0 where there is none."""
    return connection.scalar(select(func.max(request.c.number))) or 0


def page(connection: Connection, *, before: int, limit: int) -> list[Request]:
    """The newest requests with a number less than `before`, newest first, so many at most."""
    chosen = _REQUESTS.where(request.c.number < before).order_by(request.c.number.desc()).limit(limit)
    return [_request(row) for row in connection.execute(chosen)]


def entries(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[Entry]]:
    """The history of each of the requests, oldest entry first."""
    history: dict[int, list[Entry]] = {number: [] for number in numbers}
    rows = select(
        entry.c.request_number,
        entry.c.kind,
        entry.c.at,
        entry.c.author,
        entry.c.text,
        entry.c.message_id,
        entry.c.arrival_id,
    ).order_by(entry.c.id)
    for row in connection.execute(rows.where(entry.c.request_number.in_(list(numbers)))):
        history[row.request_number].append(
            Entry(EntryKind(row.kind), row.at, row.author, row.text, row.message_id, row.arrival_id)
        )
    return history


class StoredThreads:
    """What threading asks of the store, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sent(self, message_ids: Sequence[str]) -> Mapping[str, SentMail]:
        """Those of the ids that are mails of ours, and about which request; also by the ids that relays gave them.

        A relay that names one id for mails of several requests has named none.
        """
        aliased = self._mails(_ALIASED, message_ids)
        numbers: dict[str, set[int]] = {}
        for message_id, mail in aliased:
            numbers.setdefault(message_id, set()).add(mail.number)
        clear = {message_id: mail for message_id, mail in aliased if len(numbers[message_id]) == 1}
        return clear | dict(self._mails(_SENT, message_ids))

    def _mails(self, known: Select[Any], message_ids: Sequence[str]) -> list[tuple[str, SentMail]]:
        rows = self._connection.execute(known, {"ids": message_ids})
        return [
            (row.message_id, SentMail(row.request_number, row.kind == NoticeKind.NOTIFICATION.value)) for row in rows
        ]

    def received(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Those of the ids that came in on a request, and its number."""
        rows = self._connection.execute(_RECEIVED, {"ids": message_ids})
        return {row.message_id: row.request_number for row in rows}

    def participants(self, number: int) -> frozenset[str]:
        """The folded addresses of a request's participants; empty where there is no such request."""
        return frozenset(address for (address,) in _PARTICIPANTS.rows(self._connection, {"number": number}))


def count_by_department(connection: Connection) -> dict[str, int]:
    """How many requests each department has; those without any are not there."""
    rows = connection.execute(
        select(request.c.department, func.count().label("requests")).group_by(request.c.department)
    )
    return {row.department: row.requests for row in rows}
