"""How one loop wakes another: rung by anybody, heard by one; several rings before it is heard are one."""

import contextlib
import select
import signal
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
    """For a loop that waits on a connection: `heard` becomes readable; whoever waits on it empties it.

    A signal handler may ring it: no lock is taken that the interrupted code could hold.
    """

    def __init__(self) -> None:
        self.heard, self._end = socket.socketpair()
        self.heard.setblocking(False)
        self._end.setblocking(False)

    def ring(self) -> None:
        """The loop wakes now, or does not fall asleep."""
        # Full: it was rung often and not heard yet, and it will be.
        with contextlib.suppress(BlockingIOError):
            self._end.send(b"!")

    def ring_at_signals(self) -> None:
        """Every signal rings it from now on: called by the main thread, which is the one that waits.

        The system may hand a signal to any thread; then the wait of the main thread, which alone runs handlers, is not
        interrupted.
        """
        signal.set_wakeup_fd(self._end.fileno(), warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        """Return when rung, or when the time is over; what was rung is heard."""
        if select.select([self.heard], [], [], seconds)[0]:
            self.heard.recv(4096)

    def close(self) -> None:
        """Give back both ends."""
        self.heard.close()
        self._end.close()
