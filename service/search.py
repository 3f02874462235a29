"""Requests that contain words: in subject, requester or history, folded as rules fold them (case, accents, width).

Read from the newest back and folded here, a page at a time, so that every database finds the same and nothing has to
be kept twice.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from desk.request import Entry, Request
from routing.text import normal
from store import requests

PAGE = 200
"""Requests that are read at once."""

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """All of these words, in requests of one department (None: of any but the hidden ones), so many at most."""

    words: Sequence[str]
    department: str | None
    hidden: Collection[str]
    limit: int


@dataclass(frozen=True, slots=True)
class Found:
    """Requests with their history, newest first; more: others match too and are left out."""

    matches: Sequence[tuple[Request, Sequence[Entry]]]
    more: bool


def search(connection: Connection, question: Question, told: Told) -> Found:
    """The newest requests that contain every word."""
    matching = _matching(connection, question, told)
    matches = list(islice(matching, question.limit))
    return Found(matches, more=next(matching, None) is not None)


def _matching(connection: Connection, question: Question, told: Told) -> Iterator[tuple[Request, Sequence[Entry]]]:
    wanted = [normal(word) for word in question.words]
    before = top = requests.newest(connection) + 1
    while page := requests.page(connection, before=before, limit=PAGE):
        histories = requests.entries(connection, [one.number for one in page if _is_asked_for(one, question)])
        for one in page:
            if one.number in histories and _contains(one, histories[one.number], wanted):
                yield one, histories[one.number]
        before = page[-1].number
        told(top - before, top)


def _is_asked_for(one: Request, question: Question) -> bool:
    is_hidden = not set(question.hidden).isdisjoint(one.departments)
    return not is_hidden and question.department in (None, *one.departments)


def _contains(one: Request, history: Sequence[Entry], wanted: Sequence[str]) -> bool:
    requester = (one.requester.name, one.requester.address) if one.requester else ()
    text = normal("\n".join((one.reference, one.subject, *requester, *(entry.text for entry in history))))
    return all(word in text for word in wanted)
