"""What became of a mail that was handed in, read from the ledger like any user would."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from desk.arrival import Fate
from desk.department import Department
from desk.request import Request, number_of
from desk.zone import zone_of_writer
from service.house import House
from store import ledger, requests
from store.database import Database
from store.ledger import Line
from templates.moments import in_words


@dataclass(frozen=True, slots=True)
class Promised:
    """The two promised moments in English words, on the writer's clock, as their receipt says them."""

    answer: str
    solution: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line of the ledger with the request it belongs to, and the kinds of mail that are owed for it."""

    line: Line
    request: Request | None
    departments: tuple[Department, ...]
    owed: tuple[str, ...]
    promised: Promised | None


@dataclass(frozen=True, slots=True)
class Watch:
    """One mail on its way: what it is known by, since which arrival, and when its writer wrote it."""

    digest: str
    after: int
    copies: int
    written: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Reads what became of mails."""

    database: Database
    house: House

    def watch(self, raw: bytes, *, copies: int, written: datetime | None) -> Watch:
        """To be asked for before the mail is handed in, so that an equal one of before is not taken for it."""
        with self.database.read() as connection:
            return Watch(hashlib.sha256(raw).hexdigest(), ledger.newest(connection), copies, written)

    def outcomes(self, watch: Watch) -> list[Outcome] | None:
        """One for each copy, once all have a fate; None before."""
        with self.database.read() as connection:
            lines = ledger.brought(connection, watch.digest, after=watch.after)
            if len(lines) < watch.copies or any(line.fate is Fate.RECEIVED for line in lines):
                return None
            found = []
            for line in lines:
                number = number_of(line.reference) if line.reference else None
                request = requests.find(connection, number) if number is not None else None
                owed = ledger.owed_for(connection, number, line.id) if number is not None else ()
                found.append(self._outcome(line, request, owed, watch.written))
            return found

    def _outcome(self, line: Line, request: Request | None, owed: tuple[str, ...], written: datetime | None) -> Outcome:
        keys = request.departments if request is not None else ()
        departments = tuple(self.house.departments[key] for key in keys if key in self.house.departments)
        promised = self._promised(line, request, departments[0], written) if request and departments else None
        return Outcome(line, request, departments, owed, promised)

    def _promised(self, line: Line, request: Request, department: Department, written: datetime | None) -> Promised:
        zone = zone_of_writer(written, self.house.calendars[department.calendar].zone)
        first, last = (
            in_words(moment, language="en", zone=zone, now=line.accepted)
            for moment in (
                max(part.first_response_due for part in request.parts),
                max(part.resolution_due for part in request.parts),
            )
        )
        return Promised(first, last)
