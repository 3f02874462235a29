"""A relay that takes our mail, refuses it, falls silent at the worst moment, and remembers all it accepted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from delivery.transport import Ambiguous, Deferred, Outcome, Outgoing, Refused, Scope, Sent
from tests.simulator.world import Violation, World


class Records(Protocol):
    """What is committed in the outbox."""

    def trouble_with(self, outgoing: Outgoing) -> str | None:
        """Why the mail must not be handed over now, or None."""
        ...

    def is_overtaken(self, message_id: str, now: datetime) -> bool:
        """Whether it promises a moment that has passed, though nobody can have got it yet."""
        ...

    def progress(self, message_id: str) -> tuple[str, str | None, int]:
        """State, phase, and how many outcomes were recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """An outcome that the courier knows, and that is not committed yet."""

    outcome: Outcome
    reached: bool
    attempts: int
    faults: int


class Relay:
    """What was accepted, and what our side can know of it; one for all couriers."""

    def __init__(self, world: World, records: Records) -> None:
        self._world = world
        self._records = records
        self.accepted: dict[str, list[Outgoing]] = {}
        self.refused: set[str] = set()
        self.reached: Counter[str] = Counter()
        """Dots that were announced; each of them has a known outcome or is counted as perhaps sent."""
        self.known: Counter[str] = Counter()
        """Outcomes of announced dots that were committed and leave no doubt."""
        self._answered: dict[str, Answered] = {}
        self._final: set[str] = set()
        self._down_until = world.true_now

    def go_down(self, minutes: int) -> None:
        """Nobody answers for a while."""
        self._world.note(f"relay down {minutes}")
        self._down_until = self._world.true_now + timedelta(minutes=minutes)

    def committed(self) -> None:
        """A transaction was committed: see which outcomes are recorded now."""
        for message_id, one in list(self._answered.items()):
            state, _, attempts = self._records.progress(message_id)
            if attempts > one.attempts:
                del self._answered[message_id]
                self._recorded(message_id, one)
            elif state != "sending":
                del self._answered[message_id]
                self._abandoned(message_id, one)

    def _abandoned(self, message_id: str, one: Answered) -> None:
        if one.faults == self._world.faults:
            raise Violation(f"the outcome of {message_id} was thrown away, though nothing stood in the way")

    def _recorded(self, message_id: str, one: Answered) -> None:
        self.known[message_id] += one.reached and not isinstance(one.outcome, Ambiguous)
        if isinstance(one.outcome, Sent) or (isinstance(one.outcome, Refused) and one.outcome.scope is Scope.RECIPIENT):
            self._final.add(message_id)

    def forgotten(self) -> None:
        """The process died: what it had not recorded nobody knows."""
        self._answered.clear()

    def send(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        """As delivery.transport says."""
        message_id = outgoing.message_id
        if message_id in self._answered:
            raise Violation(f"{message_id} is sent again while its outcome is not recorded")
        if message_id in self._final:
            raise Violation(f"{message_id} is sent again after its outcome was recorded")
        dots, (_, _, attempts) = self.reached[message_id], self._records.progress(message_id)
        outcome = self._dialogue(outgoing, before_dot)
        self._world.note(f"{type(outcome).__name__} {message_id}")
        reached = self.reached[message_id] > dots
        self._answered[message_id] = Answered(outcome, reached, attempts, self._world.faults)
        return outcome

    def close(self) -> None:
        """Nothing is kept open."""

    def _dialogue(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        self._world.port("connect")
        if self._world.true_now < self._down_until or self._world.lost("before the dot"):
            return Deferred("nobody answers", Scope.CONNECTION)
        if self._world.lost("greylist"):
            return Deferred("450", Scope.RECIPIENT)
        if self._world.lost("rcpt") and self._world.random.random() < 0.1:
            self.refused.add(outgoing.message_id)
            return Refused("550", Scope.RECIPIENT)
        self._announce(outgoing, before_dot)
        return self._hand_over(outgoing)

    def _announce(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> None:
        try:
            before_dot()
        except BaseException:  # it may have been committed, and we died before we heard of it
            self.reached[outgoing.message_id] += self._records.progress(outgoing.message_id)[:2] == ("sending", "dot")
            raise
        self.reached[outgoing.message_id] += 1

    def _hand_over(self, outgoing: Outgoing) -> Outcome:
        self._world.port("dot")
        if self._world.lost("the dot"):
            return Ambiguous("nothing came back, nothing was accepted")
        if self._world.lost("4xx after the dot"):
            return Deferred("451", Scope.RECIPIENT)
        if self._records.is_overtaken(outgoing.message_id, self._world.now()):
            raise Violation(f"{outgoing.message_id} promises what has passed")
        if trouble := self._records.trouble_with(outgoing):
            raise Violation(f"{outgoing.message_id} is handed over {trouble}")
        self.accepted.setdefault(outgoing.message_id, []).append(outgoing)
        self._world.note(f"accepted {outgoing.message_id}")
        self._world.port("reply")
        if self._world.lost("the reply"):
            return Ambiguous("accepted, and the reply is lost")
        return Sent("250")
