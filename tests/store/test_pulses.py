"""Signs of life come back as they were given, each daemon's its own, and a failure does not forget a success."""

from store import meta, pulses
from store.pulses import Origin, Pulse
from tests.store.cast import MINUTE, NOON

HERE, THERE = Origin(7, "one.corp.example"), Origin(8, "two.corp.example")


def beat(database, *given):
    with database.write() as connection:
        for pulse in given:
            pulses.write(connection, pulse)


def known(database):
    with database.read() as connection:
        return pulses.every(connection)


def test_each_loop_of_each_daemon_has_its_latest_sign(database):
    latest = [
        Pulse("settle", NOON + MINUTE, NOON + MINUTE, None, HERE),
        Pulse("settle", NOON, NOON, None, THERE),
        Pulse("courier 1", NOON, NOON, None, THERE),
        Pulse("help@corp.example 100%_IN:BOX", NOON, NOON, None),
        Pulse("7:settle", NOON, NOON, None),
    ]
    beat(database, Pulse("settle", NOON, NOON, None, HERE), *latest)
    assert sorted(known(database), key=repr) == sorted(latest, key=repr)


def test_trouble_keeps_the_moment_of_the_last_success_of_the_same_daemon(database):
    beat(
        database,
        Pulse("settle", NOON, NOON, None, HERE),
        Pulse("settle", NOON + MINUTE, NOON + MINUTE, None, THERE),
        Pulse("settle", NOON + MINUTE, None, "the disk is full", HERE),
        Pulse("settle", NOON + 2 * MINUTE, None, "still full", HERE),
    )
    assert Pulse("settle", NOON + 2 * MINUTE, NOON, "still full", HERE) in known(database)


def test_trouble_from_the_first_step_on_knows_no_success(database):
    beat(database, Pulse("settle", NOON, None, "no", HERE))
    assert known(database) == [Pulse("settle", NOON, None, "no", HERE)]


def test_who_is_no_more_is_forgotten_with_what_an_older_version_wrote_and_folders_are_kept(database):
    mine, folder = Pulse("settle", NOON, NOON, None, THERE), Pulse("help@corp.example INBOX", NOON, NOON, None)
    beat(database, Pulse("settle", NOON, NOON, None, HERE), mine, folder)
    with database.write() as connection:
        meta.write(connection, "pulse:settle", '{"at": "", "well_at": null, "trouble": null}')
        meta.write(connection, "epoch", "8")
        pulses.forget(connection, but={8})
        assert (meta.read(connection, "pulse:settle"), meta.read(connection, "epoch")) == (None, "8")
    assert sorted(known(database), key=repr) == sorted([mine, folder], key=repr)


def test_other_memories_of_the_installation_are_no_pulses(database):
    with database.write() as connection:
        meta.write(connection, "epoch", "7")
        meta.write(connection, "pulse", "{}")
        meta.write(connection, "pulse:settle", "{}")
    assert known(database) == []
