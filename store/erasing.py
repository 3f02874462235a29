"""Content taken out of the database: what stays of a request or an arrival is a row that says that there was one.

The digest and the content key of an arrival stay: by them a mail that comes again is known, and nothing is made of it.
Whoever calls this has the turn of settling, so that no mail is added to a request at the same time.
"""

import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    union,
    update,
)

from desk.arrival import Fate
from desk.lifecycle import State
from desk.retention import Aged, Term
from store.tables import (
    arrival,
    entry,
    journal,
    limiter,
    outbox,
    outbox_alias,
    outbox_content,
    part,
    participant,
    promise,
    raw,
    request,
    set_aside,
)

NOTHING = zlib.compress(b"")
"""The bytes of an erased mail, of which none is left; size says so too."""
OCTETS = 8 * 1024 * 1024
"""Of mail that is erased in one transaction: each octet is written over, and mail that comes in waits for that."""
_REPEATED = (Fate.DUPLICATE.value, Fate.BACKFILLED.value)


def aged(connection: Connection, term: Term, *, after: int = 0, limit: int) -> list[Aged]:
    """The next requests of the department, above that number, whose last entry is of that moment or older.

    One of several departments is kept as long as the longest of them keeps its own; its first part leads.

    So many at most, and one at least, that their mails are no more than OCTETS.
    """
    since = exists().where(entry.c.request_number == request.c.number, entry.c.at > term.before)
    keeping = exists().where(part.c.request_number == request.c.number, part.c.department.in_(term.keeping))
    ended = (request.c.opened <= term.before) & ~since & ~keeping
    chosen = (request.c.department == term.of) & (request.c.number > after) & ended
    rows = connection.execute(_AGED.where(chosen).order_by(request.c.number).limit(limit)).all()
    return [_aged(row) for row in _portion(rows)]


def found(connection: Connection, numbers: Collection[int]) -> list[Aged]:
    """Those of the requests that are not erased, whatever their age."""
    return [_aged(row) for row in connection.execute(_AGED.where(request.c.number.in_(list(numbers))))]


_OWED_ABOUT_IT = or_(
    exists().where(outbox.c.settled.is_(None), outbox.c.request_number == request.c.number),
    exists().where(
        outbox.c.settled.is_(None), promise.c.outbox_id == outbox.c.id, promise.c.request_number == request.c.number
    ),
)
_SIZE_OF_IT = select(func.sum(arrival.c.size)).where(arrival.c.request_number == request.c.number).scalar_subquery()
_AGED: Select[Any] = select(
    request.c.number,
    request.c.mailbox,
    request.c.department,
    request.c.state,
    exists().where(promise.c.request_number == request.c.number).label("promised"),
    _OWED_ABOUT_IT.label("owed"),
    _SIZE_OF_IT.label("size"),
    exists().where(part.c.request_number == request.c.number, part.c.state != State.ANSWERED.value).label("waits"),
).where(request.c.erased.is_(None))


def _aged(row: Any) -> Aged:
    return Aged(
        row.number, row.mailbox, row.department, State(row.state), bool(row.promised), bool(row.owed), bool(row.waits)
    )


def lone(connection: Connection, mailbox: str, *, before: datetime, limit: int) -> list[int]:
    """Arrivals of the mailbox that belong to no request and came at that moment or before."""
    chosen = (arrival.c.mailbox == mailbox, arrival.c.received <= before, arrival.c.fate != Fate.RECEIVED.value)
    return [row.id for row in _portion(connection.execute(_LONE.where(*chosen).limit(limit)).all())]


def come_again(connection: Connection, *, limit: int) -> list[int]:
    """Arrivals that brought a mail again which was erased."""
    before = arrival.alias()
    known = exists().where(before.c.content_key == arrival.c.content_key, before.c.erased.is_not(None))
    chosen = _LONE.where(arrival.c.fate.in_(_REPEATED), known).limit(limit)
    return [row.id for row in _portion(connection.execute(chosen).all())]


_LONE: Select[Any] = (
    select(arrival.c.id, arrival.c.size)
    .where(arrival.c.request_number.is_(None), arrival.c.erased.is_(None))
    .order_by(arrival.c.id)
)


def _portion(rows: Sequence[Any]) -> Sequence[Any]:
    """The first of them, as many as have no more than OCTETS together, and one at least."""
    total = list(accumulate(row.size or 0 for row in rows))
    return rows[: max(1, sum(octets <= OCTETS for octets in total))]


def letters(connection: Connection, mailbox: str, *, before: datetime, limit: int) -> list[int]:
    """Mails of ours about no request, in the name of the mailbox, whose sending ended then or before."""
    chosen = (
        outbox.c.request_number.is_(None),
        outbox.c.envelope_sender == mailbox,
        outbox.c.settled <= before,
        exists().where(outbox_content.c.outbox_id == outbox.c.id),
    )
    return list(connection.scalars(select(outbox.c.id).where(*chosen).limit(limit)))


