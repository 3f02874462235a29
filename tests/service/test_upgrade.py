"""An upgrade: a copy first, then all migrations or none, and never beside a daemon."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import inspect
from typer.testing import CliRunner

import cli
from service.installation import AlreadyRunning, begin, locked
from service.settings import load
from service.upgrade import NotCopied, upgrade, versions
from store import leases, revisions
from store.database import Database
from store.migrating import UpgradeFailed
from store.schema import SchemaMismatch
from tests.store.cast import accept, imap, open_request, settle

CONFIG = """
[[mailbox]]
address = "help@corp.example"
[maildir]
path = "out"
"""
NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None

def upgrade():
    {steps}
"""
NEW_TABLE = 'op.create_table("colour", sa.Column("id", sa.Integer(), nullable=False))'
MADE_ANEW = """with op.batch_alter_table("request", recreate="always") as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=True))"""
HEAD = revisions.head()


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return load(path)


@pytest.fixture
def older(settings):
    """A database with a request, an arrival that refers to it, and the schema that is now the last but one."""
    database = Database(settings.database.url)
    begin(database, settings)
    number = open_request(database)
    accept(database, imap())
    settle(database, 1, request_number=number)
    database.close()
    return settings.path.with_name("deskbell.db")


@pytest.fixture
def newer_program(tmp_path, monkeypatch):
    """The program has one more migration, which does these steps."""
    folder = tmp_path / "migrations"
    shutil.copytree(revisions.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def add(steps, revision="9001", before=HEAD):
        text = NEXT.format(steps=steps, revision=revision, before=before)
        (folder / "versions" / f"{revision}_next.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(revisions, "FOLDER", folder)

    return add


def rows(path, query):
    with closing(sqlite3.connect(path)) as witness:
        return witness.execute(query).fetchall()


def revision_of(path):
    return rows(path, "SELECT version_num FROM alembic_version")[0][0]


def silent(_done, _every):
    pass


def files(settings):
    return sorted(one.name for one in settings.path.parent.iterdir() if one.is_file())


def test_an_older_database_gets_every_migration_and_a_copy_of_what_it_was(settings, older, newer_program):
    newer_program(NEW_TABLE)
    newer_program('op.execute("INSERT INTO colour VALUES (7)")', revision="9002", before="9001")
    done = upgrade(settings, silent)
    assert (done.versions.found, done.versions.needed) == (HEAD, "9002")
    assert done.copy == older.with_name(f"deskbell.db.schema-{HEAD}")
    assert (revision_of(older), rows(older, "SELECT id FROM colour")) == ("9002", [(7,)])
    assert (revision_of(done.copy), rows(done.copy, "SELECT id FROM arrival")) == (HEAD, [(1,)])
    assert done.copy.stat().st_mode & 0o777 == 0o600
    assert not versions(settings).is_outdated


@pytest.mark.usefixtures("older")
def test_a_database_that_needs_nothing_is_left_alone_without_a_copy(settings):
    before = files(settings)
    done = upgrade(settings, silent)
    assert (done.versions.is_outdated, done.copy) == (False, None)
    assert files(settings) == sorted({*before, "deskbell.db.lock"})


def test_a_table_that_is_made_anew_takes_no_row_of_another_with_it(settings, older, newer_program):
    newer_program(MADE_ANEW)
    upgrade(settings, silent)
    assert rows(older, "SELECT number, colour FROM request") == [(1001, None)]
    assert rows(older, "SELECT request_number FROM arrival") == [(1001,)]
    assert rows(older, "PRAGMA foreign_key_check") == []


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (f"{NEW_TABLE}\n    op.execute('SELECT nonsense')", "no such column: nonsense"),
        (f"{NEW_TABLE}\n    op.execute('DELETE FROM request')", r"a row of \w+ refers to one of request"),
    ],
    ids=["a statement that fails", "a reference that leads nowhere"],
)
def test_a_migration_that_fails_leaves_the_database_as_it_was_and_no_copy(settings, older, newer_program, steps, why):
    newer_program(steps)
    before = rows(older, "SELECT name, sql FROM sqlite_master")
    with pytest.raises(UpgradeFailed, match=f"is as it was: .*{why}"):
        upgrade(settings, silent)
    assert rows(older, "SELECT name, sql FROM sqlite_master") == before
    assert rows(older, "SELECT number FROM request") == [(1001,)]
    assert revision_of(older) == HEAD
    assert not [name for name in files(settings) if "schema-" in name]


