"""The daemon of a demo: `deskbell run` as a process of its own, as in real life."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from desk.errors import RefusedError
from service.demo.patience import until
from service.demo.place import Place

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for whatever takes milliseconds on an idle machine."""
STOP_SECONDS = 10.0


class DaemonTrouble(RefusedError):
    """The daemon does not do what it is there for; what it said is in the log."""


def program() -> str:
    """The deskbell command of this environment, as it can be typed anywhere."""
    beside = Path(sys.executable).with_name("deskbell")
    return str(beside if beside.exists() else Path(sys.argv[0]).absolute())


class Daemon:
    """`deskbell run` on a place; nothing of it runs after the block."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Every door is open. Raises DaemonTrouble."""
        with self._place.log.open("ab") as log:
            begin = log.tell()
            # A group of its own: Ctrl-C in the terminal reaches the demo alone, which then ends the daemon in order.
            self._process = subprocess.Popen(  # noqa: S603 # our own command
                [program(), "run", "--config", str(self._place.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        try:
            self.wait(lambda: b"ready" in self._said(begin).splitlines() or None, "to be ready")
        except BaseException:  # no mail was handed in yet
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The daemon has ended; what it had not finished it finishes at its next start."""
        self._end()

    def wait(self, found: Callable[[], T | None], what: str) -> T:
        """What found gives once that is something. Raises DaemonTrouble where the daemon ends or takes too long."""

        def looked() -> T | None:
            value = found()
            if value is None and self._process is not None and self._process.poll() is not None:
                raise DaemonTrouble(f"deskbell ended by itself: {self._last_words()}")
            return value

        value = until(looked, seconds=PATIENCE)
        if value is None:
            raise DaemonTrouble(f"waited {PATIENCE:.0f} seconds for deskbell {what}: {self._last_words()}")
        return value

    def serve(self) -> None:
        """Return when the daemon ends by itself. Raises DaemonTrouble, because it should not."""
        assert self._process is not None
        self._process.wait()
        raise DaemonTrouble(f"deskbell ended by itself: {self._last_words()}")

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # every mail it took is in its database
            self._process.kill()
            self._process.wait()

    def _said(self, begin: int) -> bytes:
        with self._place.log.open("rb") as log:
            log.seek(begin)
            return log.read()

    def _last_words(self) -> str:
        lines = self._said(0).decode("utf-8", "replace").splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (all of it is in {self._place.log})"
