"""Prepared statements give, write and raise what SQLAlchemy itself would."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from store.database import insert_if_new
from store.prepared import Prepared, PreparedForMany
from store.tables import folder, journal, meta

NOON = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
RECORD = {
    "at": NOON,
    "event": "settled",
    "request_number": None,
    "arrival_id": 7,
    "outbox_id": None,
    "detail": {"words": "żółw", "hits": [1, 2.5, None]},
}
ALL_OF_JOURNAL = select(journal.c.at, journal.c.event, journal.c.request_number, journal.c.detail)
SETTLED = Prepared(ALL_OF_JOURNAL.where(journal.c.event == bindparam("wanted"), journal.c.arrival_id == 7))


def test_what_it_writes_sqlalchemy_reads(database):
    with database.write() as connection:
        assert Prepared(insert(journal)).run(connection, RECORD) == 1
    with database.read() as connection:
        assert connection.execute(ALL_OF_JOURNAL).all() == [(NOON, "settled", None, RECORD["detail"])]


def test_what_sqlalchemy_writes_it_reads(database):
    with database.write() as connection:
        connection.execute(insert(journal), [RECORD, RECORD | {"event": "attempt"}])
        assert SETTLED.rows(connection, {"wanted": "settled"}) == [(NOON, "settled", None, RECORD["detail"])]
        assert SETTLED.rows(connection, {"wanted": "nothing of the kind"}) == []


def test_a_row_that_was_there_is_left_out_and_gives_no_id(database):
    row = {"mailbox": "m", "name": "INBOX", "uidvalidity": 2**40, "floor_uid": 1, "cursor_uid": 1, "floor_at": NOON}
    with database.write() as connection:
        once = Prepared(insert_if_new(connection.dialect.name, folder).returning(folder.c.id))
        assert [once.rows(connection, row), once.rows(connection, row | {"cursor_uid": 9})] == [[(1,)], []]


def test_it_counts_the_rows_it_changed(database):
    changed = Prepared(update(meta).where(meta.c.key == bindparam("of")).values(value="new"))
    with database.write() as connection:
        connection.execute(insert(meta), [{"key": "a", "value": "old"}])
        assert [changed.run(connection, {"of": key}) for key in ("a", "b")] == [1, 0]


def test_other_values_are_another_statement(database):
    """Those that are not named keep what they had."""
    change = Prepared(update(folder).where(folder.c.id == bindparam("of")))
    row = {"mailbox": "m", "name": "INBOX", "uidvalidity": 1, "floor_uid": 1, "cursor_uid": 1, "floor_at": NOON}
    with database.write() as connection:
        connection.execute(insert(folder), [row])
        change.run(connection, {"of": 1, "cursor_uid": 5})
        change.run(connection, {"of": 1, "floor_uid": 3, "name": "Archive"})
        found = connection.execute(select(folder.c.name, folder.c.floor_uid, folder.c.cursor_uid)).one()
    assert found == ("Archive", 3, 5)


def test_each_of_many_rows_is_written(database):
    rows = [{"key": key, "value": "new"} for key in "abc"]
    with database.write() as connection:
        Prepared(insert(meta)).run_each(connection, rows)
        Prepared(insert(meta)).run_each(connection, [])
        assert connection.execute(select(meta.c.key).order_by(meta.c.key)).scalars().all() == ["a", "b", "c"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9])
def test_it_finds_and_changes_those_of_any_number_of_ids_and_no_others(database, count):
    wanted = [f"key {number}" for number in range(count)]
    found = PreparedForMany(lambda ids: select(meta.c.key).where(meta.c.key.in_(ids)))
    changed = PreparedForMany(lambda ids: update(meta).where(meta.c.key.in_(ids)).values(value=bindparam("new")))
    with database.write() as connection:
        connection.execute(insert(meta), [{"key": f"key {number}", "value": "old"} for number in range(20)])
        assert sorted(found.rows(connection, wanted)) == sorted((key,) for key in wanted)
        if wanted:
            assert changed.run(connection, wanted, {"new": "new"}) == count
        new = connection.scalars(select(meta.c.key).where(meta.c.value == "new")).all()
    assert sorted(new) == sorted(wanted)


def failing(database, values):
    with database.write() as connection:
        Prepared(insert(meta)).run(connection, {"key": "secret", "value": "new"})
        Prepared(insert(meta)).run(connection, values)


def test_what_the_database_refuses_is_raised_in_sqlalchemys_words_without_the_values(database):
    with pytest.raises(IntegrityError) as caught:
        failing(database, {"key": "secret", "value": "other"})
    assert "INSERT INTO meta" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_moment_without_zone_is_refused_as_by_sqlalchemy(database):
    with database.write() as connection, pytest.raises((ValueError, StatementError), match=r"(?i)naive|zone"):
        Prepared(insert(journal)).run(connection, RECORD | {"at": NOON.replace(tzinfo=None)})
