"""PostgreSQL as deskbell uses it: durable, one state per reading, back by itself, and silent about values."""

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from store import meta, schema
from store.database import Database, is_about_the_values
from store.postgres import DriverMissing, name_of
from store.schema import DatabaseUnusable, SchemaMismatch
from tests.store.cast import accept, imap, settle

LARGE = "SELECT 'k', string_agg(md5(n::text), '') FROM generate_series(1, 9999) n"
pytestmark = pytest.mark.server


def write(database, found, key="key"):
    with database.write() as connection:
        meta.write(connection, key, found)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("TimeZone", "UTC"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("synchronous_commit", "on"),
        ("application_name", "deskbell"),
    ],
)
@pytest.mark.parametrize("way", ["read", "write"])
def test_each_session_waits_ends_and_commits_as_it_should(postgres_database, way, setting, expected):
    with getattr(postgres_database, way)() as connection:
        assert connection.scalar(text(f"SHOW {setting}")) == expected


def test_a_commit_is_on_the_disk_whatever_the_server_does_by_default_and_never_less_than_asked_for(
    postgres, postgres_url
):
    name = postgres_url.rpartition("/")[2]
    found = []
    for default in ("off", "remote_apply"):
        postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = {default}")
        database = Database(postgres_url)
        with database.read() as connection:
            found.append(connection.scalar(text("SHOW synchronous_commit")))
        database.close()
    assert found == ["on", "remote_apply"]


def test_a_reading_sees_one_state_whatever_is_committed_meanwhile(postgres_database):
    write(postgres_database, "old")
    with postgres_database.read() as connection:
        assert meta.read(connection, "key") == "old"
        write(postgres_database, "new")
        assert meta.read(connection, "key") == "old"


def test_after_a_restart_of_the_server_the_next_transaction_is_served(postgres, postgres_database):
    """The sessions of before are noticed and left; what was open in one is an error, and nothing of it happened."""
    write(postgres_database, "old")

    def interrupted():
        with postgres_database.write() as connection:
            meta.write(connection, "key", "half")
            postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deskbell'")
            meta.count_up(connection, "counter", start=1)

    with pytest.raises(OperationalError) as caught:
        interrupted()
    assert not is_about_the_values(caught.value)
    with postgres_database.read() as connection:
        assert meta.read(connection, "key") == "old"
    write(postgres_database, "new")


def test_a_message_id_of_any_length_is_kept(postgres_database):
    """More than a B-tree of PostgreSQL could hold."""
    name = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(998))
    accept(postgres_database, imap())
    settle(postgres_database, 1, message_id=name)
    with postgres_database.read() as connection:
        assert connection.scalar(text("SELECT message_id FROM arrival")) == name


def test_a_nul_is_no_reason_to_refuse_a_mail(postgres_database):
    write(postgres_database, "a\0b")
    with postgres_database.read() as connection:
        assert meta.read(connection, "key") == "a\ufffdb"


def refused(database, statement):
    with pytest.raises(DBAPIError) as caught, database.write() as connection:
        connection.execute(text(statement))
    return caught.value


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO meta VALUES ('secret', NULL)", True),
        ("SELECT 'secret'::integer", True),
        (f"CREATE INDEX ix ON meta (value); INSERT INTO meta {LARGE}", True),
        ("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", False),
        ("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", False),
        ("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$", False),
        ("SELECT nothing FROM nowhere", False),
    ],
    ids=["constraint", "value", "too large", "deadlock", "serialization", "disk full", "schema"],
)
def test_only_what_is_about_the_values_is_blamed_on_them(postgres_database, statement, expected):
    assert is_about_the_values(refused(postgres_database, statement)) is expected


def test_an_error_quotes_no_row(postgres_database):
    write(postgres_database, "secret", "taken")
    error = refused(postgres_database, "INSERT INTO meta VALUES ('taken', 'secret')")
    assert "duplicate key" in str(error)
    assert "taken" not in str(error.orig)
    assert "Key (key)" not in str(error)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://u:pw@db.corp.example:5433/desk", "PostgreSQL database desk at db.corp.example:5433"),
        ("postgresql:///desk?host=/run/pg&password=pw", "PostgreSQL database desk at /run/pg"),
        ("postgresql://u:pw@db/", "PostgreSQL database u at db"),
        ("postgresql://", "PostgreSQL database of this user at this machine"),
    ],
)
def test_a_database_is_named_without_its_password(url, name):
    assert name_of(make_url(url)) == name


def test_without_a_driver_that_works_the_line_to_type_is_named(monkeypatch):
    """Psycopg alone finds no libpq on a bare machine."""

    def no_library(*_arguments, **_rest):
        raise ImportError("no pq wrapper available")

    monkeypatch.setattr("store.postgres.create_engine", no_library)
    with pytest.raises(DriverMissing, match=r"-m pip install 'psycopg\[binary\]>=3\.2'"):
        Database("postgresql://u@h/d")


def test_a_server_that_is_not_there_is_told_in_one_line_without_the_password():
    database = Database("postgresql://deskbell:pw@127.0.0.1:1/deskbell")
    with pytest.raises(DatabaseUnusable) as caught:
        schema.require(database)
    said = str(caught.value)
    assert said.startswith("PostgreSQL database deskbell at 127.0.0.1:1: connection failed")
    assert "pw" not in said
    assert "\n" not in said


def test_a_database_that_cannot_hold_every_script_is_refused(postgres):
    postgres.sql("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    database = Database(f"postgresql://postgres@127.0.0.1:{postgres.port}/ascii")
    with pytest.raises(SchemaMismatch, match="is in SQL_ASCII; accepted: one made with ENCODING 'UTF8'"):
        schema.prepare(database)
    database.close()


def test_a_user_who_may_not_make_tables_is_told_so_and_nothing_is_made(postgres):
    url = postgres.create()
    postgres.sql("CREATE ROLE guest LOGIN")
    database = Database(url.replace("postgres@", "guest@"))
    with pytest.raises(DatabaseUnusable, match="the tables cannot be made: permission denied for schema public"):
        schema.prepare(database)
    database.close()
    made = postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", url.rpartition("/")[2])
    assert made == []
