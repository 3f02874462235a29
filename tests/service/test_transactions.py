"""Transactions in the caller's own thread."""

import pytest

from service.transactions import DirectTransactions
from store import meta, schema
from store.database import Database


@pytest.fixture
def database():
    database = Database("sqlite://")
    schema.prepare(database)
    yield database
    database.close()


@pytest.fixture
def transactions(database):
    return DirectTransactions(database)


def puts(key):
    return lambda connection: meta.write(connection, key, "new")


def fails(connection):
    meta.write(connection, "failed", "new")
    raise ValueError("of my own")


def value(database, key):
    with database.read() as connection:
        return meta.read(connection, key)


def test_what_was_run_is_committed_and_its_result_given(transactions, database):
    assert transactions.run(lambda connection: meta.count_up(connection, "counter", start=7)) == 7
    assert value(database, "counter") == "7"


def test_work_that_fails_raises_its_own_error_and_nothing_of_it_happened(transactions, database):
    with pytest.raises(ValueError, match="of my own"):
        transactions.run(fails)
    assert value(database, "failed") is None


def test_of_several_each_has_a_transaction_of_its_own(transactions, database):
    commits = [transactions.later(work) for work in (puts("first"), fails, puts("third"))]
    assert [type(commit.exception(0)) for commit in commits] == [type(None), ValueError, type(None)]
    assert [value(database, key) for key in ("first", "failed", "third")] == ["new", None, "new"]


def test_submitted_work_is_done_at_once(transactions, database):
    assert transactions.submit(puts("key")).done()
    assert value(database, "key") == "new"


def test_submitted_work_that_fails_says_so_through_its_future(transactions):
    assert isinstance(transactions.submit(fails).exception(0), ValueError)
