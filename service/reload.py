"""What was changed while the daemon runs: noticed, checked as a whole, and taken over by moving into another house.

1. The store is asked often for its two version numbers, which costs next to nothing.
2. When one has moved, or when config.toml is to be read again, a new house is built from everything. Whatever is wrong
   shows there, is logged with its reason, and changes nothing: the old house stands.
3. Then everybody moves. What is in hand is finished in the house it began in.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from desk.errors import UserError
from routing.difference import routing_differences
from routing.reading import read_routing
from routing.rules import Routing
from service import routing
from service.changes import summary
from service.house import IN_A_CIRCLE, House
from service.installation import known_keys
from service.live import Taken, take
from service.people import people_of
from service.settings import Settings
from service.transactions import Transactions
from service.written import ROUTING_FILE, Written
from store import people
from store import routing as versions
from store.database import Database
from store.routing import VersionMoved

log = logging.getLogger("deskbell.reload")

Build = Callable[[Settings, Written], House]
"""The house of settings and a routing text, with nobody in it yet."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of a house come from."""

    database: Database
    transactions: Transactions
    read_settings: Callable[[], Settings]
    build: Build
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The version numbers of routing and people, and which keys the database is used with."""

    routing: int
    people: int
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """What a house was built from."""

    settings: Settings
    written: Written
    numbers: Numbers


class Reload:
    """Keeps everybody in `move` in the house that holds; `step` is called often."""

    def __init__(self, sources: Sources, held: Held, move: Sequence[Callable[[House], None]]) -> None:
        self._sources = sources
        self._held = held
        self._move = move
        self._seen = held.numbers
        """What was taken over, or was found broken and said so."""
        self._asked = self._answered = 0

    def ask(self) -> None:
        """The next step reads config.toml again, and routing.toml where that is read."""
        self._asked += 1

    def step(self) -> bool:
        """Take over what has changed; False where nothing has. Whatever it raises, the next step tries again."""
        asked = self._asked
        with self._sources.database.read() as connection:
            keys = frozenset(known_keys(connection))
            numbers = Numbers(versions.newest_number(connection), people.version(connection), keys)
        if asked == self._answered and numbers == self._seen:
            return False
        try:
            self._take_over(asked=asked != self._answered)
        except (UserError, OSError) as error:  # every mail is settled in the house that stands
            log.error("what was changed cannot be used, and changes nothing: %s", error)  # noqa: TRY400 - it says it all
            self._seen = numbers  # Said once, not twice a second.
        self._answered = asked
        return True

    def _take_over(self, *, asked: bool) -> None:
        old = self._held
        taken = take(old.settings, self._sources.read_settings()) if asked else Taken(old.settings, (), ())
        house, held = built(self._sources, taken.settings, rereads_file=asked)
        for move in self._move:
            move(house)
        self._held, self._seen = held, held.numbers
        logging.getLogger("deskbell").setLevel(taken.settings.log.level.upper())
        log.info("taken over: %s", "; ".join(_words(old, held, taken)) or "nothing has changed")
        if taken.waiting:
            log.warning("config.toml: needs a restart: %s", ", ".join(taken.waiting))


def built(sources: Sources, settings: Settings, *, rereads_file: bool) -> tuple[House, Held]:
    """The house that holds now, and what it was built from, which is in the store.

    Raises UserError where it cannot be built; then nothing was stored.
    """
    try:
        return _built(sources, settings, rereads_file=rereads_file)
    except VersionMoved:  # another daemon began at the same moment: what that one stored holds
        return _built(sources, settings, rereads_file=rereads_file)


def _built(sources: Sources, settings: Settings, *, rereads_file: bool) -> tuple[House, Held]:
    with sources.database.read() as connection:
        newest = versions.newest(connection)
        known, number = people.everybody(connection), people.version(connection)
        keys = frozenset(known_keys(connection))
    held = routing.standing(settings, newest) if rereads_file or newest is None else routing.stored(newest)
    house = replace(sources.build(settings, held.written), people=people_of(known))
    adopted = sources.transactions.run(lambda connection: routing.adopt(connection, held, now=sources.now()))
    if held.new_from is not None:
        log.info("routing version %d is stored: from %s", adopted, held.written.source)
    if held.unread_file:
        log.warning("%s is not read: since somebody imported, the store holds", ROUTING_FILE)
    for one in house.circles():
        log.warning("department %s reads at %s, %s", one.key, one.address, IN_A_CIRCLE)
    return house, Held(settings, held.written, Numbers(adopted, number, keys))


def _words(old: Held, new: Held, taken: Taken) -> Iterator[str]:
    if taken.applied:
        yield f"config.toml: {', '.join(taken.applied)}"
    if new.numbers.routing != old.numbers.routing:
        changes = routing_differences(_read(old.written, old.settings), _read(new.written, new.settings))
        yield f"routing version {new.numbers.routing}: {summary(changes)}"
    if new.numbers.people != old.numbers.people:
        yield f"people, change {new.numbers.people}"
    if added := new.numbers.keys - old.numbers.keys:
        yield f"key {', '.join(sorted(added))}, which signs from now on"


def _read(written: Written, settings: Settings) -> Routing:
    return read_routing(written.text, source=written.source, default_domain=settings.own_domains[0])
