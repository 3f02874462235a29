"""An installation: one daemon, one key that belongs to its database, a count of its starts."""

import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import text

from desk.token import Key
from service import doctor_house, doctor_machine
from service.deliver import Handed, deliver
from service.installation import (
    AlreadyRunning,
    NotChanged,
    begin,
    changing,
    database_path,
    epoch_of,
    exists,
    installed,
    is_missing,
    known_keys,
    locked,
    reading,
)
from service.keys import KeyTrouble, add_key, make_keys
from service.rotation import rotate
from service.settings import load
from store import arrivals, leases, meta
from store.database import Database
from store.schema import DatabaseUnusable, SchemaMismatch

ROOT = Path(__file__).parents[2]
DEADLINE = 30
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONFIG = """
[[mailbox]]
address = "help@corp.example"
[maildir]
path = "out"
"""
HOLDS = """
import sys
from pathlib import Path
from service.installation import AlreadyRunning, locked
from service.settings import load

try:
    with locked(load(Path(sys.argv[1]))):
        print("locked", flush=True)
        sys.stdin.read()
except AlreadyRunning as refusal:
    print(refusal, flush=True)
"""

BEGINS = """
import sys
from pathlib import Path
from service.installation import begin
from service.keys import fingerprint
from service.settings import load
from store.database import Database

settings = load(Path(sys.argv[1]))
keyring, epoch = begin(Database(settings.database.url), settings)
print(epoch, fingerprint(keyring))
"""


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return load(path)


@pytest.fixture
def database(settings):
    database = Database(settings.database.url)
    yield database
    database.close()


def lock_taken(settings):
    """Whether somebody holds the lock now."""
    try:
        with locked(settings):
            return False
    except AlreadyRunning:
        return True


