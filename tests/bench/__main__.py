"""How fast mail is served, beside the obvious way in the same minute: rates swing with the machine, ratios less.

    python -m tests.bench --mails 400 --rounds 3

Each round both are frozen while the mails are delivered to a real Dovecot, and then served: from there to the last
receipt is the time. deskbell also writes a notification for each mail, classifies it and keeps its history.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.bench.mails import mails
from tests.servers.dovecot import PASSWORD, Dovecot, until
from tests.servers.installation import Installation, mailbox, smtp
from tests.servers.sink import Sink

PATIENCE = 300.0
"""Seconds for a round."""
TICKS = os.sysconf("SC_CLK_TCK")

Serving = Callable[[Path, Dovecot, Sink], contextlib.AbstractContextManager[int]]
"""A way to serve the inbox of help: its process is ready while the context is open."""


@dataclass(frozen=True, slots=True)
class Round:
    """One way, once: mails a second, and milliseconds of CPU for each, all its processes together."""

    rate: float
    cpu_ms: float


def main() -> None:
    """Measure both in turn and print each round and the medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pairs: list[tuple[Round, Round]] = []
    print(f"{'':10} {'mails/s':>8} {'CPU ms':>7}")
    for number in range(options.rounds):
        batch = list(mails(options.mails, seed=number))
        plain, ours = _shown("plain", _plain, batch), _shown("deskbell", _deskbell, batch)
        pairs.append((plain, ours))
    rate = statistics.median(ours.rate / plain.rate for plain, ours in pairs)
    cpu = statistics.median(ours.cpu_ms / plain.cpu_ms for plain, ours in pairs)
    print(f"deskbell serves {rate:.2f} times as many mails a second as the obvious way, at {cpu:.2f} of its CPU a mail")


def _shown(name: str, serving: Serving, batch: list[bytes]) -> Round:
    measured = _measured(serving, batch)
    print(f"{name:10} {measured.rate:8.1f} {measured.cpu_ms:7.2f}", flush=True)
    return measured


def _measured(serving: Serving, batch: list[bytes]) -> Round:
    with (
        tempfile.TemporaryDirectory() as folder,
        Dovecot() as dovecot,
        Sink() as sink,
        serving(Path(folder), dovecot, sink) as pid,
    ):
        _signal(pid, signal.SIGSTOP)
        for raw in batch:
            dovecot.deliver("help", raw)
        before, begin = _cpu_seconds(pid), monotonic()
        _signal(pid, signal.SIGCONT)
        until(lambda: _receipts(sink) >= len(batch), seconds=PATIENCE)
        seconds = monotonic() - begin
        return Round(len(batch) / seconds, (_cpu_seconds(pid) - before) * 1000 / len(batch))


def _receipts(sink: Sink) -> int:
    return sum(b"auto-replied" in taken.content for taken in list(sink.taken))


@contextlib.contextmanager
def _deskbell(folder: Path, dovecot: Dovecot, sink: Sink) -> Iterator[int]:
    config = mailbox("help@corp.example", dovecot, user="help") + smtp(sink.port) + "[limits]\nenabled = false\n"
    with Installation(folder, 'own_domains = ["corp.example"]\n' + config) as desk:
        desk.start()
        yield desk.pid


@contextlib.contextmanager
def _plain(folder: Path, dovecot: Dovecot, sink: Sink) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.bench.plain", str(dovecot.imap), "help", PASSWORD, str(sink.port)]
    with subprocess.Popen([*command, str(folder / "plain.db")], stderr=subprocess.PIPE) as process:
        process.stderr.readline()
        yield process.pid
        process.kill()


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _signal(pid: int, number: signal.Signals) -> None:
    for one in _family(pid):
        os.kill(one, number)


def _cpu_seconds(pid: int) -> float:
    """User and system time so far, of all its processes (proc(5), stat, fields 14 and 15)."""
    fields = (Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for one in _family(pid))
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


if __name__ == "__main__":
    main()
