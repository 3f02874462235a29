"""The schema: migrations make exactly the tables, all or nothing, and no other schema is touched."""

import shutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from store import migrating, revisions
from store.database import Database
from store.indexes import metadata
from store.schema import SchemaMismatch, prepare, require

HEAD = revisions.head()
HALF = f"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9000", "{HEAD}", None, None

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer(), nullable=False))
    op.execute("INSERT INTO half VALUES (1)")
    {{end}}
"""


def tables(database):
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def masters(database):
    """Each table and index as SQLite keeps it, without quotes and spaces."""
    with database.read() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: "".join(sql.replace('"', "").replace(",", ",\n").split()) for name, sql in rows}


@pytest.fixture
def longer(tmp_path, monkeypatch):
    """Add one more migration that ends with the given line; in a folder whose name Alembic could misread."""

    def add(end="pass"):
        folder = tmp_path / "100% of %(here)s"
        if not folder.exists():
            shutil.copytree(revisions.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "9000_next.py").write_text(HALF.format(end=end), encoding="utf-8")
        monkeypatch.setattr(revisions, "FOLDER", folder)

    return add


def test_migrations_make_exactly_the_declared_tables(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_names_of_their_files_tell_the_migrations_that_alembic_finds_in_its_order(longer):
    def found():
        scripts = list(migrating.script_directory().walk_revisions("base", "heads"))
        return [script.revision for script in reversed(scripts)]

    before = revisions.known()
    assert before == found()
    longer()
    assert revisions.known() == found() == [*before, "9000"]
    assert revisions.head() == migrating.script_directory().get_current_head() == "9000"


def test_a_database_with_two_revisions_is_none_of_ours(database):
    with database.write() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    with pytest.raises(SchemaMismatch, match="newer than this program's"):
        require(database)


def test_indexes_and_their_conditions_are_the_declared_ones(sqlite):
    declared = Database("sqlite://")
    with declared.write() as connection:
        metadata.create_all(connection)
    of_indexes = {name: sql for name, sql in masters(declared).items() if name.startswith("ix_")}
    assert {name: sql for name, sql in masters(sqlite).items() if name.startswith("ix_")} == of_indexes
    assert sum("WHERE" in sql for sql in of_indexes.values()) == 3
    declared.close()


def test_an_empty_database_gets_the_schema(empty):
    prepare(empty)
    require(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_preparing_again_changes_nothing(sqlite):
    before = masters(sqlite)
    prepare(sqlite)
    assert masters(sqlite) == before


def test_a_migration_that_fails_half_way_leaves_nothing(empty, longer):
    longer("raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        prepare(empty)
    assert tables(empty) == set()
    longer()
    prepare(empty)
    assert "half" in tables(empty)


def test_an_older_schema_is_left_alone_and_the_way_on_is_named(database, longer):
    longer()
    for check in (prepare, require):
        with pytest.raises(
            SchemaMismatch, match=rf"has schema {HEAD}, this program needs 9000: run `deskbell upgrade`"
        ):
            check(database)
    assert "half" not in tables(database)


def test_a_newer_schema_is_refused(database):
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for check in (prepare, require):
        with pytest.raises(SchemaMismatch, match=rf"has schema 9999, newer than this program's {HEAD}"):
            check(database)


def test_a_database_with_other_tables_is_refused_and_left_alone(empty):
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(SchemaMismatch, match="give it a database of its own"):
        prepare(empty)
    assert tables(empty) == {"theirs"}


def test_who_only_reads_creates_nothing(empty):
    with pytest.raises(SchemaMismatch, match="is empty"):
        require(empty)
    assert tables(empty) == set()


def test_a_file_that_is_no_database_is_refused_by_its_name_and_left_alone(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to look like one\n" * 100)
    database = Database(f"sqlite:///{path}")
    for check in (prepare, require):
        with pytest.raises(SchemaMismatch, match=r"notes\.db: is no usable database: file is not a database"):
            check(database)
    database.close()
    assert path.read_text().startswith("not a database")
