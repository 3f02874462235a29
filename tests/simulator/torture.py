"""One world from its first start to its last owed mail, and many of them."""

import logging
import multiprocessing
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial

from sqlalchemy.exc import OperationalError

from desk.acknowledge import Mode
from desk.limiter import Limits
from service.house import House
from store.database import TransactionLost
from tests.simulator.ledger import Ledger, ledger
from tests.simulator.mailserver import MailServer
from tests.simulator.mutants import MUTANTS, NONE
from tests.simulator.oracle import Oracle, Scene
from tests.simulator.process import COURIERS, LOOPS, Process, Surrounding, house
from tests.simulator.relay import Relay
from tests.simulator.story import Story
from tests.simulator.world import Crash, Violation, World

WILD_STEPS = 150
CALM_ROUNDS = 100
CALM_SECONDS = 1800
MOST_DEATHS = 60
"""Deaths in a row that even a folder full of killers cannot explain."""

LIMITS = (None, Limits(), Limits(own_per_hour=1, same_words_per_day=50), Limits(circuit_per_10_minutes=2))
"""What is allowed in a world: everything, what is usual, or so little that most receipts wait and are joined."""

_house = cache(house)


@dataclass(slots=True)
class Result:
    """What one world, or many, came to."""

    worlds: int = 0
    points: int = 0
    crashes: int = 0
    faults: int = 0
    mails: int = 0
    accepted: int = 0
    again: int = 0
    """Mails accepted more often than once, each time after a doubt."""
    innocents: int = 0
    """Mails set aside because the process died with them in hand."""
    failures: dict[int, list[str]] = field(default_factory=dict)
    digest: str = ""

    def add(self, other: "Result") -> None:
        """The other's figures are counted here too."""
        for name in ("worlds", "points", "crashes", "faults", "mails", "accepted", "again", "innocents"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures |= other.failures


class Torture:
    """One world."""

    def __init__(self, seed: int, base: Ledger, mutant: str = NONE) -> None:
        base.empty()
        self.world = world = World(seed)
        world.in_transaction = base.in_transaction
        base.before_statement = world.statement
        self._ledger = base
        self._server = MailServer(world, base.is_settled)
        self._relay = Relay(world, base)
        self._story = Story(world, self._server, self._relay)
        mode = world.random.choice((Mode.FULL, Mode.RECEIPTS, Mode.RECEIPTS, Mode.OBSERVE))
        self._house: House = _house(mode, world.random.choice(LIMITS))
        self._around = Surrounding(world, base.database, self._server, self._relay, self._house, MUTANTS[mutant].parts)
        self._process: Process | None = None

    def run(self) -> Result:
        """All that was promised, compared with what came."""
        complaints = self._lived()
        world, scene = self.world, Scene(self._ledger, self._server, self._relay, self._house, self._story.matters)
        result = Result(1, world.points, world.crashes, world.faults, len(self._server.history), digest=world.digest())
        result.accepted = sum(map(len, self._relay.accepted.values()))
        result.again = result.accepted - len(self._relay.accepted)
        if not complaints:
            oracle = Oracle(scene)
            complaints, result.innocents = oracle.complaints(), oracle.innocents()
        if complaints:
            result.failures[world.seed] = complaints
        return result

    def _lived(self) -> list[str]:
        try:
            self._wild()
            self._calm()
        except Violation as violation:
            return [str(violation)]
        return self._owed()

    def _wild(self) -> None:
        self._story.before_the_watch()
        steps = self.world.random.randint(20, WILD_STEPS)
        while not self._ledger.is_watched():
            self._one_step("watch")
        for _ in range(steps):
            self._story.goes_on()
            self._one_step(self.world.random.choice(LOOPS))
        self._story.ends()

    def _calm(self) -> None:
        self.world.wild = False
        self.world.note("calm")
        for _ in range(CALM_ROUNDS):
            for loop in ("watch", "settle", "watch", "evening", "asides", *COURIERS):
                self._until_idle(loop)
            if not self._owed():
                return
            self.world.passes(CALM_SECONDS)

    def _until_idle(self, loop: str) -> None:
        for _ in range(MOST_DEATHS):
            if not self._one_step(loop):
                return

    def _one_step(self, loop: str) -> bool:
        """One step; the daemon is started first where there is none. Whether there was work."""
        try:
            self._process = self._process or Process(self._around)
            return self._process.step(loop)
        except (
            Crash,
            OperationalError,
            TransactionLost,
        ):  # the latter only from a start that failed: the supervisor starts it again
            self._process = None
            self._relay.forgotten()
            return True

    def _owed(self) -> list[str]:
        server = self._server
        known = {uid for (uid,) in self._ledger.rows("select uid from arrival where uidvalidity=?", server.uidvalidity)}
        floor = self._ledger.rows("select floor_uid from folder where uidvalidity=?", server.uidvalidity)
        first = floor[0][0] if floor else 0
        lost = [f"lost: {server.uidvalidity}/{uid}" for uid in server.box if uid > first and uid not in known]
        return lost + self._ledger.owed(server.uidvalidity)


def run(seeds: Iterable[int], mutant: str = NONE) -> Result:
    """The worlds of these seeds, one after the other."""
    total, base = Result(), ledger()
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with ExitStack() as patches:
            for patch in MUTANTS[mutant].patches():
                patches.enter_context(patch)
            for seed in seeds:
                total.add(one := Torture(seed, base, mutant).run())
                total.digest = one.digest
    finally:
        logging.disable(level)
        base.before_statement = lambda: None
    return total


def run_on_all_cores(seeds: range, jobs: int, mutant: str = NONE) -> Result:
    """As `run`, in several processes."""
    total = Result()
    pieces = [seeds[start : start + 20] for start in range(0, len(seeds), 20)]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for one in pool.imap_unordered(partial(run, mutant=mutant), pieces):
            total.add(one)
        pool.close()
        pool.join()
    return total


def replay(seed: int, mutant: str = NONE) -> tuple[list[str], list[str]]:
    """What happened in the world of a seed, and the promises it broke."""
    logging.disable(logging.CRITICAL)
    with ExitStack() as patches:
        for patch in MUTANTS[mutant].patches():
            patches.enter_context(patch)
        torture = Torture(seed, ledger(), mutant)
        result = torture.run()
    logging.disable(logging.NOTSET)
    return torture.world.trace, result.failures.get(seed, [])


def told(result: Result, seconds: float) -> str:
    """The figures in one line."""
    return (
        f"{result.worlds} worlds, {result.mails} mails, {result.points} fault points, {result.crashes} crashes, "
        f"{result.faults} faults, {result.accepted} mails accepted, {result.again} of them again, "
        f"{result.innocents} innocent in quarantine, {len(result.failures)} failing seeds, "
        f"{seconds:.1f} s, {result.crashes / seconds:.0f} crashes/s"
    )


def timed(seeds: range, jobs: int, mutant: str = NONE) -> tuple[Result, float]:
    """The result, and the seconds it took."""
    start = time.perf_counter()
    result = run(seeds, mutant) if jobs == 1 else run_on_all_cores(seeds, jobs, mutant)
    return result, time.perf_counter() - start
