"""Has mails parsed where they can do no harm: in a child process that is killed when a mail costs too much.

The child (intake.worker) gets one mail at a time and keeps nothing of it. Its answer is read as a pickle of nothing but
Mail values. A mail that kills the child costs exactly this child: the next call starts another one. A child that cannot
even start is no mail's fault and has an error of its own.
"""

import contextlib
import io
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Self

from desk.mail import Address, Attachment, Automatic, AutomaticKind, Mail, ReportedRecipient
from intake.worker import ANSWER, OUT_OF_MEMORY, QUESTION, TOO_DEEP

_CHUNK = 64 * 1024
_MOST_ANSWERED = 512 * 1024 * 1024
_START_SECONDS = 60.0
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
"""Of the environment; it may hold passwords."""

# The child imports from where we import, so that a checkout, an editable install and a wheel all work from any folder.
_START = """
import json, runpy, sys
sys.path[:] = json.loads(sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__")
"""


class ParserDied(Exception):
    """A mail could not be parsed; the text says why. The mail is where it was before."""


class ParserUnavailable(Exception):
    """The parse worker cannot be started. No mail is at fault; the text says how it ended."""


class Parser(ABC):
    """Makes a Mail of raw octets. For one caller at a time."""

    @abstractmethod
    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied if it cannot be, by its own fault."""

    def parse_batch(self, items: Sequence[tuple[bytes, str | None]]) -> list[Mail | ParserDied]:
        """The mail of each (raw, envelope sender), in order; where one cannot be parsed, the reason in its place."""
        return [self._mail_or_reason(raw, envelope_sender) for raw, envelope_sender in items]

    @abstractmethod
    def start(self) -> None:
        """It can be asked. Raises ParserUnavailable where it cannot run at all."""

    @abstractmethod
    def close(self) -> None:
        """Nothing is held any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exit: object) -> None:
        self.close()

    def _mail_or_reason(self, raw: bytes, envelope_sender: str | None) -> Mail | ParserDied:
        try:
            return self.parse(raw, envelope_sender=envelope_sender)
        except ParserDied as reason:  # the caller still has the mail and settles it with this reason
            return reason


class InlineParser(Parser):
    """Parses in this process, without limits: for tests, the simulator and a handful of mails on the command line."""

    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied where recursion or memory ran out."""
        from intake.parse import parse  # noqa: PLC0415 - where a child parses, this process never loads the parser

        try:
            return parse(raw, envelope_sender=envelope_sender)
        except (RecursionError, MemoryError) as error:  # the caller still has the mail
            raise ParserDied(_REASONS[TOO_DEEP if isinstance(error, RecursionError) else OUT_OF_MEMORY]) from error

    def start(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing was held."""


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What one mail may cost: CPU time, time on the wall, and octets of address space of the child."""

    cpu: timedelta = timedelta(seconds=10)
    wall: timedelta = timedelta(seconds=60)
    memory: int = 1024 * 1024 * 1024


class ParserProcess(Parser):
    """Parses in a child process under limits. The child is started by the first call, or by start()."""

    def __init__(self, limits: ParserLimits = ParserLimits(), *, module: str = "intake.worker") -> None:
        self._limits = limits
        self._module = module
        self._child: _Child | None = None

    def start(self) -> None:
        """The child runs and has imported everything. Raises ParserUnavailable."""
        if self._child is not None and self._child.ended():
            self._child.kill()
            self._child = None
        if self._child is None:
            self._child = _Child(self._module, self._limits)

    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied, and ParserUnavailable where no child starts."""
        self.start()
        # Taken out while it works: a child left in the middle of a mail would give the next mail this mail's answer.
        child, self._child = self._child, None
        assert child is not None
        try:
            mail = child.parse(raw, envelope_sender)
        except BaseException:  # whatever it was, the caller still has the mail
            child.kill()
            raise
        self._child = child
        return mail

    def close(self) -> None:
        """The child has ended."""
        if self._child is not None:
            self._child.close()
            self._child = None


class _Late(Exception):
    """The child did not take or answer in time."""


