"""A relay that takes our mail, refuses it, falls silent at the worst moment, and remembers all it accepted."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from delivery.transport import Ambiguous, Deferred, Outcome, Outgoing, Refused, Scope, Sent
from tests.simulator.world import Violation, World


class Relay:
    """What was accepted, and what our side can know of it; one for all couriers."""

    def __init__(self, world: World, may_be_handed_over: Callable[[Outgoing], str | None]) -> None:
        self._world = world
        self._trouble_with = may_be_handed_over
        self.accepted: dict[str, list[Outgoing]] = {}
        self.refused: set[str] = set()
        self.reached: Counter[str] = Counter()
        """Dots that were announced; each of them has a known outcome or is counted as perhaps sent."""
        self.known: Counter[str] = Counter()
        """Outcomes of announced dots that were committed and leave no doubt."""
        self.commits = 0
        self._answered: tuple[str, Outcome, bool] | None = None
        """What the next commit must be about: the courier has an outcome that is not recorded yet."""
        self._final: set[str] = set()
        self._down_until = world.true_now

    def go_down(self, minutes: int) -> None:
        """Nobody answers for a while."""
        self._world.note(f"relay down {minutes}")
        self._down_until = self._world.true_now + timedelta(minutes=minutes)

    def committed(self) -> None:
        """A transaction was committed: an outcome that waited for it is recorded."""
        self.commits += 1
        if self._answered is None:
            return
        message_id, outcome, reached = self._answered
        self._answered = None
        self.known[message_id] += reached and not isinstance(outcome, Ambiguous)
        if isinstance(outcome, Sent) or (isinstance(outcome, Refused) and outcome.scope is Scope.RECIPIENT):
            self._final.add(message_id)

    def rolled_back(self) -> None:
        """A transaction failed by a fault of this world: an outcome that waited for it stays unrecorded."""
        self._answered = None

    def send(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        """As delivery.transport says."""
        message_id = outgoing.message_id
        if self._answered is not None:
            raise Violation(f"the outcome of {self._answered[0]} was never recorded")
        if message_id in self._final:
            raise Violation(f"{message_id} is sent again after its outcome was recorded")
        dots = self.reached[message_id]
        outcome = self._dialogue(outgoing, before_dot)
        self._world.note(f"{type(outcome).__name__} {message_id}")
        self._answered = (message_id, outcome, self.reached[message_id] > dots)
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
        before = self.commits
        try:
            before_dot()
        except BaseException:
            self.reached[outgoing.message_id] += self.commits > before
            raise
        self.reached[outgoing.message_id] += 1

    def _hand_over(self, outgoing: Outgoing) -> Outcome:
        self._world.port("dot")
        if self._world.lost("the dot"):
            return Ambiguous("nothing came back, nothing was accepted")
        if self._world.lost("4xx after the dot"):
            return Deferred("451", Scope.RECIPIENT)
        if trouble := self._trouble_with(outgoing):
            raise Violation(f"{outgoing.message_id} is handed over {trouble}")
        self.accepted.setdefault(outgoing.message_id, []).append(outgoing)
        self._world.note(f"accepted {outgoing.message_id}")
        self._world.port("reply")
        if self._world.lost("the reply"):
            return Ambiguous("accepted, and the reply is lost")
        return Sent("250")
