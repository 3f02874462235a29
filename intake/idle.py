"""Hearing what an IMAP server says unasked: the wire below imaplib, and IDLE (RFC 2177) on it.

imaplib's own reader cannot say whether a line is waiting, and one time-out breaks it for good; imapclient's idle_check
overlooks an EXISTS behind "+ idling", spins on a closed connection and dies of a line in two segments. So Wire takes
the reader's place: a line is asked for only when all of it is there, and octets TLS has already decrypted count.
"""

import imaplib
import selectors
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

MAX_LINE = 1_000_000
"""Octets of one line, as imaplib has it."""
MAX_LITERAL = 1 << 30
"""Octets a server may announce for one literal."""
MAX_IDLE = 240.0
"""Seconds of one IDLE: below the 5 minutes after which some routers forget a connection."""
DONE_WITHIN = 10.0
"""Seconds the server has to end an IDLE; whoever stops the program waits that long at most."""
NOOP_AFTER = 60.0
"""Seconds between questions to a server without IDLE."""
_CHUNK = 1 << 16
_KEPT = {"BYE", "READ-ONLY", "CAPABILITY"}  # imaplib and imapclient look for these later


class Wire:
    """The reading side of one imaplib connection, and what came unasked on it."""

    def __init__(self, imap: imaplib.IMAP4, *, read_timeout: float, exists: int | None = None) -> None:
        self.imap = imap
        self.exists = exists
        """How many mails the folder holds; None where an EXPUNGE made the number unsure."""
        self.news = False
        """The folder has changed since the last search began."""
        self.read_timeout = read_timeout
        self._deadline: float | None = None
        self._heard = bytearray()
        imap.readline = self.readline  # type: ignore[method-assign] # documented by imaplib as overridable
        imap.read = self.read  # type: ignore[method-assign] # documented by imaplib as overridable

    def readline(self) -> bytes:
        """The next line with its end, or what stood there when the stream ended. Raises OSError, imaplib's error."""
        searched = 0
        while (end := self._heard.find(b"\n", searched)) < 0 and len(self._heard) <= MAX_LINE:
            searched = len(self._heard)
            chunk = self._receive()
            if not chunk:
                return self._take(len(self._heard))
            self._heard += chunk
        if not 0 <= end < MAX_LINE:
            raise self.imap.abort(f"a line of more than {MAX_LINE} octets")
        return self._take(end + 1)

    def read(self, size: int) -> bytes:
        """The next `size` octets, or fewer where the stream ended. Raises OSError, imaplib's abort."""
        if size > MAX_LITERAL:
            raise self.imap.abort(f"a literal of {size} octets")
        parts = [self._take(size)]
        missing = size - len(parts[0])
        while missing > 0 and (chunk := self._receive(min(missing, 4 * _CHUNK))):
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    def _receive(self, size: int = _CHUNK) -> bytes:
        patience = self.read_timeout
        if self._deadline is not None:
            patience = min(patience, self._deadline - monotonic())
        if patience <= 0:
            raise TimeoutError("no answer in time")
        self.imap.sock.settimeout(patience)
        try:
            return self.imap.sock.recv(size)
        finally:
            self.imap.sock.settimeout(self.read_timeout)

    def hears(self) -> bool:
        """Whether a whole line is there now; never waits. Raises imaplib's abort where the stream ended."""
        sock = self.imap.sock
        sock.settimeout(0)
        try:
            while b"\n" not in self._heard and len(self._heard) <= MAX_LINE:
                chunk = sock.recv(_CHUNK)
                if not chunk:
                    raise self.imap.abort("the server closed the connection")
                self._heard += chunk
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):  # nothing more yet; no mail is involved
            return False
        finally:
            sock.settimeout(self.read_timeout)
        return True

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """All reading inside together takes at most that long, however slowly the server drips; then TimeoutError."""
        self._deadline = monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = None

    def collect(self) -> None:
        """What the server said unasked is noted here and no longer piles up in imaplib. Raises imaplib's abort on BYE.

        News is another EXISTS than the last one, or an EXPUNGE. Flags that somebody set are none, nor is a number told
        again: a server that repeats EXISTS after each command would keep its client searching for ever.
        """
        said = self.imap.untagged_responses
        if "BYE" in said:
            raise self.imap.abort(f"the server said BYE {said['BYE'][-1]!r}")
        expunged = "EXPUNGE" in said or "VANISHED" in said
        counted = int(said["EXISTS"][-1]) if "EXISTS" in said else None  # type: ignore[arg-type] # a line, no literal
        if expunged or counted not in (None, self.exists):
            self.news = True
        if expunged or counted is not None:
            self.exists = None if expunged else counted
        for kind in said.keys() - _KEPT:
            del said[kind]


def idle(wire: Wire, *, seconds: float, wake: socket.socket | None) -> None:
    """IDLE until there is news, the time is over or `wake` is readable (then it is emptied).

    A server that refuses IDLE or ends it by itself is asked by NOOP when the time is over, not at once again.
    """
    deadline = monotonic() + min(seconds, MAX_IDLE)
    tag = wire.imap._command("IDLE")  # noqa: SLF001 - imaplib has no public IDLE before 3.14
    with wire.within(wire.read_timeout):
        idling = _is_idling(wire, tag)
    woken = False
    while idling and not (woken or wire.news) and monotonic() < deadline:
        if wire.hears():
            wire.imap._get_response()  # noqa: SLF001 - reads one line, keeps its meaning
            idling = wire.imap.tagged_commands[tag] is None
            wire.collect()
        else:
            woken = _readable(wire.imap.sock, wake, deadline - monotonic())
    if idling:
        _done(wire, tag)
    del wire.imap.tagged_commands[tag]
    if not idling and not wire.news:
        doze(wire, seconds=deadline - monotonic(), wake=wake)


def _is_idling(wire: Wire, tag: bytes) -> bool:
    """Reads up to the "+" (True) or the tagged refusal (False); untagged lines may come before either."""
    while wire.imap._get_response() is not None:  # noqa: SLF001 - None is imaplib's word for "+"
        wire.collect()
        if wire.imap.tagged_commands[tag] is not None:
            return False
    return True


def _done(wire: Wire, tag: bytes) -> None:
    wire.imap.send(b"DONE\r\n")
    with wire.within(DONE_WITHIN):
        while wire.imap.tagged_commands[tag] is None:
            wire.imap._get_response()  # noqa: SLF001 - reads one line, keeps its meaning
            wire.collect()


def doze(wire: Wire, *, seconds: float, wake: socket.socket | None) -> None:
    """Waits on `wake` alone, at most NOOP_AFTER seconds; asks the server for news unless it was `wake`."""
    if not _readable(None, wake, min(seconds, NOOP_AFTER)):
        wire.imap.noop()
        wire.collect()


def _readable(sock: socket.socket | None, wake: socket.socket | None, seconds: float) -> bool:
    """Waits until either is readable or the time is over; True, and `wake` emptied, where it was `wake`."""
    with selectors.DefaultSelector() as selector:
        for watched in (sock, wake):
            if watched is not None:
                selector.register(watched, selectors.EVENT_READ)
        woken = any(key.fileobj is wake for key, _ in selector.select(max(0.0, seconds)))
    if woken and wake is not None:
        wake.recv(_CHUNK)
    return woken
