"""Once a day what departments keep no longer is erased: requests, mail that belongs to none, reports about it.

In small batches, each a transaction of its own, so that mail waits for one of them at most. A day that was interrupted
begins anew: what is erased already is not found again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from desk.acknowledge import Mode
from desk.retention import Aged, Kept, Term, kept_for, passed
from service.erasing import erase_now
from service.house import House
from service.modes import with_modes
from service.overrule import Author
from service.transactions import Transactions
from store import erasing, journal, meta, modes, requests, turns
from store.database import Database
from store.journal import Record
from store.turns import Turn

log = logging.getLogger("deskbell.retention")

BATCH = 20
"""Requests, or mails, that are erased in one transaction at most."""
_MOST_TOLD = 1_000
_DAY = "retention"
_BY = "retention"

Work = Callable[[Connection], int]
Find = Callable[[Connection], Sequence[int]]


class Retention:
    """The daily erasing of one installation. A day begins at midnight UTC."""

    def __init__(self, database: Database, transactions: Transactions, house: House) -> None:
        self._database = database
        self._transactions = transactions
        self._house = house
        self._sweep: Iterator[int] | None = None
        self._erased = 0

    def move_into(self, house: House) -> None:
        """The next day goes by the departments of that house."""
        self._house = house

    def step(self, now: datetime) -> bool:
        """One batch is erased; False where all is done for today."""
        if self._sweep is None:
            if self._is_done(now):
                return False
            self._sweep, self._erased = self._batches(now), 0
        try:
            self._erased += next(self._sweep)
        except StopIteration:  # that was all
            self._finish(now)
            return False
        except BaseException:  # that batch was rolled back, and is found again
            self._sweep = None
            raise
        return True

    def _is_done(self, now: datetime) -> bool:
        with self._database.read() as connection:
            return meta.read(connection, _DAY) == _day(now)

    def _finish(self, now: datetime) -> None:
        self._sweep = None
        self._transactions.run(lambda connection: meta.write(connection, _DAY, _day(now)))
        if self._erased:
            self._database.forget_old_pages()
            log.info("erased, because their time had passed: %d requests and mails", self._erased)

    def _batches(self, now: datetime) -> Iterator[int]:
        """How much each batch erased; a batch is done when it is asked for."""
        house = self._house
        with self._database.read() as connection:
            departments, mailboxes = _terms(connection, house, now)
        for term in departments:
            yield from self._requests(term, now)
        for term in mailboxes:
            yield from self._found(_lone(term), lambda connection, ids: _erase_lone(connection, ids, now))
            yield from self._found(_letters(term), _erase_letters)
        yield from self._found(_come_again, lambda connection, ids: _erase_lone(connection, ids, now))

    def _requests(self, term: Term, now: datetime) -> Iterator[int]:
        after = 0
        while True:
            with self._database.read() as connection:
                found = erasing.aged(connection, term, after=after, limit=BATCH)
            if not found:
                return
            yield self._transactions.run(_erase_aged(self._house, term, after, now))
            after = found[-1].number

    def _found(self, find: Find, erase: Callable[[Connection, Sequence[int]], None]) -> Iterator[int]:
        """Erase what is found, until nothing is."""

        def work(connection: Connection) -> int:
            turns.take(connection, Turn.SETTLING)
            ids = find(connection)
            if ids:
                erase(connection, ids)
            return len(ids)

        while self._is_any(find):
            yield self._transactions.run(work)

    def _is_any(self, find: Find) -> bool:
        with self._database.read() as connection:
            return bool(find(connection))


def _terms(connection: Connection, house: House, now: datetime) -> tuple[list[Term], list[Term]]:
    """What departments keep, and what mailboxes keep; each goes by its department as it is now."""
    keys = {key: key for key in requests.count_by_department(connection)}
    addresses = {address: _department_of(house, address) for address in erasing.mailboxes(connection)}
    return _limited(house, keys, now), _limited(house, addresses, now)


def _limited(house: House, of: dict[str, str], now: datetime) -> list[Term]:
    days = {name: house.department_of(key).retention_days for name, key in sorted(of.items())}
    return [
        Term(name, passed(limit, now), frozenset(one for one, kept in days.items() if kept is None or kept > limit))
        for name, limit in days.items()
        if limit is not None
    ]


def _department_of(house: House, address: str) -> str:
    mailbox = house.mailboxes.get(address)
    return (mailbox.department if mailbox else None) or house.matcher.default_department


def _erase_aged(house: House, term: Term, after: int, now: datetime) -> Work:
    def work(connection: Connection) -> int:
        turns.take(connection, Turn.SETTLING)
        current = with_modes(house, modes.every(connection))
        found = erasing.aged(connection, term, after=after, limit=BATCH)
        numbers = [one.number for one in found if _kept(current, one) is None]
        erase_now(connection, numbers, Author(_BY, now))
        return len(numbers)

    return work


def _kept(house: House, one: Aged) -> Kept | None:
    mailbox = house.mailboxes.get(one.mailbox)
    return kept_for(one, mailbox.mode if mailbox is not None else Mode.OBSERVE)


def _lone(term: Term) -> Find:
    return lambda connection: erasing.lone(connection, term.of, before=term.before, limit=BATCH)


def _letters(term: Term) -> Find:
    return lambda connection: erasing.letters(connection, term.of, before=term.before, limit=BATCH)


def _come_again(connection: Connection) -> Sequence[int]:
    return erasing.come_again(connection, limit=BATCH)


def _erase_lone(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    erasing.erase_arrivals(connection, ids, now=now)
    for one in ids:
        journal.write(connection, Record("erased", arrival_id=one, detail={"by": _BY}), now=now)


def _erase_letters(connection: Connection, ids: Sequence[int]) -> None:
    erasing.erase_letters(connection, ids)


def kept_past(connection: Connection, house: House, mailbox: str, now: datetime) -> list[tuple[Aged, Kept]]:
    """The requests of the mailbox that are not erased although their time has passed, and why."""
    departments, _ = _terms(connection, house, now)
    found = [one for term in departments for one in erasing.aged(connection, term, limit=_MOST_TOLD)]
    kept = [(one, _kept(house, one)) for one in found if one.mailbox == mailbox]
    return [(one, why) for one, why in kept if why is not None]


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
