"""One parse worker as a child process: asked over two pipes, each waited for with a deadline.

Its answer is read as a pickle of nothing but Mail values. Several mails may be asked about at once: then neither side
wakes the other for each of them.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from desk.mail import Address, Attachment, Automatic, AutomaticKind, Mail, ReportedRecipient
from intake.worker import ANSWER, OUT_OF_MEMORY, QUESTION, TOO_DEEP

Item = tuple[bytes, str | None]
"""The octets of a mail and its envelope sender."""

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


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What one mail may cost: CPU time, time on the wall, and octets of address space of the child."""

    cpu: timedelta = timedelta(seconds=10)
    wall: timedelta = timedelta(seconds=60)
    memory: int = 1024 * 1024 * 1024


USUAL_LIMITS = ParserLimits()


class _Late(Exception):
    """The child did not take or answer in time."""


class Child:
    """One worker process with its two pipes."""

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
            next(self._answers(memoryview(b""), 1, _START_SECONDS))
        except (_Late, EOFError):  # no mail was given to it yet
            raise ParserUnavailable(f"the parse worker does not start: {self._end()}") from None

    def parse(self, items: Sequence[Item]) -> list[Mail]:
        """The mail of each, in order. Raises ParserDied where one did harm; then it is of no use any more."""
        seconds = self._limits.wall.total_seconds()
        try:
            answers = list(self._answers(memoryview(b"".join(map(_question, items))), len(items), seconds))
        except _Late:  # the caller still has the mails
            raise ParserDied(f"took longer than {seconds:g} s") from None
        except (BrokenPipeError, EOFError):  # the caller still has the mails
            raise ParserDied(self._end()) from None
        return [mail_of(answer) for answer in answers]

    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Ask it to end, which it does between two mails; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # no mail is with it
            self._process.wait(5)
        self.kill()

    def kill(self) -> None:
        """The process is no more."""
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
        return REASONS.get(status) or (
            f"killed by {_signal_name(-status)}" if status < 0 else f"ended with status {status}"
        )

    def _answers(self, questions: memoryview, count: int, seconds: float) -> Iterator[bytes]:
        """So many answers to the questions, each within that time. Raises _Late, BrokenPipeError, EOFError."""
        octets = bytearray()
        for _ in range(count):
            deadline = time.monotonic() + seconds
            while (answer := _taken(octets)) is None:
                questions = self._exchange(questions, octets, deadline)
            yield answer
        if octets:  # it says nothing unasked
            raise EOFError

    def _exchange(self, questions: memoryview, octets: bytearray, deadline: float) -> memoryview:
        """Some octets have passed, whichever way was free: one that waits to be heard takes no question."""
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        if questions:
            poll.register(self._to, select.POLLOUT)
        left = deadline - time.monotonic()
        ready = [pipe for pipe, _ in poll.poll(left * 1000)] if left > 0 else []
        if not ready:
            raise _Late
        if self._from not in ready:
            return questions[os.write(self._to, questions[:_CHUNK]) :]
        piece = os.read(self._from, _CHUNK)
        if not piece:
            raise EOFError
        octets += piece
        return questions


def _question(item: Item) -> bytes:
    raw, envelope_sender = item
    sender = json.dumps(envelope_sender).encode()
    return b"".join((QUESTION.pack(len(sender), len(raw)), sender, raw))


def _taken(octets: bytearray) -> bytes | None:
    """The first answer, which is no longer among the octets; None while it is not there whole. Raises EOFError."""
    if len(octets) < ANSWER.size:
        return None
    (length,) = ANSWER.unpack_from(octets)
    if length > _MOST_ANSWERED:
        raise EOFError
    end = ANSWER.size + length
    if len(octets) < end:
        return None
    answer = bytes(memoryview(octets)[ANSWER.size : end])
    del octets[:end]
    return answer


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


def mail_of(answer: bytes) -> Mail:
    """The mail that was answered. Raises ParserDied where it is something else."""
    try:
        mail = _MailUnpickler(io.BytesIO(answer)).load()
    except Exception as error:  # a pickle can fail in any way; the caller still has the mail
        raise ParserDied("the parse worker answered with something else than a mail") from error
    if not isinstance(mail, Mail):
        raise ParserDied("the parse worker answered with something else than a mail")
    return mail


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"


REASONS = {
    OUT_OF_MEMORY: "ran out of memory",
    TOO_DEEP: "nested too deeply",
}
