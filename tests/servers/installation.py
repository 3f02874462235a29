"""deskbell as somebody runs it: a folder with config.toml, the real command, and signals.

    with Installation(tmp_path, mailbox("help@corp.example", dovecot) + smtp(sink.port)) as desk:
        desk.start()
        ...
        assert desk.deskbell("requests", "list").returncode == 0

What the database holds is also read by the standard library (`rows`), as an independent witness.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.dovecot import PASSWORD, Dovecot, until

COMMAND = Path(sys.executable).with_name("deskbell")
PATIENCE = 20.0
"""Seconds for whatever takes milliseconds on an idle machine."""
STOP_SECONDS = 10.0
"""Within this a daemon has ended after SIGTERM."""


def deskbell(
    *arguments: str, environ: Mapping[str, str] | None = None, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command has ended; its output as text. Of the environment it gets PATH, TZ=UTC and what is given."""
    done = subprocess.run(
        [str(COMMAND), *arguments], input=stdin, capture_output=True, check=False, env=_environ(environ), cwd=cwd
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def _environ(more: Mapping[str, str] | None) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC", **(more or {})}


def mailbox(
    address: str,
    dovecot: Dovecot | None = None,
    *,
    user: str = "",
    tls: str = "none",
    password: str = PASSWORD,
    department: str = "it",
) -> str:
    """A [[mailbox]] of config.toml: served by that Dovecot under the user, or by a door alone."""
    table = f'[[mailbox]]\naddress = "{address}"\ndepartment = "{department}"\n'
    if dovecot is None:
        return table
    port = dovecot.imaps if tls == "tls" else dovecot.imap
    trusted = "" if tls == "none" else f'ca_file = "{dovecot.ca_file}"\n'
    account = f'host = "127.0.0.1"\nport = {port}\ntls = "{tls}"\nuser = "{user or address}"\npassword = "{password}"\n'
    return f"{table}[mailbox.imap]\n{account}{trusted}"


def smtp(port: int) -> str:
    """The [smtp] of config.toml for a relay on this machine."""
    return f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'


UNLIMITED = """[limits]
own_receipts_per_hour = 1000
own_receipts_per_day = 1000
same_words_receipts_per_day = 1000
circuit_receipts_per_10_minutes = 2000
"""
"""For a config.toml under which one person of ours writes the same words all day."""


def free_port() -> int:
    """A port nobody listens on now."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Installation:
    """One config.toml with its database, key and daemon, as a context manager: nothing runs afterwards."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.database = folder / "deskbell.db"
        self._stderr = folder / "stderr"
        self._daemon: subprocess.Popen[bytes] | None = None
        self.write(config)

    def write(self, config: str) -> None:
        """The configuration is that text, readable by its owner alone."""
        self.config.touch(mode=0o600)
        self.config.write_text(config, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._daemon is not None:
            self.kill()

    def deskbell(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        """The command has ended; it found its configuration by DESKBELL_CONFIG."""
        return deskbell(*arguments, environ={"DESKBELL_CONFIG": str(self.config)}, stdin=stdin)

    def json(self, *arguments: str) -> Any:
        """What the command says with --json; it succeeded and said nothing else."""
        done = self.deskbell(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done
        return json.loads(done.stdout)

    def launch(self, *options: str, environ: Mapping[str, str] | None = None) -> None:
        """`deskbell run` was started; it need not be ready."""
        assert self._daemon is None
        with self._stderr.open("wb") as stderr:
            self._daemon = subprocess.Popen(
                [str(COMMAND), "run", "--config", str(self.config), *options], stderr=stderr, env=_environ(environ)
            )

    def start(self) -> None:
        """`deskbell run` has said that it is ready."""
        self.launch()
        self.wait_for("\nready\n")

    def wait_for(self, words: str, *, seconds: float = PATIENCE) -> None:
        """The running daemon has said these words on stderr since it was started."""

        def said() -> bool:
            assert self._daemon is not None
            assert self._daemon.poll() is None, self.said
            return words in f"\n{self.said}"

        until(said, seconds=seconds)

    @property
    def said(self) -> str:
        """The daemon's stderr since it was started."""
        return self._stderr.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """The daemon's, which must have been started."""
        assert self._daemon is not None
        return self._daemon.pid

    def stop(self) -> int:
        """The exit status after SIGTERM; it came within STOP_SECONDS."""
        return self._ended(signal.SIGTERM)

    def kill(self) -> None:
        """The daemon was killed where it stood (kill -9)."""
        self._ended(signal.SIGKILL)

    def _ended(self, number: signal.Signals) -> int:
        assert self._daemon is not None
        daemon, self._daemon = self._daemon, None
        daemon.send_signal(number)
        try:
            return daemon.wait(STOP_SECONDS)
        finally:
            daemon.kill()
            daemon.wait()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, read by the standard library."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as witness:
            return witness.execute(query, values).fetchall()

    def popen(self, *arguments: str, stderr: Any = None) -> "subprocess.Popen[bytes]":
        """The command was started; its stdin is a pipe."""
        environ = _environ({"DESKBELL_CONFIG": str(self.config)})
        return subprocess.Popen([str(COMMAND), *arguments], stdin=subprocess.PIPE, stderr=stderr, env=environ)

    def change(self, statement: str, *values: object) -> None:
        """The database holds something else now, written by the standard library beside the daemon."""
        with closing(sqlite3.connect(self.database, timeout=10)) as hand, hand:
            hand.execute(statement, values)

    def bytes_of(self, *arguments: str) -> bytes:
        """What the command wrote to stdout, octet by octet; it succeeded."""
        environ = _environ({"DESKBELL_CONFIG": str(self.config)})
        return subprocess.run([str(COMMAND), *arguments], capture_output=True, check=True, env=environ).stdout

    def settled(self, message_id: str, *, times: int = 1) -> list[dict[str, Any]]:
        """The ledger's rows of that mail, oldest first, once there are so many with a fate."""
        names = ("id", "mailbox", "fate", "reason", "receipt", "request_number", "attempts")
        query = f"SELECT {', '.join(names)} FROM arrival WHERE message_id = ? AND fate != 'received' ORDER BY id"
        until(lambda: len(self.rows(query, message_id)) >= times, seconds=PATIENCE)
        return [dict(zip(names, row, strict=True)) for row in self.rows(query, message_id)]

    def wait_until_quiet(self, arrivals: int = 0, *, seconds: float = PATIENCE) -> None:
        """The ledger has at least so many arrivals, each has its fate, and no mail is owed to anybody."""

        def quiet() -> bool:
            # In the order in which a mail goes on: the other way round one that comes meanwhile would be overlooked.
            everything = self.rows("SELECT count(*) FROM arrival")[0][0]
            unsettled = self.rows("SELECT count(*) FROM arrival WHERE fate = 'received'")[0][0]
            owed = self.rows("SELECT count(*) FROM outbox WHERE settled IS NULL")[0][0]
            return everything >= arrivals and not unsettled and not owed

        until(quiet, seconds=seconds)
