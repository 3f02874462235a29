"""What a person decides against the course of things: to try an arrival anew, to set one aside for good, to hold mail.

Each call is one transaction beside a running daemon: all of what was asked, or nothing and the reason. Every decision
is in the journal with who made it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from desk.arrival import Fate
from desk.errors import RefusedError
from desk.outbox import OutboxState
from store import holding, journal, ledger, quarantine
from store.database import Database, TransactionLost
from store.journal import Record
from store.ledger import Line


class Refused(RefusedError):
    """Not done, and nothing else of what was asked with it; one line for each reason."""


class DatabaseTrouble(RefusedError):
    """The database cannot be written now; it is as it was."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, and when."""

    name: str
    now: datetime


_WHY_NOT_HELD = {
    OutboxState.SENDING: "is being sent at this moment",
    OutboxState.SENT: "was sent already",
    OutboxState.REFUSED: "was refused for good by the recipient's server",
    OutboxState.EXPIRED: "was given up after five days",
}


def hold(database: Database, ids: Sequence[int], author: Author) -> None:
    """None of the mails is sent before it is released. Raises Refused."""
    with changing(database) as connection:
        found = holding.states(connection, ids)
        _refuse(ids, lambda one: _unknown(one, found, "outbox") or _why(one, _WHY_NOT_HELD.get(found[one])))
        holding.hold(connection, ids)
        for one in ids:
            if found[one] is not OutboxState.HELD:
                record = Record("held", outbox_id=one, detail={"by": author.name})
                journal.write(connection, record, now=author.now)


def release(database: Database, ids: Sequence[int], author: Author) -> None:
    """Each of the mails is due now. Raises Refused."""
    with changing(database) as connection:
        found = holding.states(connection, ids)
        _refuse(ids, lambda one: _unknown(one, found, "outbox") or _not_held(one, found[one]))
        holding.release(connection, ids, now=author.now)
        for one in ids:
            journal.write(connection, Record("released", outbox_id=one, detail={"by": author.name}), now=author.now)


def _not_held(one: int, state: OutboxState) -> str:
    return "" if state is OutboxState.HELD else f"{one} is not held: its state is {state}"


def retry(database: Database, ids: Sequence[int], author: Author) -> None:
    """Each of the arrivals is unsettled, as if never tried. Raises Refused."""
    with changing(database) as connection:
        found = ledger.of_ids(connection, ids)
        _refuse(ids, lambda one: _unknown(one, found, "ledger") or _not_retried(found[one]))
        quarantine.retry(connection, ids)
        for one in found.values():
            detail = {"by": author.name, "fate": one.fate.value, "reason": one.reason}
            journal.write(connection, Record("retried", arrival_id=one.id, detail=detail), now=author.now)


def _not_retried(one: Line) -> str:
    if one.erased is not None:
        return _erased(one)
    dropped = one.fate is Fate.FILED and one.reason == quarantine.DROPPED
    if dropped or one.fate in (Fate.RECEIVED, Fate.QUARANTINED):
        return ""
    if one.fate is Fate.OVERSIZE:
        return f"{one.id} is oversize: only its header was kept, so there is nothing to try again"
    return f"{one.id} is settled: its fate is {one.fate}"


def drop(database: Database, arrival_id: int, reason: str, author: Author) -> None:
    """The arrival is filed for that reason, and no longer listed as set aside. Raises Refused."""
    with changing(database) as connection:
        found = ledger.of_ids(connection, [arrival_id])
        _refuse([arrival_id], lambda one: _unknown(one, found, "ledger") or _not_set_aside(found[one]))
        quarantine.drop(connection, arrival_id)
        before = found[arrival_id]
        detail = {"by": author.name, "why": reason, "fate": before.fate.value, "reason": before.reason}
        journal.write(connection, Record("dropped", arrival_id=arrival_id, detail=detail), now=author.now)


def _erased(one: Line) -> str:
    return f"{one.id} was erased on {one.erased:%Y-%m-%d}: nothing of it is left"


def _not_set_aside(one: Line) -> str:
    if one.erased is not None:
        return _erased(one)
    return "" if one.fate in quarantine.SET_ASIDE else f"{one.id} is not in quarantine: its fate is {one.fate}"


def _unknown(one: int, found: Mapping[int, object], where: str) -> str:
    return "" if one in found else f"{one} is not in the {where}"


def _why(one: int, words: str | None) -> str:
    return f"{one} {words}" if words else ""


def _refuse(ids: Sequence[int], why_not: Callable[[int], str]) -> None:
    if reasons := [words for words in map(why_not, ids) if words]:
        raise Refused("; ".join([*reasons, "nothing was changed"]))


@contextmanager
def changing(database: Database) -> Iterator[Connection]:
    """A write transaction beside a running daemon. Raises DatabaseTrouble."""
    try:
        with database.write() as connection:
            yield connection
    except (DBAPIError, TransactionLost) as error:  # rolled back: every mail is where it was
        raise DatabaseTrouble(f"the database cannot be written now: {words_of(error)}; nothing was changed") from error


def words_of(error: DBAPIError | TransactionLost) -> str:
    """What the database said, in one line and without the statement."""
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
