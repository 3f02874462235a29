"""A file of people taken into the store: checked as a whole beside everybody who is known, shown, then one commit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from desk.difference import Change, Fields, differences
from desk.person import Person
from service.people_csv import BadPeople, PeopleFile, listed_problems, read_people, updated
from service.settings import Settings
from store import journal, people
from store.database import Database


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an import would do to the people of version base."""

    base: int
    put: tuple[Person, ...]
    drop: tuple[str, ...]
    changes: tuple[Change, ...]
    ignored: tuple[str, ...]
    """Columns of the file that mean nothing here."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file of people; replace: whoever is not in it is dropped."""

    content: bytes
    source: str
    replace: bool = False


def propose(database: Database, given: Given, settings: Settings) -> Proposal:
    """What the file would change. Raises BadPeople that names every bad line."""
    file = read_people(given.content, given.source)
    with database.read() as connection:
        base, everybody = people.version(connection), people.everybody(connection)
    known = {person.address: person for person in everybody}
    said = {person.address: person for person in _people(file, known)}
    kept = {} if given.replace else {address: known[address] for address in known if address not in said}
    if problems := [*_ours(file, settings), *_taken(file, said.values(), kept.values())]:
        raise BadPeople(listed_problems(given.source, problems))
    changes = differences(_fields(everybody), _fields([*kept.values(), *said.values()]))
    changed = {change.name for change in changes}
    drop = tuple(address for address in known if address not in said and address not in kept)
    put = tuple(person for person in said.values() if person.address in changed)
    return Proposal(base, put, drop, changes, file.ignored)


def submit(database: Database, proposal: Proposal, detail: dict[str, str], *, now: datetime) -> None:
    """The people are as proposed, and the journal has how many, and the detail. Raises PeopleMoved."""
    counts = {"put": len(proposal.put), "dropped": len(proposal.drop)}
    with database.write() as connection:
        people.change(connection, put=proposal.put, drop=proposal.drop, base=proposal.base)
        # Without their addresses: the journal is never changed, and people can be forgotten.
        journal.write(connection, journal.Record("people imported", detail=detail | counts), now=now)


def _people(file: PeopleFile, known: dict[str, Person]) -> Iterator[Person]:
    for row in file.rows:
        before = known.get(row.person.address)
        yield row.person if before is None else updated(before, row.person, file.columns)


def _ours(file: PeopleFile, settings: Settings) -> Iterator[str]:
    mailboxes = {address for mailbox in settings.mailbox for address in mailbox.addresses}
    for row in file.rows:
        for address in mailboxes.intersection(row.person.addresses):
            yield f"line {row.line}: {address} is a mailbox that deskbell serves; accepted: the address of a person"


def _taken(file: PeopleFile, said: Iterable[Person], kept: Iterable[Person]) -> Iterator[str]:
    """Addresses of two people; whoever is said has the addresses that the file or, without aliases in it, we know."""
    owners = {address: person.address for person in kept for address in person.addresses}
    lines = {row.person.address: row.line for row in file.rows}
    for person in said:
        for address in person.addresses:
            owner = owners.setdefault(address, person.address)
            if owner != person.address:
                line = lines[person.address]
                yield f"line {line}: {address} belongs to {owner} already; accepted: each address with one person"


def _fields(everybody: Iterable[Person]) -> dict[str, Fields]:
    return {
        one.address: {
            "aliases": one.aliases,
            **{
                key: (value,) for key in ("language", "zone", "country", "manager") if (value := str(getattr(one, key)))
            },
        }
        for one in everybody
    }
