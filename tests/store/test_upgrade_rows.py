"""What an older database holds is all there after the upgrade."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from store import migrating, outbox, revisions, schema
from store.database import Database
from tests.store.cast import NOON

FIRST = "0001_first.py"
MAIL = b"From: help@corp.example\r\n\r\nThank you.\r\n"
ROWS = """
INSERT INTO request VALUES (1001, 'Printer', 'anna@corp.example', 'Anna', 'help@corp.example', 'it', NULL, 'normal',
    'new', 'en', '2026-03-02 11:00:00.000000', '2026-03-02 15:00:00.000000', '2026-03-03 12:00:00.000000');
INSERT INTO outbox (id, kind, request_number, recipient, envelope_sender, message_id, content, sending_order, created,
    state, attempts, ambiguous, next_attempt, fence)
    VALUES (7, 'receipt', 1001, 'anna@corp.example', 'help@corp.example', '<r1@corp.example>', ?, 1,
    '2026-03-02 11:00:00.000000', 'due', 2, 1, '2026-03-02 11:00:00.000000', 3);
INSERT INTO promise VALUES (1, 1001, 7, 'first-response', '2026-03-02 15:00:00.000000')
"""


@pytest.fixture
def first_database(tmp_path, monkeypatch):
    """The file of a database of the first schema, with a mail that is owed."""
    folder = tmp_path / "migrations"
    shutil.copytree(revisions.FOLDER, folder, ignore=lambda _, names: {n for n in names if n[:1] == "0" and n != FIRST})
    path = tmp_path / "deskbell.db"
    with monkeypatch.context() as patched:
        patched.setattr(revisions, "FOLDER", folder)
        database = Database(f"sqlite:///{path}")
        schema.prepare(database)
        database.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in ROWS.split(";\n"):
            connection.execute(statement, (MAIL,) if "?" in statement else ())
    return path


def test_a_mail_that_was_owed_is_still_owed_with_its_bytes_attempts_and_promise(first_database):
    migrating.upgrade(f"sqlite:///{first_database}")
    database = Database(f"sqlite:///{first_database}")
    schema.require(database)
    with database.write() as connection:
        (claimed,) = outbox.claim(connection, now=NOON, limit=5, holder=1)
        promises = connection.exec_driver_sql("SELECT request_number, outbox_id FROM promise").all()
    assert (claimed.id, claimed.content, claimed.attempts, claimed.fence) == (7, MAIL, 2, 4)
    assert claimed.perhaps_sent
    assert promises == [(1001, 7)]
    database.close()


def test_an_older_database_is_left_alone_until_somebody_upgrades_it(first_database):
    database = Database(f"sqlite:///{first_database}")
    with pytest.raises(schema.SchemaMismatch, match="run `deskbell upgrade`"):
        schema.prepare(database)
    database.close()
    with closing(sqlite3.connect(first_database)) as connection:
        assert connection.execute("SELECT content FROM outbox").fetchall() == [(MAIL,)]
