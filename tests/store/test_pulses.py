"""Signs of life come back as they were given, and a failure does not forget the last success."""

from store import meta, pulses
from store.pulses import Pulse
from tests.store.cast import MINUTE, NOON


def beat(database, pulse):
    with database.write() as connection:
        pulses.write(connection, pulse)


def known(database):
    with database.read() as connection:
        return pulses.every(connection)


def test_each_loop_has_its_latest_sign_under_its_own_name(database):
    settle = Pulse("settle", NOON + MINUTE, NOON + MINUTE, None)
    folder = Pulse("help@corp.example 100%_INBOX", NOON, NOON, None)
    for pulse in (Pulse("settle", NOON, NOON, None), folder, settle):
        beat(database, pulse)
    assert known(database) == {"settle": settle, folder.name: folder}


def test_trouble_keeps_the_moment_of_the_last_success(database):
    beat(database, Pulse("settle", NOON, NOON, None))
    beat(database, Pulse("settle", NOON + MINUTE, None, "the disk is full"))
    beat(database, Pulse("settle", NOON + 2 * MINUTE, None, "still full"))
    assert known(database)["settle"] == Pulse("settle", NOON + 2 * MINUTE, NOON, "still full")


def test_trouble_from_the_first_step_on_knows_no_success(database):
    beat(database, Pulse("settle", NOON, None, "no"))
    assert known(database)["settle"].well_at is None


def test_other_memories_of_the_installation_are_no_pulses(database):
    with database.write() as connection:
        meta.write(connection, "epoch", "7")
        meta.write(connection, "pulse", "{}")
    assert known(database) == {}