class _Child:
    """One worker process with its two pipes, each waited for with a deadline."""

    def __init__(self, module: str, limits: ParserLimits) -> None:
        self._limits = limits
        try:
            self._process = _spawn(module, limits)
        except OSError as error:  # no mail was given to it yet
            raise ParserUnavailable(f"the parse worker does not start: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        try:
            self._receive(time.monotonic() + _START_SECONDS)
        except (_Late, EOFError):  # no mail was given to it yet
            raise ParserUnavailable(f"the parse worker does not start: {self._end()}") from None

    def parse(self, raw: bytes, envelope_sender: str | None) -> Mail:
        deadline = time.monotonic() + self._limits.wall.total_seconds()
        sender = json.dumps(envelope_sender).encode()
        try:
            self._send(b"".join((QUESTION.pack(len(sender), len(raw)), sender, raw)), deadline)
            return _mail(self._receive(deadline))
        except _Late:  # the caller still has the mail
            raise ParserDied(f"took longer than {self._limits.wall.total_seconds():g} s") from None
        except (BrokenPipeError, EOFError):  # the caller still has the mail
            raise ParserDied(self._end()) from None

    def ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        """Ask it to end, which it does between two mails; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # no mail is with it
            self._process.wait(5)
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _end(self) -> str:
        """How the child ended, in words. One that closed its pipe and lives on is killed."""
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:  # the caller still has the mail
            status = 0
        self.kill()
        if status == -signal.SIGPROF:
            return f"used more than {self._limits.cpu.total_seconds():g} s of CPU time"
        return _REASONS.get(status) or (
            f"killed by {_signal_name(-status)}" if status < 0 else f"ended with status {status}"
        )

    def _send(self, frame: bytes, deadline: float) -> None:
        left = memoryview(frame)
        while left:
            _wait(self._to, select.POLLOUT, deadline)
            left = left[os.write(self._to, left[:_CHUNK]) :]

    def _receive(self, deadline: float) -> bytes:
        octets = bytearray()
        self._read(octets, ANSWER.size, deadline)
        (length,) = ANSWER.unpack_from(octets)
        if length > _MOST_ANSWERED:
            raise EOFError
        self._read(octets, ANSWER.size + length, deadline)
        if len(octets) > ANSWER.size + length:
            raise EOFError
        return bytes(memoryview(octets)[ANSWER.size :])

    def _read(self, octets: bytearray, length: int, deadline: float) -> None:
        """At least so many octets are there; it says nothing unasked, so that more than the answer never come."""
        while len(octets) < length:
            _wait(self._from, select.POLLIN, deadline)
            piece = os.read(self._from, _CHUNK)
            if not piece:
                raise EOFError
            octets += piece


def _spawn(module: str, limits: ParserLimits) -> subprocess.Popen[bytes]:
    paths = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 - the strings of sys.path
    cost = [f"--memory={limits.memory}", f"--cpu-seconds={limits.cpu.total_seconds()}"]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-I", "-c", _START, paths, module, *cost],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        bufsize=0,
        start_new_session=True,
    )


def _wait(pipe: int, event: int, deadline: float) -> None:
    """The pipe can be written or read, or its other end is closed. Raises _Late."""
    poll = select.poll()
    poll.register(pipe, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise _Late


_ANSWERED: dict[tuple[str, str], type] = {
    (kind.__module__, kind.__name__): kind
    for kind in (Mail, Address, Automatic, AutomaticKind, ReportedRecipient, Attachment, datetime, timedelta, timezone)
}


class _MailUnpickler(pickle.Unpickler):
    """Builds Mail values and what they hold; any other name in the answer is refused."""

    def find_class(self, module_name: str, global_name: str, /) -> type:
        if (module_name, global_name) not in _ANSWERED:
            raise pickle.UnpicklingError(f"{module_name}.{global_name}")
        return _ANSWERED[module_name, global_name]


def _mail(answer: bytes) -> Mail:
    try:
        mail = _MailUnpickler(io.BytesIO(answer)).load()
    except Exception as error:  # a pickle can fail in any way; the caller still has the mail
        raise ParserDied("the parse worker answered with something else than a mail") from error
    if not isinstance(mail, Mail):
        raise ParserDied("the parse worker answered with something else than a mail")
    return mail


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"


_REASONS = {
    OUT_OF_MEMORY: "ran out of memory",
    TOO_DEEP: "nested too deeply",
}