def mailboxes(connection: Connection) -> list[str]:
    """Every mailbox at which mail ever came in."""
    return list(connection.scalars(select(arrival.c.mailbox).distinct()))


def erase_requests(connection: Connection, numbers: Collection[int], *, now: datetime) -> int:
    """Nothing of the content of these requests is left; how many mails that came in were erased with them.

    A reply to one of our mails about them finds nothing to continue.
    """
    mine = arrival.c.request_number.in_(list(numbers))
    keys = [key for key in connection.scalars(select(arrival.c.content_key).where(mine).distinct()) if key]
    again = arrival.c.content_key.in_(keys) & arrival.c.request_number.is_(None) & arrival.c.fate.in_(_REPEATED)
    ids = list(connection.scalars(select(arrival.c.id).where(or_(mine, again), arrival.c.erased.is_(None))))
    erase_arrivals(connection, ids, now=now)
    for history in (entry, participant):
        connection.execute(delete(history).where(history.c.request_number.in_(list(numbers))))
    _erase_mails(connection, numbers)
    nobody = {"subject": "", "requester_address": None, "requester_name": "", "category": None}
    connection.execute(update(request).where(request.c.number.in_(list(numbers))).values(**nobody, erased=now))
    return len(ids)


def _erase_mails(connection: Connection, numbers: Collection[int]) -> None:
    """What we wrote about the requests; one that also answers another request is still known as being about that."""
    of = outbox.c.request_number.in_(list(numbers))
    mine = list(connection.scalars(select(outbox.c.id).where(of)))
    told = select(promise.c.outbox_id).where(promise.c.request_number.in_(list(numbers)))
    erase_letters(connection, list(connection.scalars(union(select(outbox.c.id).where(of), told))))
    connection.execute(delete(outbox_alias).where(outbox_alias.c.outbox_id.in_(mine)))
    connection.execute(delete(limiter).where(limiter.c.outbox_id.in_(mine)))
    unknown = {"recipient": "", "last_reply": None, "request_number": None}
    connection.execute(update(outbox).where(outbox.c.id.in_(mine)).values(**unknown))


def erase_letters(connection: Connection, ids: Collection[int]) -> None:
    """The words of these mails of ours are gone; those that are still to be sent are left."""
    done = select(outbox.c.id).where(outbox.c.id.in_(list(ids)), outbox.c.settled.is_not(None))
    connection.execute(delete(outbox_content).where(outbox_content.c.outbox_id.in_(done)))


def erase_arrivals(connection: Connection, ids: Collection[int], *, now: datetime) -> None:
    """Nothing of what these mails said, and of who sent them, is left; their fates stay."""
    _erase_bytes(connection, ids)
    _erase_words(connection, ids)
    connection.execute(delete(set_aside).where(set_aside.c.arrival_id.in_(list(ids))))
    nothing = {"message_id": None, "envelope_sender": None, "envelope_recipient": None, "trace": null()}
    connection.execute(update(arrival).where(arrival.c.id.in_(list(ids))).values(**nothing, erased=now))


def _erase_bytes(connection: Connection, ids: Collection[int]) -> None:
    """The bytes are gone, unless an arrival that stays has the same.

    Rows of raw are locked first: whoever brings the same bytes at this moment waits, and writes them anew
    (arrivals.accept).
    """
    rows = connection.execute(select(arrival.c.raw_digest, arrival.c.content_key).where(arrival.c.id.in_(list(ids))))
    digests, keys = _columns(rows.all())
    connection.execute(select(raw.c.digest).where(raw.c.digest.in_(digests)).order_by(raw.c.digest).with_for_update())
    # By content key, which has an index; equal bytes have an equal one, or none where they were never understood.
    others = (arrival.c.raw_digest.in_(digests), arrival.c.erased.is_(None), arrival.c.id.not_in(list(ids)))
    alike = or_(arrival.c.content_key.in_(keys), arrival.c.content_key.is_(None))
    needed = set(connection.scalars(select(arrival.c.raw_digest).where(*others, alike)))
    gone = raw.c.digest.in_([digest for digest in digests if digest not in needed])
    connection.execute(update(raw).where(gone).values(content=NOTHING, size=0))


def _columns(rows: Sequence[Any]) -> tuple[list[str], list[str]]:
    return [row.raw_digest for row in rows], [row.content_key for row in rows if row.content_key is not None]


def _erase_words(connection: Connection, ids: Collection[int]) -> None:
    """What a person wrote about a mail when they dropped it."""
    dropped = arrival.c.id.in_(list(ids)) & (arrival.c.reason == "dropped")
    if mails := list(connection.scalars(select(arrival.c.id).where(dropped))):
        why = select(journal.c.id, journal.c.detail).where(
            journal.c.event == "dropped", journal.c.arrival_id.in_(mails)
        )
        for row in connection.execute(why).all():
            detail = {key: value for key, value in row.detail.items() if key != "why"}
            connection.execute(update(journal).where(journal.c.id == row.id).values(detail=detail))
