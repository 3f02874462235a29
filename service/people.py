"""Who is known by which address, and how they like to be written to: looked up for every mail, so held in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desk.mail import Address
from desk.person import Person
from desk.thread import SentMail
from routing.thread import Threads
from templates.moments import LANGUAGES


@dataclass(frozen=True, slots=True)
class People:
    """All people by each of their addresses (folded), and the zones they live in by name. Made by `people_of`."""

    by_address: Mapping[str, Person] = field(default_factory=dict)
    zones: Mapping[str, ZoneInfo] = field(default_factory=dict)

    def find(self, who: Address | None) -> Person | None:
        """The person of that address, or None."""
        return self.by_address.get(who.key) if who is not None else None

    def zone_of(self, who: Address | None) -> ZoneInfo | None:
        """Where they live, or None where nobody said so."""
        person = self.find(who)
        return self.zones.get(person.zone) if person is not None else None

    def language_of(self, who: Address | None) -> str | None:
        """The language they read, if deskbell writes it; else None."""
        person = self.find(who)
        language = person.language.partition("-")[0] if person is not None else ""
        return language if language in LANGUAGES else None

    def same(self, addresses: Iterable[str]) -> frozenset[str]:
        """Those addresses (folded), with all others of the same people."""
        given = frozenset(addresses)
        people = [person for address in given if (person := self.by_address.get(address)) is not None]
        return given.union(*(person.addresses for person in people))


NOBODY = People()


def people_of(everybody: Iterable[Person]) -> People:
    """The people, ready to be looked up. A zone that this machine does not know is left out."""
    by_address = {address: person for person in everybody for address in person.addresses}
    names = {person.zone for person in by_address.values() if person.zone}
    zones = {name: zone for name in names if (zone := zone_named(name)) is not None}
    return People(by_address, zones)


def zone_named(name: str) -> ZoneInfo | None:
    """The zone, or None where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Unknown, no relative path, or a folder of zones. Nobody loses a mail: moments are told in another zone.
        return None


@dataclass(frozen=True, slots=True)
class Acquainted:
    """Threads that know people by all of their addresses: whoever takes part may write from an alias."""

    threads: Threads
    people: People

    def sent(self, message_ids: Sequence[str]) -> Mapping[str, SentMail]:
        """As of the threads."""
        return self.threads.sent(message_ids)

    def received(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """As of the threads."""
        return self.threads.received(message_ids)

    def participants(self, number: int) -> frozenset[str]:
        """The participants by each of their addresses."""
        return self.people.same(self.threads.participants(number))
