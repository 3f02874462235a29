"""What addresses were told: a row for each receipt, at the moment it goes out.

Counted in the transaction that owes the receipt. Two workers may each count before the other commits: a budget can be
exceeded by one for each further worker, never more.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select

from desk.limiter import Told
from store.tables import limiter

MOST = 500
"""Receipts of one address that are looked at; more than any sensible limit."""

# Built once: making a statement costs as much as running it, and these run for every mail.
_TOLD = (
    select(limiter.c.at, limiter.c.words, limiter.c.waited, limiter.c.echo)
    .where(limiter.c.address == bindparam("of"), limiter.c.at > bindparam("since"))
    .order_by(limiter.c.at.desc(), limiter.c.id.desc())
    .limit(MOST)
)
_OF_DOMAIN = select(func.count()).where(limiter.c.domain == bindparam("of"), limiter.c.at > bindparam("since"))
_INSERT = insert(limiter)


def _counted(*of: ColumnElement[bool]) -> Select[int]:
    window = (limiter.c.at > bindparam("since"), limiter.c.at <= bindparam("until"))
    return select(func.count()).select_from(
        select(limiter.c.id).where(*window, *of).limit(bindparam("most")).subquery()
    )


_IN_ALL, _IN_ONE = _counted(), _counted(limiter.c.mailbox == bindparam("mailbox"))


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose receipt it is; domain is empty where it is no group of people."""

    address: str
    domain: str
    mailbox: str
    own: bool


@dataclass(frozen=True, slots=True)
class Window:
    """From since, exclusive, to until."""

    since: datetime
    until: datetime


def told(connection: Connection, address: str, *, since: datetime) -> tuple[Told, ...]:
    """What the address was told since then, or is still to be told, in that order."""
    rows = connection.execute(_TOLD, {"of": address, "since": since}).all()
    return tuple(Told(row.at, row.words, row.waited, row.echo) for row in reversed(rows))


def told_to_domain(connection: Connection, domain: str, *, since: datetime) -> int:
    """How many receipts went to the domain since then."""
    return connection.execute(_OF_DOMAIN, {"of": domain, "since": since}).scalar_one()


def told_in(connection: Connection, mailbox: str | None, window: Window, *, most: int) -> int:
    """How many receipts went out in that time, of one mailbox or (None) of all; not counted beyond most."""
    values = {"since": window.since, "until": window.until, "most": most}
    counted = _IN_ALL if mailbox is None else _IN_ONE
    return connection.execute(counted, values if mailbox is None else values | {"mailbox": mailbox}).scalar_one()


def people(connection: Connection, mailbox: str | None, *, since: datetime) -> int:
    """How many of our own people were told something since then, by one mailbox or (None) by any."""
    own = select(func.count(limiter.c.address.distinct())).where(
        limiter.c.own.is_(True), limiter.c.at > since, *_of(mailbox)
    )
    return connection.execute(own).scalar_one()


def late_since(connection: Connection, since: datetime) -> int:
    """How many late receipts there were since then."""
    late = select(func.count()).where(limiter.c.late.is_(True), limiter.c.at > since)
    return connection.execute(late).scalar_one()


def write(connection: Connection, sender: Sender, told: Told, *, outbox_id: int, late: bool) -> None:
    """The receipt counts from now on."""
    row = {
        "address": sender.address,
        "domain": sender.domain,
        "mailbox": sender.mailbox,
        "own": sender.own,
        "at": told.at,
        "words": told.words,
        "waited": told.waited,
        "echo": told.echo,
        "late": late,
        "outbox_id": outbox_id,
    }
    connection.execute(_INSERT, row)


def forget(connection: Connection, *, before: datetime) -> int:
    """Rows of receipts before that moment are gone; how many."""
    return connection.execute(delete(limiter).where(limiter.c.at < before)).rowcount


def _of(mailbox: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if mailbox is None else (limiter.c.mailbox == mailbox,)
