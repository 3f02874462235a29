"""Receipts that do not go out at once: they wait for their moment or for a person, and may take others in.

Only a receipt that no attempt has carried to the final dot is touched here: what may have been read is never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, or_, select, update

from desk.outbox import NoticeKind, OutboxState
from desk.promise import Targets
from store.prepared import Prepared
from store.tables import limiter, outbox, outbox_content, promise, request

BRAKE = "the brake: too many late receipts at once"

FRESH = timedelta(hours=1)
"""How long words such as "today" are believed."""

MOST_JOINED = 20
"""Mails that one receipt answers; more would be read by nobody."""

_UNREAD = and_(
    outbox.c.settled.is_(None),
    outbox.c.kind == NoticeKind.RECEIPT.value,
    or_(outbox.c.state == OutboxState.DUE.value, outbox.c.state == OutboxState.HELD.value),
    outbox.c.ambiguous == 0,
)
"""Receipts that nobody can have got yet."""


def _promised_until(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(promise.c.id).where(promise.c.outbox_id == outbox.c.id, promise.c.due <= moment).exists()


_WORDED = func.coalesce(outbox.c.worded, outbox.c.created, type_=outbox.c.created.type)
_WAITING = (
    select(outbox.c.id, outbox.c.message_id, outbox_content.c.content, _WORDED.label("worded"))
    .join(outbox_content, outbox_content.c.outbox_id == outbox.c.id)
    .where(_UNREAD)
)
_LOCK: Any = {"skip_locked": True, "of": outbox}
# Built once: it is asked before each step of a courier.
_OUTDATED = (
    _WAITING.where(
        outbox.c.state == OutboxState.DUE.value,
        outbox.c.next_attempt <= bindparam("now"),
        or_(_promised_until(bindparam("now")), bindparam("stale") >= _WORDED),
    )
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_IS_ANY_OUTDATED = Prepared(_OUTDATED)
_OUTDATED_TO_CHANGE = _OUTDATED.with_for_update(**_LOCK)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that may still be changed, and the requests it answers, first come first."""

    id: int
    message_id: str
    content: bytes
    numbers: tuple[int, ...]
    worded: datetime
    """The moment its words are meant for."""


def postpone(connection: Connection, outbox_id: int, *, until: datetime, hold_reason: str | None = None) -> None:
    """The mail, worded for that moment, goes out then at the earliest; with a reason when a person releases it."""
    values = {"next_attempt": until, "worded": until}
    held = {"state": OutboxState.HELD.value, "hold_reason": hold_reason} if hold_reason is not None else {}
    connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(**values, **held))


def waiting_for(connection: Connection, recipient: str, mailbox: str, *, now: datetime) -> Waiting | None:
    """The last receipt to this address from this mailbox that waits for its moment or for a person, or None."""
    later = or_(outbox.c.state == OutboxState.HELD.value, outbox.c.next_attempt > now)
    mine = and_(outbox.c.recipient == recipient, outbox.c.envelope_sender == mailbox, outbox.c.attempts == 0)
    last = select(func.max(outbox.c.id)).where(_UNREAD, mine, later).scalar_subquery()
    found = _waiting(connection, connection.execute(_WAITING.where(outbox.c.id == last).with_for_update(**_LOCK)).all())
    return found[0] if found and len(found[0].numbers) < MOST_JOINED else None


def is_any_outdated(connection: Connection, *, now: datetime) -> bool:
    """Whether outdated would find one; nothing is locked, so that a reading may ask."""
    return bool(_IS_ANY_OUTDATED.rows(connection, {"now": now, "stale": now - FRESH, "most": 1}))


def outdated(connection: Connection, *, now: datetime, limit: int) -> list[Waiting]:
    """Receipts that are due and were worded long ago, or promise a moment which has passed.

    Within a write transaction nobody else changes them any more; what another daemon has in hand is left out.
    """
    rows = connection.execute(_OUTDATED_TO_CHANGE, {"now": now, "stale": now - FRESH, "most": limit}).all()
    return _waiting(connection, rows)


def overtaken(now: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which mails nobody may claim: receipts that promise what has passed, and that nobody can have got yet."""
    return and_(_UNREAD, _promised_until(now))


def reword(connection: Connection, waiting: Waiting, content: bytes, *, now: datetime) -> bool:
    """The receipt says this instead, which holds at that moment; False where a courier has it by now."""
    worded = update(outbox).where(_UNREAD, outbox.c.id == waiting.id).values(worded=now)
    if connection.execute(worded).rowcount != 1:
        return False
    connection.execute(update(outbox_content).where(outbox_content.c.outbox_id == waiting.id).values(content=content))
    return True


def promises(connection: Connection, outbox_id: int, number: int, targets: Targets) -> None:
    """The mail promises these moments for the request, whatever it did before, and the request goes by them."""
    of = (promise.c.outbox_id == outbox_id, promise.c.request_number == number)
    told = {"first-response": targets.first_response, "resolution": targets.resolution}
    known = set(connection.scalars(select(promise.c.kind).where(*of)))
    for kind, due in told.items():
        if kind in known:
            connection.execute(update(promise).where(*of, promise.c.kind == kind).values(due=due))
        else:
            row = {"request_number": number, "outbox_id": outbox_id, "kind": kind, "due": due}
            connection.execute(insert(promise), row)
    due_by = {"first_response_due": targets.first_response, "resolution_due": targets.resolution}
    connection.execute(update(request).where(request.c.number == number).values(**due_by))


def held(connection: Connection, reason: str) -> int:
    """How many mails are held for that reason."""
    of = (outbox.c.settled.is_(None), outbox.c.state == OutboxState.HELD.value, outbox.c.hold_reason == reason)
    return connection.execute(select(func.count()).where(*of)).scalar_one()


def hold_late(connection: Connection, reason: str, *, since: datetime) -> int:
    """Late receipts decided since then that did not go out yet are held; how many."""
    late = select(limiter.c.outbox_id).where(limiter.c.late.is_(True), limiter.c.at > since)
    due = (_UNREAD, outbox.c.state == OutboxState.DUE.value, outbox.c.id.in_(late))
    values = {"state": OutboxState.HELD.value, "hold_reason": reason}
    return connection.execute(update(outbox).where(*due).values(**values)).rowcount


def release(connection: Connection, reason: str, *, now: datetime) -> int:
    """Mails held for that reason are due; how many."""
    of = (outbox.c.settled.is_(None), outbox.c.state == OutboxState.HELD.value, outbox.c.hold_reason == reason)
    values = {"state": OutboxState.DUE.value, "hold_reason": None, "next_attempt": now, "created": now}
    return connection.execute(update(outbox).where(*of).values(**values)).rowcount


def _waiting(connection: Connection, rows: Sequence[Any]) -> list[Waiting]:
    numbers = _numbers(connection, [row.id for row in rows])
    return [Waiting(row.id, row.message_id, row.content, numbers[row.id], row.worded) for row in rows]


def _numbers(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The requests each mail answers."""
    found: dict[int, dict[int, None]] = {one: {} for one in ids}
    if ids:
        told = select(promise.c.outbox_id, promise.c.request_number).where(promise.c.outbox_id.in_(ids))
        for row in connection.execute(told.order_by(promise.c.id)):
            found[row.outbox_id][row.request_number] = None
    return {one: tuple(numbers) for one, numbers in found.items()}
