"""What systemd is told of us (sd_notify(3)): ready, stopping, alive. A datagram on the socket it names, or nothing."""

import contextlib
import os
import socket
from collections.abc import Mapping


def tell(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """The service manager has heard the state, such as READY=1. Nothing happens where there is none to hear it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    # An abstract address is written with @ and begins with NUL (unix(7)).
    path = f"\0{address[1:]}" if address.startswith("@") else address
    # No mail depends on it: a manager that hears nothing restarts us, and every start goes on from the last commit.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
        wire.settimeout(1.0)
        wire.sendto(state.encode(), path)


def watchdog_seconds(environ: Mapping[str, str], *, pid: int) -> float | None:
    """How often at least the manager wants to hear that we are alive, in seconds; None: it does not ask (us)."""
    asked = environ.get("WATCHDOG_USEC", "")
    whom = environ.get("WATCHDOG_PID", str(pid))
    if not asked.isascii() or not asked.isdigit() or not int(asked) or whom != str(pid):
        return None
    return int(asked) / 1_000_000
