"""Transactions: durable settings, one lock at the beginning, all or nothing, even for a process that is killed."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from store import meta
from store.database import Database, TransactionLost, insert_new
from store.tables import metadata, participant, raw
from tests.store.cast import open_request

ROOT = Path(__file__).parents[2]
DEADLINE = 30


class Stop(BaseException):
    """Not even an Exception."""


def value(database, key="key"):
    with database.read() as connection:
        return meta.read(connection, key)


def write(database, found, key="key"):
    with database.write() as connection:
        meta.write(connection, key, found)


def may_write(database):
    """Whether somebody else could begin to write now."""
    other = sqlite3.connect(database.engine.url.database, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
@pytest.mark.parametrize("way", ["read", "write"])
def test_each_connection_survives_power_cuts_keeps_references_and_waits(sqlite, way, pragma, expected):
    with getattr(sqlite, way)() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == expected


def test_a_write_transaction_holds_the_lock_before_its_first_statement(sqlite):
    with sqlite.write():
        assert not may_write(sqlite)
    assert may_write(sqlite)


def test_who_reads_keeps_nobody_from_writing(sqlite):
    with sqlite.read() as connection:
        meta.read(connection, "key")
        assert may_write(sqlite)


def test_what_is_written_is_there_for_the_next_transaction(database):
    write(database, "new")
    assert value(database) == "new"


def test_a_read_sees_one_state_whatever_is_committed_meanwhile(sqlite):
    write(sqlite, "old")
    with sqlite.read() as connection:
        assert meta.read(connection, "key") == "old"
        write(sqlite, "new")
        assert meta.read(connection, "key") == "old"
    assert value(sqlite) == "new"


def test_nobody_sees_what_is_not_committed(sqlite):
    write(sqlite, "old")
    with sqlite.write() as connection:
        meta.write(connection, "key", "new")
        assert value(sqlite) == "old"


def test_a_read_changes_nothing(database):
    write(database, "old")
    with database.read() as connection:
        meta.write(connection, "key", "new")
    assert value(database) == "old"


def interrupted(database, stop):
    with database.write() as connection:
        meta.write(connection, "first", "new")
        meta.write(connection, "key", "new")
        raise stop


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, Stop])
def test_any_exception_rolls_back_everything(database, stop):
    write(database, "old")
    with pytest.raises(stop):
        interrupted(database, stop)
    assert (value(database), value(database, "first")) == ("old", None)
    write(database, "newer")
    assert value(database) == "newer"


@pytest.fixture
def kept(database):
    """A connection that one thread keeps for writing."""
    kept = database.write_connection()
    yield kept
    kept.close()


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, Stop])
def test_on_a_kept_connection_each_transaction_is_all_or_nothing_and_the_next_one_begins_anew(database, kept, stop):
    def interrupted():
        with kept.transaction() as connection:
            meta.write(connection, "first", "new")
            raise stop

    with kept.transaction() as connection:
        meta.write(connection, "key", "old")
    with pytest.raises(stop):
        interrupted()
    with kept.transaction() as connection:
        meta.write(connection, "key", "newer")
    assert (value(database), value(database, "first")) == ("newer", None)


def test_a_kept_connection_keeps_nobody_from_writing_between_its_transactions(sqlite):
    kept = sqlite.write_connection()
    with kept.transaction():
        assert not may_write(sqlite)
    assert may_write(sqlite)
    kept.close()


def test_a_kept_connection_whose_transaction_cannot_begin_is_told_so_in_sqlalchemys_words(sqlite):
    kept = sqlite.write_connection()
    with kept.transaction() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    with sqlite.write(), pytest.raises(OperationalError, match="locked"), kept.transaction():
        pass
    with kept.transaction() as connection:
        meta.write(connection, "key", "new")
    kept.close()
    assert value(sqlite) == "new"


def test_a_table_that_was_made_is_rolled_back_too(empty):
    def halfway():
        with empty.write() as connection:
            connection.execute(text("CREATE TABLE half (id INTEGER)"))
            connection.execute(text("INSERT INTO half VALUES (1)"))
            raise Stop

    with pytest.raises(Stop):
        halfway()
    with empty.read() as connection:
        assert connection.dialect.get_table_names(connection) == []


def given_up(database):
    """SQLite ends a transaction by itself on a full disk or an I/O error."""
    with database.write() as connection:
        meta.write(connection, "key", "new")
        connection.exec_driver_sql("ROLLBACK")


def test_a_transaction_that_sqlite_gave_up_is_not_taken_for_committed(sqlite):
    with pytest.raises(TransactionLost, match="disk full"):
        given_up(sqlite)
    assert value(sqlite) is None


def filled(database, *, pages=20):
    """Write until the file may not grow any more, and go on as if nothing had happened."""
    with database.write() as connection:
        meta.write(connection, "key", "new")
        count = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={count + pages}")
        with pytest.raises(OperationalError, match="full"):
            meta.write(connection, "large", "x" * 4096 * pages * 10)


def test_where_the_disk_is_full_nothing_is_reported_as_written(sqlite):
    with pytest.raises(TransactionLost):
        filled(sqlite)
    assert value(sqlite) is None


def test_a_row_that_refers_to_nothing_is_refused(database):
    row = {"request_number": 1001, "address": "anna@corp.example", "name": ""}
    with pytest.raises(IntegrityError), database.write() as connection:
        insert_new(connection, participant, [row])


def test_only_rows_whose_key_is_new_are_inserted(database):
    rows = [{"digest": digest, "size": size, "content": b""} for digest, size in (("a", 1), ("b", 2), ("a", 3))]
    with database.write() as connection:
        insert_new(connection, raw, rows)
        insert_new(connection, raw, [rows[0] | {"size": 9}, {"digest": "c", "size": 4, "content": b""}])
        found = connection.execute(raw.select().order_by(raw.c.digest)).all()
    assert [(row.digest, row.size) for row in found] == [("a", 1), ("b", 2), ("c", 4)]


def test_no_rows_are_no_statement(database):
    with database.write() as connection:
        insert_new(connection, raw, [])
        assert connection.execute(raw.select()).all() == []


def test_a_missing_value_is_an_error_and_never_a_row_left_out(database):
    with pytest.raises(IntegrityError), database.write() as connection:
        insert_new(connection, raw, [{"digest": "a", "size": None, "content": b""}])


def test_an_error_shows_none_of_the_values(database):
    number = open_request(database)
    row = {"request_number": number, "address": "secret@corp.example", "name": None}
    with pytest.raises(IntegrityError) as caught, database.write() as connection:
        connection.execute(participant.insert(), [row])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_the_same_one_for_every_transaction_and_thread(url):
    database = Database(url)
    with database.write() as connection:
        metadata.create_all(connection)
    thread = threading.Thread(target=write, args=(database, "new"))
    thread.start()
    thread.join(DEADLINE)
    assert value(database) == "new"
    database.close()


def test_a_second_writer_waits_for_the_first_and_overwrites_nothing(sqlite):
    other, begun, counted = Database(str(sqlite.engine.url)), threading.Event(), []

    def count():
        begun.set()
        with other.write() as connection:
            counted.append(meta.count_up(connection, "counter", start=1))

    thread = threading.Thread(target=count)
    with sqlite.write() as connection:
        thread.start()
        assert begun.wait(DEADLINE)
        assert meta.count_up(connection, "counter", start=1) == 1
    thread.join(DEADLINE)
    other.close()
    assert counted == [2]


WRITES = """
import sys
from store import meta
from store.database import Database

def wait(word):
    print(word, flush=True)
    sys.stdin.read()

with Database(sys.argv[1]).write() as connection:
    meta.write(connection, "key", "new")
    meta.write(connection, "large", "x" * 10_000_000)
    if sys.argv[2] == "before":
        wait("written")
wait("committed")
"""


def killed(database, *, when, word):
    """A process writes, and is killed by SIGKILL once it has said the word."""
    command = [sys.executable, "-c", WRITES, str(database.engine.url), when]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == word
        process.kill()
        assert process.wait(DEADLINE) == -9


def test_a_process_killed_before_its_commit_leaves_the_old_state(sqlite):
    write(sqlite, "old")
    killed(sqlite, when="before", word="written")
    assert (value(sqlite), value(sqlite, "large")) == ("old", None)
    write(sqlite, "newer")
    assert value(sqlite) == "newer"


def test_a_process_killed_after_its_commit_leaves_the_new_state(sqlite):
    write(sqlite, "old")
    killed(sqlite, when="after", word="committed")
    assert value(sqlite) == "new"
    assert len(value(sqlite, "large")) == 10_000_000
