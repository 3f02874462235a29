"""The content of requests taken out of the database: because a person asks for it, or because its time passed.

What is left is the row of the request with its reference, department, state and moments, and those of the ledger with
their fates. The mail in the mailbox, and copies of the database, are not ours to erase.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from desk.request import Request, reference_of
from desk.retention import Aged, Kept
from service.overrule import Author, Refused, changing
from store import erasing, journal, requests, turns
from store.database import Database
from store.journal import Record
from store.turns import Turn


@dataclass(frozen=True, slots=True)
class Erasable:
    """A request as whoever erases it is asked about it: without a word of it."""

    request: Request
    entries: int
    unanswered: bool


def erasable(database: Database, numbers: Sequence[int]) -> list[Erasable]:
    """What would be erased. Raises Refused where one cannot be."""
    with database.read() as connection:
        _check(connection, numbers)
        histories = requests.entries(connection, numbers)
        promised = {one.number for one in erasing.found(connection, numbers) if one.is_unanswered}
        known = [requests.find(connection, number) for number in numbers]
        return [Erasable(one, len(histories[one.number]), one.number in promised) for one in known if one is not None]


def erase(database: Database, numbers: Sequence[int], author: Author) -> int:
    """Nothing of the content of the requests is left in the database; how many mails that was. All of them or none.

    Raises Refused, DatabaseTrouble.
    """
    with changing(database) as connection:
        turns.take(connection, Turn.SETTLING)
        _check(connection, numbers)
        mails = erase_now(connection, numbers, author)
    database.forget_old_pages()
    return mails


def _check(connection: Connection, numbers: Sequence[int]) -> None:
    """Raise Refused unless each of them is there, has content, and is owed no mail."""
    left = {one.number: one for one in erasing.found(connection, numbers)}
    reasons = [words for number in numbers if (words := _why_not(connection, number, left))]
    if reasons:
        raise Refused("; ".join([*reasons, "nothing was erased"]))


def _why_not(connection: Connection, number: int, left: dict[int, Aged]) -> str:
    reference, aged = reference_of(number), left.get(number)
    if aged is not None:
        return f"{reference}: {Kept.OWED}: `deskbell outbox list --state due`, or held" if aged.owed else ""
    known = requests.find(connection, number)
    if known is None or known.erased is None:
        return f"there is no request {reference}"
    return f"{reference} was erased on {known.erased:%Y-%m-%d}"


def erase_now(connection: Connection, numbers: Collection[int], author: Author) -> int:
    """The same within a transaction that has the turn of settling, for requests that may be erased."""
    mails = erasing.erase_requests(connection, numbers, now=author.now)
    for number in numbers:
        journal.write(connection, Record("erased", number, detail={"by": author.name}), now=author.now)
    return mails
