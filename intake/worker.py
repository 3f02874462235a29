"""The parse worker: a process of its own that turns hostile octets into Mail values and may die of it.

Spoken over stdin and stdout, one answer for each question, in order; all lengths are 4 octets, big-endian:

    worker, once:   0                               (ready: everything is imported)
    question:       length of JSON, length of mail, JSON (the envelope sender: string or null), mail
    answer:         length, pickled desk.mail.Mail

It ends when stdin ends. A mail that costs too much ends it sooner: CPU seconds by SIGPROF, whose default action is to
kill, memory by RLIMIT_AS. The mail is then still with whoever asked, who reads the reason from the exit.
"""

import argparse
import gc
import io
import json
import os
import pickle
import resource
import select
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, NoReturn

from desk.mail import AutomaticKind, Mail

QUESTION = struct.Struct("!II")
ANSWER = struct.Struct("!I")
OUT_OF_MEMORY = 70
TOO_DEEP = 71

_CHUNK = 64 * 1024
_KEPT_OCTETS = 256 * 1024
_KEPT_SECONDS = 0.1
"""Answers are given together while further questions wait: up to so many octets, for so long."""

Parse = Callable[..., Mail]


def main(parse: Parse) -> None:
    """Answer until stdin ends. parse is called as intake.parse.parse is: raw, envelope_sender=."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--memory", type=int, required=True, help="octets of address space")
    arguments.add_argument("--cpu-seconds", type=float, required=True, help="of CPU time for one mail")
    limits = arguments.parse_args()
    sys.excepthook = _tell_where
    _live_as_long_as_stdin()
    answers = _own_stdout()
    _bound(resource.RLIMIT_AS, limits.memory)
    # A core file would hold the mail.
    _bound(resource.RLIMIT_CORE, 0)
    _collect_seldom()
    answers.write(ANSWER.pack(0))
    answers.flush()
    questions, flushed = Questions(sys.stdin.fileno()), monotonic()
    while question := questions.next():
        answer = _answer(parse, question, limits.cpu_seconds)
        answers.write(ANSWER.pack(len(answer)) + answer)
        if monotonic() - flushed > _KEPT_SECONDS or not questions.is_waiting():
            answers.flush()
            flushed = monotonic()


def _live_as_long_as_stdin() -> None:
    """A stop signal for the whole group must not look like the death of the mail that is being parsed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def _own_stdout() -> BinaryIO:
    """The way to the asker; from now on whatever prints to stdout reaches stderr instead."""
    answers = os.fdopen(os.dup(1), "wb", buffering=_KEPT_OCTETS)
    os.dup2(2, 1)
    return answers


def _collect_seldom() -> None:
    """What is loaded by now stays, and a mail leaves few cycles behind: looking for them takes a tenth of its time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _bound(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (allowed, allowed))


class Questions:
    """What is asked on a pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._octets = bytearray()

    def next(self) -> tuple[bytes, str | None] | None:
        """The next mail and its envelope sender; None where the asker is gone, even in the middle of a question."""
        head = self._read(QUESTION.size)
        if len(head) < QUESTION.size:
            return None
        sender_length, raw_length = QUESTION.unpack(head)
        sender, raw = self._read(sender_length), self._read(raw_length)
        return (raw, json.loads(sender)) if len(raw) == raw_length else None

    def is_waiting(self) -> bool:
        """Whether some of the next one is there."""
        return bool(self._octets) or bool(select.select([self._pipe], [], [], 0)[0])

    def _read(self, length: int) -> bytes:
        """So many octets, or fewer where the asker is gone."""
        while len(self._octets) < length and (piece := os.read(self._pipe, _CHUNK)):
            self._octets += piece
        read = bytes(memoryview(self._octets)[:length])
        del self._octets[:length]
        return read


def _answer(parse: Parse, question: tuple[bytes, str | None], cpu_seconds: float) -> bytes:
    raw, envelope_sender = question
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return _pickled(parse(raw, envelope_sender=envelope_sender))
    except MemoryError:  # the asker still has the mail; nothing that is left here can be relied on
        _leave(OUT_OF_MEMORY)
    except RecursionError:  # the asker still has the mail
        _leave(TOO_DEEP)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _pickled(mail: Mail) -> bytes:
    answer = io.BytesIO()
    pickler = pickle.Pickler(answer, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCED
    pickler.dump(mail)
    return answer.getvalue()


def _by_value(kind: AutomaticKind) -> tuple[type[AutomaticKind], tuple[str]]:
    return AutomaticKind, (kind.value,)


_REDUCED: Mapping[type, Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]] = {AutomaticKind: _by_value}
"""Python 3.11.2, as Debian 12 has it, would else write a member as a call of getattr, which the asker refuses."""


def _leave(status: int) -> NoReturn:
    os._exit(status)


def _tell_where(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """Say on stderr where it broke, without the message: it may quote the mail."""
    for frame in traceback.extract_tb(trace):
        sys.stderr.write(f"parse worker: {frame.filename}:{frame.lineno} in {frame.name}\n")
    sys.stderr.write(f"parse worker: {kind.__name__}\n")


if __name__ == "__main__":
    from intake.parse import parse as parse_mail

    main(parse_mail)
