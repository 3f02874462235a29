"""Chance, time and faults of one simulated world: one seeded stream of randomness decides everything that happens.

Each place where the code under test reaches outside passes a fault point here. A crash is a BaseException, so that
nothing but the end of the process catches it.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from sqlite3 import OperationalError as DiskError

from sqlalchemy.exc import OperationalError

from store.database import TransactionLost

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FAR_ENOUGH = timedelta(days=1)
"""Our clock leaves the true time no further: an outbox row never expires, so that an expired one is a fault."""


class Crash(BaseException):
    """The process dies here: whatever it knew and had not committed is gone."""


class Violation(BaseException):
    """A promise was broken at this very moment."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely a fault is at each point it can happen at."""

    crash: float
    network: float
    database: float
    turn: float
    """Another loop of the daemon goes on while this one waits for the network."""


class World:
    """The clock, the dice and the record of what was done."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.wild = True
        self.true_now = START
        self.skew = timedelta()
        self.points = self.crashes = self.faults = 0
        self.trace: list[str] = []
        self.weather = Weather(
            crash=self.random.choice((0.01, 0.05, 0.15, 0.3)),
            network=self.random.choice((0.0, 0.05, 0.15)),
            database=self.random.choice((0.0, 0.05, 0.15, 0.4)),
            turn=self.random.choice((0.0, 0.1, 0.3)),
        )
        self.in_transaction: Callable[[], bool] = lambda: False
        self.take_turn: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.fuse = 0
        """Statements until the database fails; 0: it does not."""

    def now(self) -> datetime:
        """What the machine of the daemon takes for the time."""
        return self.true_now + self.skew

    def note(self, words: str) -> None:
        """Record what happens; equal records are the proof that a seed is replayed."""
        self.trace.append(words)

    def digest(self) -> str:
        """Of all that happened."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def passes(self, seconds: float) -> None:
        """The time goes on, for us and for the servers."""
        self.true_now += timedelta(seconds=seconds)

    def jump(self, by: timedelta) -> None:
        """Our clock is set wrong, or right again; the servers keep theirs."""
        if abs(self.skew + by) <= FAR_ENOUGH:
            self.note(f"clock {by}")
            self.skew += by

    def happens(self, probability: float) -> bool:
        """Whether a fault of this probability happens now; never in the calm."""
        self.points += 1
        return self.wild and self.random.random() < probability

    def may_crash(self, where: str) -> None:
        """A point where the process can die."""
        if self.happens(self.weather.crash):
            self.die(where)

    def die(self, where: str) -> None:
        """The process dies."""
        self.crashes += 1
        self.note(f"crash {where}")
        self.take_turn = self.meanwhile = lambda: None
        raise Crash(where)

    def may_refuse(self, where: str) -> None:
        """A point where the database can fail."""
        if self.happens(self.weather.database):
            self.refuse(where)

    def refuse(self, where: str) -> None:
        """The database fails."""
        self.faults += 1
        self.note(f"refused {where}")
        if self.random.random() < 0.3:
            raise TransactionLost(where)
        raise OperationalError(where, None, DiskError("disk I/O error"))

    def light_fuse(self) -> None:
        """One of the next statements may fail, or the process dies in it."""
        self.fuse = self.random.randint(1, 25) if self.happens(self.weather.database + self.weather.crash) else 0

    def statement(self) -> None:
        """A statement is about to be executed."""
        if self.fuse:
            self.fuse -= 1
            if self.fuse == 0:
                crash = self.weather.crash / (self.weather.database + self.weather.crash)
                (self.die if self.random.random() < crash else self.refuse)("statement")

    def lost(self, where: str) -> bool:
        """Whether the network fails here."""
        if not self.happens(self.weather.network):
            return False
        self.faults += 1
        self.note(f"lost {where}")
        return True

    def port(self, where: str) -> None:
        """The daemon speaks to a server: it may die, and other loops go on meanwhile. No transaction is open."""
        if self.in_transaction():
            raise Violation(f"a transaction is held open during {where}")
        self.may_crash(where)
        self.meanwhile()
        if self.happens(self.weather.turn):
            self.take_turn()
