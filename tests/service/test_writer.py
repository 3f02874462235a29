"""The one writer: work of many threads in few commits, results after COMMIT, and an answer for everybody."""

import threading
from concurrent.futures import CancelledError, wait
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import IntegrityError

from service import writer as module
from service.writer import GROUP, Writer, WriterStopped
from store import meta, schema
from store.database import Database, insert_new
from store.tables import participant

DEADLINE = 30


class Port:
    """A database that counts its commits, and fails or waits at BEGIN or COMMIT where it is told so."""

    def __init__(self, database):
        self._connection = database.write_connection()
        self.commits = 0
        self.begin_fails = self.commit_fails = False
        self.may_commit = threading.Event()
        self.may_commit.set()
        self.at_commit = threading.Event()

    def write_connection(self):
        return self

    def close(self):
        self._connection.close()

    @contextmanager
    def transaction(self):
        if self.begin_fails:
            raise OSError("database is locked")
        with self._connection.transaction() as connection:
            yield connection
            self.at_commit.set()
            assert self.may_commit.wait(DEADLINE)
            if self.commit_fails:
                raise OSError("disk is gone")
        self.commits += 1


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'deskbell.db'}")
    schema.prepare(database)
    yield database
    database.close()


@pytest.fixture
def port(database):
    return Port(database)


@pytest.fixture
def writer(port, monkeypatch):
    """A writer whose groups are closed by their size alone, however slow the machine is."""
    monkeypatch.setattr(module, "GROUP_SECONDS", 3600)
    writer = Writer(port)
    yield writer
    port.may_commit.set()
    writer.stop()


def puts(key, value="new"):
    return lambda connection: meta.write(connection, key, value)


def value(database, key="key"):
    with database.read() as connection:
        return meta.read(connection, key)


@contextmanager
def held(writer):
    """The writer is inside a transaction for the length of the block; what is submitted meanwhile joins its group."""
    entered, leave = threading.Event(), threading.Event()

    def work(_connection):
        entered.set()
        assert leave.wait(DEADLINE)

    first = writer.submit(work)
    assert entered.wait(DEADLINE)
    yield
    leave.set()
    first.exception(DEADLINE)


def fails(connection):
    meta.write(connection, "failed", "new")
    raise ValueError("of my own")


def test_the_result_of_the_work_is_given_after_its_commit(writer, database):
    assert writer.run(lambda connection: meta.count_up(connection, "counter", start=7)) == 7
    assert value(database, "counter") == "7"


def test_nobody_is_told_before_the_commit(writer, port):
    port.may_commit.clear()
    future = writer.submit(puts("key"))
    assert port.at_commit.wait(DEADLINE)
    assert not future.done()
    port.may_commit.set()
    assert future.result(DEADLINE) is None


def test_work_that_waits_shares_one_commit(writer, port, database):
    with held(writer):
        futures = [writer.submit(puts(str(number))) for number in range(10)]
    wait(futures, DEADLINE)
    assert port.commits == 1
    assert [value(database, str(number)) for number in range(10)] == ["new"] * 10


def test_a_group_has_a_largest_size(writer, port):
    with held(writer):
        futures = [writer.submit(puts(str(number))) for number in range(GROUP)]
    wait(futures, DEADLINE)
    assert port.commits == 2


def test_a_group_that_took_its_time_takes_no_more(writer, port, monkeypatch):
    monkeypatch.setattr(module, "GROUP_SECONDS", 0)
    with held(writer):
        futures = [writer.submit(puts(str(number))) for number in range(3)]
    wait(futures, DEADLINE)
    assert port.commits == 4


def test_work_is_done_in_the_order_it_was_submitted(writer):
    done = []
    with held(writer):
        futures = [writer.submit(lambda _connection, number=number: done.append(number)) for number in range(20)]
    wait(futures, DEADLINE)
    assert done == list(range(20))


def test_work_that_fails_hears_its_own_error_and_harms_no_other(writer, port, database):
    with held(writer):
        futures = [writer.submit(work) for work in (puts("before"), fails, puts("after"))]
    with pytest.raises(ValueError, match="of my own"):
        futures[1].result(DEADLINE)
    assert futures[2].result(DEADLINE) is None
    assert [value(database, key) for key in ("before", "failed", "after")] == ["new", None, "new"]
    assert port.commits == 3  # the one that held the writer, and both others alone


def test_a_piece_of_a_failed_group_is_done_again_from_the_beginning(writer, database):
    """What it did in the group is rolled back with it, so that nothing counts twice."""
    counts = lambda connection: meta.count_up(connection, "counter", start=1)  # noqa: E731
    with held(writer):
        futures = [writer.submit(work) for work in (counts, counts, fails, counts)]
    assert [future.result(DEADLINE) for future in (futures[0], futures[1], futures[3])] == [1, 2, 3]
    assert value(database, "counter") == "3"


