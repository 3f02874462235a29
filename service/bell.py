"""How one loop wakes another: rung by anybody, heard by one; several rings before it is heard are one."""

import contextlib
import socket
import threading


class Bell:
    """For a loop that waits on nothing else."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """The loop wakes now, or does not fall asleep."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """Return when rung, or when the time is over."""
        self._rung.wait(seconds)
        self._rung.clear()


class SocketBell:
    """For a loop that waits on a connection: `heard` becomes readable; whoever waits on it empties it."""

    def __init__(self) -> None:
        self.heard, self._end = socket.socketpair()
        self.heard.setblocking(False)
        self._end.setblocking(False)

    def ring(self) -> None:
        """The loop wakes now, or does not fall asleep."""
        # Full: it was rung often and not heard yet, and it will be.
        with contextlib.suppress(BlockingIOError):
            self._end.send(b"!")

    def close(self) -> None:
        """Give back both ends."""
        self.heard.close()
        self._end.close()