def test_no_upgrade_beside_a_daemon(settings, older, newer_program):
    newer_program(NEW_TABLE)
    with locked(settings), pytest.raises(AlreadyRunning):
        upgrade(settings, silent)
    assert revision_of(older) == HEAD


def test_a_copy_that_is_there_is_never_written_over(settings, older, newer_program):
    newer_program(NEW_TABLE)
    earlier = older.with_name(f"deskbell.db.schema-{HEAD}")
    earlier.write_text("precious")
    assert upgrade(settings, silent).copy == older.with_name(f"deskbell.db.schema-{HEAD}-2")
    assert earlier.read_text() == "precious"


def test_without_room_for_the_copy_nothing_is_upgraded(settings, older, newer_program, monkeypatch):
    newer_program(NEW_TABLE)

    def full(_database, copy, _told):
        copy.write_bytes(b"half")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("service.upgrade._copy", full)
    with pytest.raises(NotCopied, match=r"schema-\w+: no copy can be made, so nothing was changed: database or disk"):
        upgrade(settings, silent)
    assert revision_of(older) == HEAD
    assert not [name for name in files(settings) if "schema-" in name]


@pytest.mark.usefixtures("older")
def test_the_copy_tells_how_far_it_is(settings, newer_program):
    newer_program(NEW_TABLE)
    told = []
    upgrade(settings, lambda done, every: told.append((done, every)))
    assert told[-1][0] == told[-1][1] > 0


def test_a_newer_database_is_refused(settings, older):
    with closing(sqlite3.connect(older)) as hand, hand:
        hand.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match=r"has schema 9999, newer than this program's"):
        upgrade(settings, silent)
    assert not [name for name in files(settings) if "schema-" in name]


def test_where_there_is_no_database_none_is_made(settings):
    with pytest.raises(SchemaMismatch, match="there is no database yet"):
        upgrade(settings, silent)
    assert files(settings) == ["config.toml"]


def typed(settings, *words):
    done = CliRunner().invoke(cli.app, ["upgrade", "--config", str(settings.path), *words])
    return done.exit_code, done.stdout


def test_the_command_says_what_it_found_and_what_it_did(settings, older, newer_program):
    assert typed(settings, "--check") == (0, f"The database has schema {HEAD}: nothing to do.\n")
    newer_program(NEW_TABLE)
    words = f"The database has schema {HEAD}, this program needs 9001: run `deskbell upgrade`.\n"
    assert typed(settings, "--check") == (1, words)
    assert revision_of(older) == HEAD
    copy = str(older.with_name(f"deskbell.db.schema-{HEAD}"))
    code, said = typed(settings, "--json")
    assert (code, json.loads(said)) == (0, {"from": HEAD, "to": "9001", "copy": copy})
    assert typed(settings) == (0, "The database has schema 9001: nothing to do.\n")


@pytest.fixture
def shared(settings, postgres):
    """The same on PostgreSQL."""
    url = postgres.create()
    settings.path.write_text(f'{CONFIG}[database]\nurl = "{url}"\n', encoding="utf-8")
    shared = load(settings.path)
    database = Database(url)
    begin(database, shared)
    with database.write() as connection:
        leases.release(connection, holder=1)
    yield shared, database
    database.close()
    postgres.drop(url)


@pytest.mark.server
def test_postgresql_gets_every_migration_without_a_copy(shared, newer_program):
    settings, _ = shared
    newer_program(NEW_TABLE)
    done = upgrade(settings, silent)
    assert (done.versions.found, done.versions.needed, done.copy) == (HEAD, "9001", None)
    assert not versions(settings).is_outdated


@pytest.mark.server
def test_a_migration_that_fails_leaves_postgresql_as_it_was(shared, newer_program):
    settings, database = shared
    newer_program(f"{NEW_TABLE}\n    op.execute('SELECT nonsense')")
    with pytest.raises(UpgradeFailed, match='is as it was: column "nonsense" does not exist'):
        upgrade(settings, silent)
    with database.read() as connection:
        assert not inspect(connection).has_table("colour")


@pytest.mark.server
def test_postgresql_is_not_upgraded_beside_a_deskbell(shared, newer_program):
    settings, database = shared
    with database.write() as connection:
        leases.keep(connection, ["start 2"], holder=2, seconds=60)
    newer_program(NEW_TABLE)
    with pytest.raises(AlreadyRunning, match=r"a deskbell serves PostgreSQL database .*: stop it first"):
        upgrade(settings, silent)
    assert versions(settings).is_outdated
