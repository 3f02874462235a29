"""What the installation remembers, and counters that give no number twice."""

import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import meta
from store.database import Database


def test_what_was_never_written_is_none(database):
    with database.read() as connection:
        assert meta.read(connection, "key") is None


def test_the_last_value_written_counts(database):
    with database.write() as connection:
        meta.write(connection, "key", "old")
        meta.write(connection, "other", "kept")
        meta.write(connection, "key", "")
        assert (meta.read(connection, "key"), meta.read(connection, "other")) == ("", "kept")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back_as_written(database, value):
    with database.write() as connection:
        meta.write(connection, "key", value)
    with database.read() as connection:
        assert meta.read(connection, "key") == value


def test_a_counter_begins_at_its_start_and_goes_up_by_one(database):
    with database.write() as connection:
        assert [meta.count_up(connection, "counter", start=1001) for _ in range(3)] == [1001, 1002, 1003]
    with database.write() as connection:
        assert meta.count_up(connection, "counter", start=1001) == 1004
        assert meta.count_up(connection, "another", start=1) == 1


def test_two_who_count_at_once_never_get_the_same_number(sqlite):
    counted = []

    def count():
        own = Database(str(sqlite.engine.url))
        for _ in range(10):
            with own.write() as connection:
                counted.append(meta.count_up(connection, "counter", start=1))
        own.close()

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(counted) == list(range(1, 31))
