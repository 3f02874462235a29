"""A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a free port of 127.0.0.1.

    with Postgres() as server:
        url = server.create()          # an empty database
        url = server.create(prepared)  # a copy of that one

PostgreSQL refuses to run as root: then it runs as the system's `postgres` user. Nobody's password is asked.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.servers.dovecot import until
from tests.servers.installation import free_port

NOT_RUN = "not run: PostgreSQL is not installed (apt-get install postgresql)"
USER = "postgres"
_END_THE_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()
"""
_SHAPE = """
SELECT 'column', relname, relkind, attname, atttypid, attnum, attnotnull
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgname, tgenabled, null, null, null, null FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, null, null, null, null, null
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'setting', unnest(setconfig), null, null, null, null, null
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = current_database()
UNION ALL SELECT 'revision', version_num, null, null, null, null, null
    FROM alembic_version
ORDER BY 1, 2, 4
"""


def _programs() -> Path | None:
    """Debian keeps each version in a folder of its own: the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def why_not() -> str | None:
    """Why no PostgreSQL can run here, in a sentence for a skipped test; None where one can."""
    return NOT_RUN if _programs() is None else None


class Postgres:
    """A running server as a context manager."""

    def __init__(self) -> None:
        programs = _programs()
        assert programs is not None
        self._programs = programs
        self.root = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            os.chown(self.root, pwd.getpwnam(USER).pw_uid, -1)
        self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale", "C.UTF-8")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """The server answers."""
        # No fsync: these tests kill programs, not the machine.
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.root,
            "fsync": "off",
            "max_connections": 200,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", "data", *options],
                cwd=self.root,
                stdout=log,
                stderr=log,
                **_identity(),
            )
        until(self._answers, seconds=30)

    def stop(self) -> None:
        """The server has ended every session, and then itself."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """The server is gone at once, and has to recover at its next start."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def create(self, template: str = "template0") -> str:
        """The URL of a new database, a copy of the template (a URL or name)."""
        name = f"deskbell{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('/')[2]} STRATEGY file_copy")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """The database is gone, whoever is connected to it."""
        self.sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def shape(self, url: str) -> list[tuple[object, ...]]:
        """All that a test could leave in the database besides rows, and its revision."""
        with psycopg.connect(url, autocommit=True) as hand:
            return hand.execute(_SHAPE).fetchall()

    def emptied(self, url: str, shape: list[tuple[object, ...]]) -> bool:
        """Whether the database has that shape still; then nobody is connected and no table but Alembic's has a row."""
        with psycopg.connect(url, autocommit=True) as hand:
            hand.execute(_END_THE_OTHERS)
            if hand.execute(_SHAPE).fetchall() != shape:
                return False
            tables = hand.execute("SELECT relname FROM pg_stat_user_tables WHERE relname != 'alembic_version'")
            hand.execute(f"TRUNCATE {', '.join(table for (table,) in tables)} RESTART IDENTITY".encode())
            return True

    def sql(self, statement: str, database: str = USER) -> list[tuple[str, ...]]:
        """What psql answers, as text."""
        place = ("-h", str(self.root), "-p", str(self.port), "-U", USER, "-d", database)
        said = self._run("psql", *place, "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement)
        return [tuple(line.split("|")) for line in said.splitlines()]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.root / "log").read_text(errors="replace")
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            **_identity(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _identity() -> dict[str, object]:
    """Whom the server runs as, for subprocess."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
