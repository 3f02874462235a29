"""The further parts of requests: one row for each department but the first. Most requests have none."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from desk.classification import Priority
from desk.lifecycle import State
from desk.promise import Targets
from desk.request import Part
from store.tables import part, request


def add(connection: Connection, number: int, parts: Sequence[Part]) -> None:
    """The request has these parts too."""
    rows = [
        {
            "request_number": number,
            "mailbox": one.mailbox,
            "department": one.department,
            "priority": one.priority.value,
            "state": one.state.value,
            "first_response_due": one.first_response_due,
            "resolution_due": one.resolution_due,
        }
        for one in parts
    ]
    connection.execute(insert(part), rows)


def change_state(connection: Connection, number: int, department: str, state: State) -> None:
    """The department's part is in that state."""
    of = (part.c.request_number == number, part.c.department == department)
    connection.execute(update(part).where(*of).values(state=state.value))


def goes_by(connection: Connection, number: int, department: str, targets: Targets) -> None:
    """The department's part goes by these moments."""
    of = (part.c.request_number == number, part.c.department == department)
    due = {"first_response_due": targets.first_response, "resolution_due": targets.resolution}
    connection.execute(update(part).where(*of).values(**due))


def of_requests(connection: Connection, *, first: int, last: int) -> Mapping[int, tuple[Part, ...]]:
    """The further parts of the requests with numbers from first to last; those without any are not there."""
    rows = connection.execute(select(part).where(part.c.request_number.between(first, last)).order_by(part.c.id))
    found: dict[int, tuple[Part, ...]] = {}
    for row in rows:
        found[row.request_number] = (*found.get(row.request_number, ()), part_of(row))
    return found


def departments(connection: Connection, numbers: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    """The departments that have each of the requests, the first one first."""
    if not numbers:
        return {}
    first, last = min(numbers), max(numbers)
    rows = connection.execute(
        select(request.c.number, request.c.department).where(request.c.number.between(first, last))
    )
    further = of_requests(connection, first=first, last=last)
    return {row.number: (row.department, *(one.department for one in further.get(row.number, ()))) for row in rows}


def part_of(row: Sequence[Any]) -> Part:
    """The part in a row of the table."""
    _, _, mailbox, department, priority, state, first_response_due, resolution_due = row
    return Part(mailbox, department, Priority(priority), State(state), first_response_due, resolution_due)