@contextmanager
def another_daemon(settings):
    """A process that tries to lock the installation, and what it said."""
    command = [sys.executable, "-c", HOLDS, str(settings.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()
        process.wait(DEADLINE)


def test_the_database_lies_beside_its_configuration(settings, tmp_path):
    assert database_path(settings) == tmp_path / "deskbell.db"


def test_the_first_start_makes_schema_and_key(settings, database):
    keyring, epoch = begin(database, settings)
    assert epoch == 1
    assert settings.keys.file.stat().st_mode & 0o777 == 0o600
    with reading(settings) as same, same.read() as connection:
        assert meta.read(connection, "key_fingerprint")
    assert len(keyring.keys) == 1


def test_each_start_has_the_next_number_and_the_same_keys(settings, database):
    starts = [begin(database, settings) for _ in range(3)]
    assert [epoch for _, epoch in starts] == [1, 2, 3]
    assert len({keyring for keyring, _ in starts}) == 1


def test_the_key_of_a_database_is_never_made_anew(settings, database):
    begin(database, settings)
    settings.keys.file.unlink()
    with pytest.raises(KeyTrouble, match="is missing: restore it from a backup"):
        begin(database, settings)
    assert not settings.keys.file.exists()


def test_the_key_of_another_installation_is_refused(settings, database):
    begin(database, settings)
    settings.keys.file.unlink()
    make_keys(settings.keys.file, bytes)
    with pytest.raises(KeyTrouble, match="is not the key this database was used with"):
        begin(database, settings)


def test_a_refused_start_is_not_counted(settings, database):
    begin(database, settings)
    kept = settings.keys.file.read_text()
    settings.keys.file.unlink()
    with pytest.raises(KeyTrouble):
        begin(database, settings)
    settings.keys.file.write_text(kept)
    settings.keys.file.chmod(0o600)
    assert begin(database, settings)[1] == 2


def test_a_key_made_before_its_database_is_used(settings, database):
    made = make_keys(settings.keys.file, bytes)
    assert begin(database, settings)[0] == made


def test_a_key_added_behind_the_old_one_signs_from_the_next_start_on(settings, database):
    first, _ = begin(database, settings)
    with settings.keys.file.open("a") as file:
        file.write(f"b {'A' * 43}=\n")
    second, _ = begin(database, settings)
    assert second.keys == (*first.keys, Key("b", bytes(32)))


def test_a_key_that_was_added_is_needed_from_then_on(settings, database):
    """What it signed would be orphaned, as with the first one."""
    begin(database, settings)
    before = settings.keys.file.read_text()
    rotate(settings, NOON)
    assert len(begin(database, settings)[0].keys) == 2
    settings.keys.file.write_text(before)
    with pytest.raises(KeyTrouble, match="key b of this database is missing: restore the file from a backup"):
        begin(database, settings)
    with pytest.raises(KeyTrouble, match="key b of this database is missing"):
        rotate(settings, NOON)
    assert settings.keys.file.read_text() == before


def test_a_key_that_the_file_has_and_the_database_does_not_is_remembered_at_the_next_start(settings, database):
    """As when a rotation broke off between the two."""
    begin(database, settings)
    add_key(settings.keys.file, bytes, NOON)
    begin(database, settings)
    with database.read() as connection:
        assert list(known_keys(connection)) == ["a", "b"]


def test_a_database_from_before_keys_could_be_added_knows_its_first_one(settings, database):
    first, _ = begin(database, settings)
    with database.write() as connection:
        connection.execute(text("DELETE FROM meta WHERE key = 'keys'"))
    assert begin(database, settings)[0] == first
    with database.write() as connection:
        connection.execute(text("DELETE FROM meta WHERE key = 'keys'"))
    settings.keys.file.write_text(f"a {'A' * 43}=\n")
    with pytest.raises(KeyTrouble, match="is not the key this database was used with"):
        begin(database, settings)


def test_a_database_has_an_instance_id_of_its_own_that_stays(settings, database):
    begin(database, settings)
    first = installed(database)
    begin(database, settings)
    assert re.fullmatch(r"[0-9a-f]{16}", first.instance)
    assert installed(database).instance == first.instance
    assert first.place.endswith(f"with {settings.path.with_name('deskbell.db')}")


def test_a_database_made_by_something_else_gets_no_key(settings, database):
    with database.write() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(SchemaMismatch):
        begin(database, settings)
    assert not settings.keys.file.exists()


def test_one_process_holds_the_lock_for_the_length_of_the_block(settings):
    with locked(settings):
        assert lock_taken(settings)
    assert not lock_taken(settings)


def test_an_exception_in_the_block_gives_the_lock_back(settings):
    with pytest.raises(ValueError), locked(settings):  # noqa: PT011
        raise ValueError
    assert not lock_taken(settings)


def test_a_second_daemon_is_refused_and_told_what_to_do(settings):
    with locked(settings), another_daemon(settings) as (_, said):
        assert said == (f"another deskbell serves {database_path(settings)}: stop it first, or give this one its own")


def test_a_daemon_that_was_killed_leaves_no_lock(settings):
    with another_daemon(settings) as (process, said):
        assert said == "locked"
        assert lock_taken(settings)
        process.kill()
        assert process.wait(DEADLINE) == -9
        assert not lock_taken(settings)


def test_a_refused_daemon_leaves_the_lock_with_its_holder(settings):
    with another_daemon(settings) as (_, said):
        assert said == "locked"
        assert [lock_taken(settings) for _ in range(2)] == [True, True]


def read(settings):
    with reading(settings):
        pass


def test_who_only_reads_creates_no_database(settings):
    with pytest.raises(SchemaMismatch, match="there is no database yet: `deskbell run` creates it"):
        read(settings)
    assert not database_path(settings).exists()


def test_who_only_reads_an_empty_file_is_told_so(settings):
    database_path(settings).touch()
    with pytest.raises(SchemaMismatch, match="is empty"):
        read(settings)


def test_who_reads_needs_no_lock_and_no_key(settings, database):
    begin(database, settings)
    settings.keys.file.unlink()
    with locked(settings), reading(settings) as opened, opened.read() as connection:
        assert epoch_of(connection) == 1


@pytest.fixture
def shared(settings, postgres):
    """The settings of an installation on an empty PostgreSQL database."""
    url = postgres.create()
    settings.path.write_text(f'{CONFIG}[database]\nurl = "{url}"\n', encoding="utf-8")
    yield load(settings.path)
    postgres.drop(url)


@pytest.fixture
def served(shared):
    database = Database(shared.database.url)
    yield database
    database.close()


@pytest.mark.server
def test_several_daemons_may_serve_one_postgresql(shared):
    with locked(shared), another_daemon(shared) as (_, said):
        assert said == "locked"


@pytest.mark.server
def test_each_start_on_postgresql_counts_as_living_from_its_first_moment(shared, served):
    starts = [begin(served, shared)[1] for _ in range(2)]
    with served.read() as connection:
        assert sorted(connection.scalars(leases.living())) == starts == [1, 2]


@pytest.mark.server
def test_first_starts_at_the_same_moment_make_one_schema_and_one_key(shared):
    """Each in a process of its own, on the same key file."""
    command = [sys.executable, "-c", BEGINS, str(shared.path)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=DEADLINE)[0].split() for process in processes]
    assert sorted(epoch for epoch, _ in said) == ["1", "2", "3", "4"]
    assert len({key for _, key in said}) == 1


@pytest.mark.server
def test_a_machine_without_the_key_of_a_postgresql_database_makes_none(shared, served):
    begin(served, shared)
    shared.keys.file.unlink()
    with pytest.raises(KeyTrouble, match="from a backup, or copy it from the machine of the first start"):
        begin(served, shared)
    assert not shared.keys.file.exists()


@pytest.mark.server
def test_who_only_reads_an_empty_postgresql_is_told_so_and_makes_nothing(shared):
    with pytest.raises(SchemaMismatch, match="is empty: `deskbell run` creates it"):
        read(shared)


def begun(settings):
    begin(Database(settings.database.url), settings)


@pytest.mark.parametrize("use", [read, begun])
def test_a_postgresql_that_is_not_there_is_named_without_its_password(settings, use):
    settings.path.write_text(f'{CONFIG}[database]\nurl = "postgresql://u:hunter2@127.0.0.1:1/d"\n', encoding="utf-8")
    with pytest.raises(
        DatabaseUnusable, match=r"^PostgreSQL database d at 127\.0\.0\.1:1: connection failed"
    ) as caught:
        use(load(settings.path))
    assert "hunter2" not in str(caught.value)
    assert not settings.keys.file.exists()


@pytest.mark.server
def test_a_postgresql_database_exists_once_something_was_made_in_it(shared, served):
    assert not exists(shared)
    begin(served, shared)
    assert exists(shared)
    assert not is_missing(shared)


@pytest.mark.server
def test_what_cannot_be_written_to_postgresql_is_one_sentence(shared, served):
    begin(served, shared)
    told = pytest.raises(NotChanged, match=r"^PostgreSQL database .*: nothing was changed: canceling statement")
    with told, changing(shared) as database, database.write() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 50")
        connection.exec_driver_sql("SELECT pg_sleep(60)")


@pytest.mark.server
def test_what_doctor_says_of_a_postgresql_database(shared, served):
    begin(served, shared)
    found = [*doctor_house.database(shared), *doctor_house.key(shared), *doctor_machine.disk(shared)]
    assert [(one.check, one.state.value) for one in found] == [("database", "ok"), ("key", "ok"), ("disk", "skipped")]
    assert found[0].meaning.startswith("PostgreSQL database ")


def test_doctor_names_a_postgresql_that_is_not_there(settings):
    settings.path.write_text(f'{CONFIG}[database]\nurl = "postgresql://u:hunter2@127.0.0.1:1/d"\n', encoding="utf-8")
    (found,) = doctor_house.database(load(settings.path))
    assert (found.state.value, "hunter2" in found.meaning) == ("bad", False)


@pytest.mark.server
def test_a_mail_of_an_mta_on_postgresql_belongs_to_whichever_daemon_has_time(shared, served):
    begin(served, shared)
    deliver(shared, Handed(("help@corp.example",), None), BytesIO(b"Subject: x\n\nx\n"), now=NOON)
    with served.write() as connection:
        assert len(arrivals.claim(connection, epoch=1, limit=10)) == 1
