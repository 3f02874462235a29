"""What is owed to somebody: written with the request, claimed by one courier, settled once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Connection, and_, bindparam, false, func, insert, or_, select, update

from desk.outbox import SENDING_ORDER, Claimed, Notice, NoticeKind, OutboxState, Phase, Verdict
from store.database import insert_if_new
from store.leases import living
from store.prepared import Prepared, PreparedForMany
from store.tables import outbox, outbox_content, promise
from store.waiting import overtaken


class ClaimLost(Exception):
    """The courier does not hold this mail any more: it was recorded, or another took it."""


_HELD = and_(
    outbox.c.id == bindparam("of"),
    outbox.c.fence == bindparam("held"),
    outbox.c.state == OutboxState.SENDING.value,
)
_REACH_DOT = Prepared(update(outbox).where(_HELD).values(phase=Phase.DOT.value))
_RECORD = Prepared(
    update(outbox)
    .where(_HELD)
    .values(
        attempts=outbox.c.attempts + 1,
        ambiguous=outbox.c.ambiguous + bindparam("more"),
        state=bindparam("state"),
        phase=bindparam("phase"),
        last_reply=bindparam("last_reply"),
        settled=bindparam("settled"),
        next_attempt=bindparam("next_attempt"),
    )
)
_INSERT_CONTENT = Prepared(insert(outbox_content))
_INSERT_PROMISE = Prepared(insert(promise))


@cache
def _insert(dialect: str) -> Prepared:
    return Prepared(insert_if_new(dialect, outbox).returning(outbox.c.id))


def owe(connection: Connection, number: int | None, notice: Notice, *, now: datetime) -> int | None:
    """The notice is owed and the promises it tells are recorded; None where the very same mail was owed before.

    number is that of its request; None for a mail about none.
    """
    row = {
        "kind": notice.kind.value,
        "request_number": number,
        "recipient": notice.recipient,
        "envelope_sender": notice.envelope_sender,
        "message_id": notice.message_id,
        "sending_order": SENDING_ORDER[notice.kind],
        "created": now,
        "state": OutboxState.DUE.value,
        "attempts": 0,
        "ambiguous": 0,
        "next_attempt": now,
        "fence": 0,
    }
    inserted = _insert(connection.dialect.name).rows(connection, row)
    if not inserted:
        return None
    outbox_id: int = inserted[0][0]
    _INSERT_CONTENT.run(connection, {"outbox_id": outbox_id, "content": notice.content})
    if notice.targets is not None:
        for kind, due in (("first-response", notice.targets.first_response), ("resolution", notice.targets.resolution)):
            told = {"request_number": number, "outbox_id": outbox_id, "kind": kind, "due": due}
            _INSERT_PROMISE.run(connection, told)
    return outbox_id


def _due(unsendable: ColumnElement[bool]) -> Prepared:
    """The mails that are to be tried now."""
    return Prepared(
        select(
            outbox.c.id,
            outbox.c.fence,
            outbox.c.attempts,
            outbox.c.created,
            outbox.c.message_id,
            outbox.c.envelope_sender,
            outbox.c.recipient,
            outbox.c.ambiguous,
        )
        .where(
            outbox.c.settled.is_(None),
            outbox.c.state == OutboxState.DUE.value,
            outbox.c.next_attempt <= bindparam("now"),
            ~unsendable,
        )
        .order_by(outbox.c.sending_order, outbox.c.next_attempt, outbox.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


_DUE = _due(overtaken(bindparam("now")))
_HOLD = PreparedForMany(
    lambda ids: (
        update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(
            state=OutboxState.SENDING.value,
            phase=Phase.CLAIMED.value,
            fence=outbox.c.fence + 1,
            holder=bindparam("start"),
        )
    )
)
_CONTENTS = PreparedForMany(
    lambda ids: select(outbox_content.c.outbox_id, outbox_content.c.content).where(outbox_content.c.outbox_id.in_(ids))
)


def claim(connection: Connection, *, now: datetime, limit: int, holder: int) -> list[Claimed]:
    """The next due mails, people before staff and old before new; from now on held by a courier of that start alone."""
    rows = _DUE.rows(connection, {"now": now, "most": limit})
    ids = [row[0] for row in rows]
    if not ids:
        return []
    _HOLD.run(connection, ids, {"start": holder})
    contents = dict(_CONTENTS.rows(connection, ids))
    return [
        Claimed(
            id=one,
            fence=fence + 1,
            attempts=attempts,
            created=created,
            message_id=message_id,
            envelope_sender=envelope_sender,
            recipient=recipient,
            content=contents[one],
            perhaps_sent=ambiguous > 0,
        )
        for one, fence, attempts, created, message_id, envelope_sender, recipient, ambiguous in rows
    ]


def reach_dot(connection: Connection, claimed: Claimed) -> None:
    """From now on the mail may have been accepted. Raises ClaimLost where another courier holds it."""
    if _REACH_DOT.run(connection, {"of": claimed.id, "held": claimed.fence}) != 1:
        raise ClaimLost(claimed.message_id)


def record(connection: Connection, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
    """Write what became of the attempt. Raises ClaimLost where it is written, or another courier holds the mail."""
    final = verdict.state is not OutboxState.DUE
    values = {
        "of": claimed.id,
        "held": claimed.fence,
        "more": 1 if verdict.perhaps_sent else 0,
        "state": verdict.state.value,
        "phase": Phase.DOT.value if verdict.perhaps_sent else None,
        "last_reply": verdict.reply,
        "settled": now if final else None,
        "next_attempt": verdict.next_attempt or now,
    }
    if _RECORD.run(connection, values) != 1:
        raise ClaimLost(claimed.message_id)


def give_back(connection: Connection, held: Sequence[Claimed], *, now: datetime, hold: timedelta) -> tuple[int, int]:
    """The courier does not hold these mails any more; those that another took meanwhile stay with that one.

    One that had not reached the final dot is due at once; one that had may have been accepted: it waits, counted as
    ambiguous. Gives how many of each.
    """
    still = or_(false(), *(and_(outbox.c.id == one.id, outbox.c.fence == one.fence) for one in held))
    return _freed(connection, still, until=now + hold)


def recover(connection: Connection, *, now: datetime, hold: timedelta) -> tuple[int, int]:
    """The same for every mail that is held by a start which is no more."""
    return _freed(connection, or_(outbox.c.holder.is_(None), outbox.c.holder.not_in(living())), until=now + hold)


def _freed(connection: Connection, which: ColumnElement[bool], *, until: datetime) -> tuple[int, int]:
    held = outbox.c.settled.is_(None) & (outbox.c.state == OutboxState.SENDING.value) & which
    due = {"state": OutboxState.DUE.value, "fence": outbox.c.fence + 1, "holder": None}
    surely_not = update(outbox).where(held, outbox.c.phase == Phase.CLAIMED.value).values(phase=None, **due)
    perhaps = (
        update(outbox)
        .where(held, outbox.c.phase == Phase.DOT.value)
        .values(
            ambiguous=outbox.c.ambiguous + 1,
            next_attempt=until,
            last_reply="stopped between the final dot and the reply: perhaps sent",
            **due,
        )
    )
    return connection.execute(surely_not).rowcount, connection.execute(perhaps).rowcount


def next_due(connection: Connection) -> datetime | None:
    """When the next owed mail is to be tried, or None where nothing is owed."""
    owed = outbox.c.settled.is_(None) & (outbox.c.state == OutboxState.DUE.value)
    earliest: datetime | None = connection.scalar(select(func.min(outbox.c.next_attempt)).where(owed))
    return earliest


def receipts_since(connection: Connection, *, recipient: str, since: datetime) -> int:
    """How many receipts to this address have been owed since that moment."""
    count = select(func.count()).where(
        outbox.c.recipient == recipient,
        outbox.c.kind == NoticeKind.RECEIPT.value,
        outbox.c.created >= since,
    )
    return connection.execute(count).scalar_one()
