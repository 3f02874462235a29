"""Requests with their history: opened, appended to, moved from state to state, read."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    true,
    union_all,
    update,
)

from desk.classification import Priority
from desk.lifecycle import State
from desk.mail import Address
from desk.outbox import NoticeKind
from desk.promise import Targets
from desk.request import FIRST_NUMBER, Entry, EntryKind, Part, Request
from desk.thread import SentMail
from store import meta, parts
from store.prepared import Prepared, PreparedForMany
from store.tables import arrival, entry, outbox, outbox_alias, part, participant, request

_INSERT_REQUEST = Prepared(insert(request))
_INSERT_PARTICIPANT = Prepared(insert(participant))
_INSERT_ENTRY = Prepared(insert(entry))
_CHANGE_STATE = Prepared(
    update(request).where(request.c.number == bindparam("of")).values(state=bindparam("new_state"))
)
_SENT = PreparedForMany(
    lambda ids: select(outbox.c.message_id, outbox.c.request_number, outbox.c.kind, outbox.c.recipient).where(
        outbox.c.message_id.in_(ids), outbox.c.request_number.is_not(None)
    )
)
_ALIASED = PreparedForMany(
    lambda ids: (
        select(outbox_alias.c.message_id, outbox.c.request_number, outbox.c.kind, outbox.c.recipient)
        .join(outbox, outbox.c.id == outbox_alias.c.outbox_id)
        .where(outbox_alias.c.message_id.in_(ids))
    )
)
_RECEIVED = PreparedForMany(
    lambda ids: select(arrival.c.message_id, arrival.c.request_number).where(
        arrival.c.message_id.in_(ids), arrival.c.request_number.is_not(None)
    )
)
# Typed, because people name numbers that no column can hold; so below.
_PARTICIPANTS = Prepared(
    select(participant.c.address).where(participant.c.request_number == bindparam("number", type_=BigInteger))
)


def next_number(connection: Connection) -> int:
    """A number no request has or ever had."""
    return meta.count_up(connection, "last_request_number", start=FIRST_NUMBER)


def open_request(connection: Connection, new: Request, *, category: str | None) -> None:
    """Write the request with its parts; its requester becomes its first participant."""
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
    if new.further:
        parts.add(connection, new.number, new.further)


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
    """The request, or its first part where it has several, is in that state."""
    _CHANGE_STATE.run(connection, {"of": number, "new_state": state.value})


def goes_by(connection: Connection, number: int, targets: Targets) -> None:
    """The request, or its first part where it has several, goes by these moments."""
    due = {"first_response_due": targets.first_response, "resolution_due": targets.resolution}
    connection.execute(update(request).where(request.c.number == number).values(**due))


def _request(row: Sequence[Any], further: tuple[Part, ...] = ()) -> Request:
    number, subject, address, name, mailbox, department, state, priority, language, opened, first, last, erased = row
    return Request(
        number=number,
        subject=subject,
        requester=Address(name, address) if address else None,
        mailbox=mailbox,
        department=department,
        state=State(state),
        priority=Priority(priority),
        language=language,
        opened=opened,
        first_response_due=first,
        resolution_due=last,
        further=further,
        erased=erased,
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

# With its parts in one statement, because it runs for every answer.
_OWN = len(_REQUESTS.exported_columns)
_REQUEST = Prepared(
    _REQUESTS.add_columns(*(column.label(f"further_{column.name}") for column in part.columns))
    .join_from(request, part, isouter=True)
    .where(request.c.number == bindparam("wanted", type_=BigInteger))
    .order_by(part.c.id)
)


def find(connection: Connection, number: int) -> Request | None:
    """The request of that number, or None."""
    rows = _REQUEST.rows(connection, {"wanted": number})
    if not rows:
        return None
    further = (row[_OWN:] for row in rows)
    return _request(rows[0][:_OWN], tuple(parts.part_of(row) for row in further if row[0] is not None))


def every(connection: Connection, *, department: str | None, state: State | None) -> list[Request]:
    """All requests, newest first; those of which a part is of that department, in that state, where given."""
    of_part = select(part.c.request_number).where(_is_chosen(part, department, state))
    chosen = or_(_is_chosen(request, department, state), request.c.number.in_(of_part))
    return _with_parts(connection, _REQUESTS.where(chosen).order_by(request.c.number.desc()))


def _is_chosen(table: Table, department: str | None, state: State | None) -> ColumnElement[bool]:
    """Which requests, or parts, are of that department and in that state."""
    wanted = {"department": department, "state": state.value if state is not None else None}
    return and_(true(), *(table.c[name] == value for name, value in wanted.items() if value is not None))


def _with_parts(connection: Connection, chosen: Select[Any]) -> list[Request]:
    rows = connection.execute(chosen).all()
    if not rows:
        return []
    further = parts.of_requests(connection, first=rows[-1].number, last=rows[0].number)
    return [_request(row, further.get(row.number, ())) for row in rows]


def newest(connection: Connection) -> int:
    """The highest number of a request; 0 where there is none."""
    return connection.scalar(select(func.max(request.c.number))) or 0


def page(connection: Connection, *, before: int, limit: int) -> list[Request]:
    """The newest requests with a number less than `before`, newest first, so many at most."""
    chosen = _REQUESTS.where(request.c.number < before).order_by(request.c.number.desc()).limit(limit)
    return _with_parts(connection, chosen)


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

    def _mails(self, known: PreparedForMany, message_ids: Sequence[str]) -> list[tuple[str, SentMail]]:
        rows = known.rows(self._connection, message_ids)
        return [
            (message_id, SentMail(number, kind == NoticeKind.NOTIFICATION.value, recipient))
            for message_id, number, kind, recipient in rows
        ]

    def received(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Those of the ids that came in on a request, and its number."""
        return dict(_RECEIVED.rows(self._connection, message_ids))

    def participants(self, number: int) -> frozenset[str]:
        """The folded addresses of a request's participants; empty where there is no such request."""
        return frozenset(address for (address,) in _PARTICIPANTS.rows(self._connection, {"number": number}))


def count_by_department(connection: Connection) -> dict[str, int]:
    """How many requests each department has a part of; those without any are not there."""
    of = union_all(select(request.c.department), select(part.c.department)).subquery()
    rows = connection.execute(select(of.c.department, func.count().label("requests")).group_by(of.c.department))
    return {row.department: row.requests for row in rows}