def test_work_that_the_database_refuses_harms_no_other(writer, database):
    row = {"request_number": 999, "address": "a@b.example", "name": ""}
    with held(writer):
        futures = [writer.submit(lambda one: insert_new(one, participant, [row])), writer.submit(puts("key"))]
    assert isinstance(futures[0].exception(DEADLINE), IntegrityError)
    assert futures[1].exception(DEADLINE) is None
    assert value(database) == "new"


def test_where_the_commit_fails_everybody_in_the_group_fails_and_nothing_happened(writer, port, database):
    with held(writer):
        port.commit_fails = True
        futures = [writer.submit(work) for work in (puts("key"), puts("other"))]
    errors = [future.exception(DEADLINE) for future in futures]
    assert [type(error) for error in errors] == [OSError, OSError]
    assert (value(database), value(database, "other")) == (None, None)
    port.commit_fails = False
    writer.run(puts("key"))
    assert value(database) == "new"


def test_where_no_transaction_can_begin_the_work_fails_and_the_next_is_tried(writer, port, database):
    port.begin_fails = True
    with pytest.raises(OSError, match="locked"):
        writer.submit(puts("key")).result(DEADLINE)
    port.begin_fails = False
    writer.run(puts("key"))
    assert value(database) == "new"


def gives_up(connection):
    """As SQLite does by itself on a full disk."""
    connection.exec_driver_sql("ROLLBACK")
    raise OSError("disk is full")


def test_where_sqlite_gives_the_transaction_up_the_others_are_done_again(writer, database):
    with held(writer):
        futures = [writer.submit(work) for work in (puts("before"), gives_up, puts("after"))]
    assert isinstance(futures[1].exception(DEADLINE), OSError)
    assert [future.exception(DEADLINE) for future in (futures[0], futures[2])] == [None, None]
    assert (value(database, "before"), value(database, "after")) == ("new", "new")
    writer.run(puts("key"))
    assert value(database) == "new"


def test_work_that_nobody_waits_for_any_more_is_left_out_and_the_writer_goes_on(writer, database):
    with held(writer):
        given_up, waited_for = writer.submit(puts("given up")), writer.submit(puts("key"))
        assert given_up.cancel()
    assert waited_for.result(DEADLINE) is None
    assert (value(database, "given up"), value(database)) == (None, "new")
    with pytest.raises(CancelledError):
        given_up.result(DEADLINE)


def test_work_that_was_begun_cannot_be_cancelled(writer, port):
    port.may_commit.clear()
    future = writer.submit(puts("key"))
    assert port.at_commit.wait(DEADLINE)
    assert not future.cancel()
    port.may_commit.set()
    assert future.result(DEADLINE) is None


def test_of_several_each_has_its_own_outcome(writer, database):
    first, second, third = (writer.submit(work) for work in (puts("key"), fails, lambda _connection: 7))
    assert (first.result(DEADLINE), third.result(DEADLINE)) == (None, 7)
    assert isinstance(second.exception(DEADLINE), ValueError)
    assert value(database) == "new"


def test_work_that_may_wait_is_committed_without_company_too(writer, database):
    assert writer.later(puts("key")).result(DEADLINE) is None
    assert value(database) == "new"


def test_work_that_may_wait_shares_the_commit_of_what_comes_next(writer, port, monkeypatch):
    """It does not wait for its time to be over: what came next needs the commit now."""
    monkeypatch.setattr(module, "LINGER_SECONDS", 10 * DEADLINE)
    commits = [writer.later(puts("first")), writer.submit(puts("second"))]
    assert [commit.result(DEADLINE) for commit in commits] == [None, None]
    assert port.commits == 1


def test_stopping_finishes_what_is_queued(writer, database):
    with held(writer):
        futures = [writer.submit(puts(str(number))) for number in range(3 * GROUP)]
        stopping = threading.Thread(target=writer.stop)
        stopping.start()
    stopping.join(DEADLINE)
    assert [future.exception(0) for future in futures] == [None] * len(futures)
    assert value(database, str(3 * GROUP - 1)) == "new"


def test_a_stopped_writer_refuses_work_and_may_be_stopped_again(writer, database):
    writer.stop()
    with pytest.raises(WriterStopped):
        writer.submit(puts("key")).result(DEADLINE)
    writer.stop()
    assert value(database) is None


def test_everybody_is_answered_though_the_writer_stops_meanwhile(writer, database):
    futures, started = [], threading.Barrier(5)

    def submit(name):
        started.wait(DEADLINE)
        futures.extend((f"{name}.{number}", writer.submit(puts(f"{name}.{number}"))) for number in range(50))

    threads = [threading.Thread(target=submit, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    started.wait(DEADLINE)
    writer.stop()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(futures) == 200
    for key, future in futures:
        assert (value(database, key) == "new") is (future.exception(DEADLINE) is None)
