"""What is loaded to answer: a command lives for less time than a large library takes to load, a daemon for months."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.installation import begin
from service.settings import load
from store.database import Database

ROOT = Path(__file__).parents[1]
CONFIG = '[[mailbox]]\naddress = "help@corp.example"\n[maildir]\npath = "out"\n'
MIGRATING = {"alembic", "mako"}
PRINTING = {"rich"}
WRITING = {"babel", "jinja2"}
MAIL = {"aiosmtpd", "chardet", "imapclient", "selectolax"}
NOT_FOR_READING = MIGRATING | PRINTING | WRITING | MAIL | {"holidays", "sqlalchemy.dialects.postgresql"}
ANSWERS = """
import sys
from typer.testing import CliRunner
import cli
done = CliRunner().invoke(cli.app, sys.argv[1:], input=b"Subject: printer\\n\\nIt smokes.\\n")
print(done.exit_code, *sys.modules)
"""
DAEMON = """
import sys
import cli
from service.daemon import Daemon
Daemon.run = lambda _daemon, ready: ready()
sys.argv = ["deskbell", *sys.argv[1:]]
try:
    cli.main()
finally:
    print(0, *sys.modules)
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a configuration with a database that was used before."""
    path = tmp_path_factory.mktemp("startup") / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    settings = load(path)
    database = Database(settings.database.url)
    begin(database, settings)
    database.close()
    return str(path)


def loaded(program: str, *words: str) -> tuple[str, set[str]]:
    """The exit code that the program told, and what it had loaded by then."""
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    code, *modules = done.stdout.splitlines()[-1].split()
    return code, set(modules)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ledger", "list", "--json"], "0"),
        (["requests", "list", "--json"], "0"),
        (["outbox", "list", "--json"], "0"),
        (["mode", "--json"], "0"),
        (["health", "--json"], "1"),
        (["deliver", "--mailbox", "help@corp.example"], "0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_nothing_that_makes_schemas_tables_or_mails(config: str, words: list[str], code: str):
    """Health finds no daemon here, and says so."""
    found, modules = loaded(ANSWERS, *words, "--config", config)
    assert found == code
    assert "sqlalchemy.dialects.sqlite" in modules
    assert not modules & NOT_FOR_READING


def test_a_daemon_that_starts_again_has_loaded_neither_migrations_nor_tables(config: str):
    """What it loads it keeps in memory for as long as it runs."""
    _, modules = loaded(DAEMON, "run", "--config", config)
    assert "aiosmtpd" in modules
    assert not modules & (MIGRATING | PRINTING | {"sqlalchemy.dialects.postgresql", "holidays"})
