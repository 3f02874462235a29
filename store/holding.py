"""The outbox as people read it, hold mails back in it and let them go. The bytes of a mail are never read here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, true, update

from desk.outbox import NoticeKind, OutboxState, Phase
from store import parts
from store.tables import outbox, outbox_alias


@dataclass(frozen=True, slots=True)
class Owed:
    """A mail of ours and what is known of its sending. next_attempt is None where there will be none."""

    id: int
    kind: NoticeKind
    recipient: str
    message_id: str
    state: OutboxState
    phase: Phase | None
    attempts: int
    next_attempt: datetime | None
    last_reply: str | None
    aliases: tuple[str, ...] = ()
    """The ids that relays gave it instead of its own."""
    departments: tuple[str, ...] = ()
    """Those of its request; none where it is about none."""


_OWED = select(
    outbox.c.id,
    outbox.c.request_number,
    outbox.c.kind,
    outbox.c.recipient,
    outbox.c.message_id,
    outbox.c.state,
    outbox.c.phase,
    outbox.c.attempts,
    outbox.c.next_attempt,
    outbox.c.last_reply,
).order_by(outbox.c.id)
_TRIED_AGAIN = (OutboxState.DUE, OutboxState.SENDING)


def every(connection: Connection, *, state: OutboxState | None, department: str | None = None) -> list[Owed]:
    """All mails of ours, oldest first; of one state, or about requests that a department has a part of, where given."""
    wanted = true() if state is None else outbox.c.state == state.value
    aliases = _aliases(connection, wanted)
    rows = connection.execute(_OWED.where(wanted)).all()
    departments = parts.departments(connection, {row.request_number for row in rows if row.request_number is not None})
    return [
        Owed(
            id=row.id,
            kind=NoticeKind(row.kind),
            recipient=row.recipient,
            message_id=row.message_id,
            state=OutboxState(row.state),
            phase=None if row.phase is None else Phase(row.phase),
            attempts=row.attempts,
            next_attempt=row.next_attempt if row.state in _TRIED_AGAIN else None,
            last_reply=row.last_reply,
            aliases=tuple(aliases.get(row.id, ())),
            departments=departments.get(row.request_number, ()),
        )
        for row in rows
        if department is None or department in departments.get(row.request_number, ())
    ]


def _aliases(connection: Connection, wanted: ColumnElement[bool]) -> dict[int, list[str]]:
    known = select(outbox_alias.c.outbox_id, outbox_alias.c.message_id).join(outbox).order_by(outbox_alias.c.id)
    found: dict[int, list[str]] = {}
    for row in connection.execute(known.where(wanted)):
        found.setdefault(row.outbox_id, []).append(row.message_id)
    return found


def states(connection: Connection, ids: Collection[int]) -> dict[int, OutboxState]:
    """The state of each of the mails that exists; within a write transaction nobody else changes it any more."""
    rows = select(outbox.c.id, outbox.c.state).where(outbox.c.id.in_(list(ids))).with_for_update()
    return {row.id: OutboxState(row.state) for row in connection.execute(rows)}


def hold(connection: Connection, ids: Collection[int]) -> None:
    """Those of the mails that are due are held: no courier takes them."""
    due = outbox.c.id.in_(list(ids)) & (outbox.c.state == OutboxState.DUE.value)
    connection.execute(update(outbox).where(due).values(state=OutboxState.HELD.value))


def release(connection: Connection, ids: Collection[int], *, now: datetime) -> None:
    """Those of the mails that are held are due now."""
    held = outbox.c.id.in_(list(ids)) & (outbox.c.state == OutboxState.HELD.value)
    connection.execute(
        update(outbox).where(held).values(state=OutboxState.DUE.value, hold_reason=None, next_attempt=now)
    )
