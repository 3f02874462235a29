"""Which loops make progress. A loop that stands still longer than its step may last is stuck."""

import logging
from collections.abc import Callable

log = logging.getLogger("deskbell.watchdog")


class Watchdog:
    """The last beat of each loop, in seconds of a clock that never goes back. Any thread may beat."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._beats: dict[str, tuple[float, float]] = {}

    def beat(self, name: str, *, patience: float) -> None:
        """The loop begins a step or a rest, neither of which lasts longer than `patience` seconds."""
        # One assignment: no other thread ever sees half of it.
        self._beats[name] = self._clock(), patience

    def stuck(self) -> list[str]:
        """The loops that should have come round by now."""
        now = self._clock()
        return sorted(name for name, (at, patience) in self._beats.copy().items() if now - at > patience)

    def report(self, tell: Callable[[str], None]) -> None:
        """The service manager hears that we are alive, unless a loop is stuck: then the log says which."""
        if stuck := self.stuck():
            log.error("no progress for too long: %s", ", ".join(stuck))
        else:
            tell("WATCHDOG=1")
