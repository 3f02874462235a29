"""Health: a dead daemon, an unseen folder and mail that does not get through are told apart, by the database alone."""

import logging
import socket
import threading
from datetime import timedelta

import pytest

from desk.outbox import Notice, NoticeKind, OutboxState, Verdict
from service.alarm import AGAIN, Alarm
from service.finding import State
from service.health import SILENT, STALE, ago, health
from service.pulse import EVERY, Heartbeat
from service.settings import load
from store import leases, outbox, pulses, requests
from store.pulses import Origin, Pulse
from tests.service.cast import HELP, NOON, Clock, imap, works
from tests.store.cast import new_request

HERE, THERE = Origin(7, "one"), Origin(8, "two")
SECOND = timedelta(seconds=1)
FOLDER = f"{HELP} INBOX"
CONFIG = f"""
[[mailbox]]
address = "{HELP}"
[mailbox.imap]
host = "127.0.0.1"
tls = "none"
user = "help"
password_env = "X"
[smtp]
host = "127.0.0.1"
tls = "none"
connections = 1
"""


@pytest.fixture
def desk():
    with works() as desk:
        yield desk


@pytest.fixture
def settings(tmp_path):
    return configured(tmp_path)


def configured(folder, more=""):
    path = folder / "config.toml"
    path.write_text(CONFIG + more, encoding="utf-8")
    return load(path)


def alive(desk, *, now=NOON, but=(), origin=HERE):
    """Each loop of the daemon beat at that moment, except these."""
    for name in {"settle", "courier 1", FOLDER} - set(but):
        put(desk, Pulse(name, now, now, None, None if name == FOLDER else origin))


def put(desk, pulse):
    with desk.database.write() as connection:
        pulses.write(connection, pulse)


def states(desk, settings, now=NOON):
    return {one.check: one.state.value for one in health(desk.database, settings, now)}


def found(desk, settings, check, now=NOON):
    return next(one for one in health(desk.database, settings, now) if one.check == check)


def owed(desk, name="r1", *, now=NOON):
    """A mail is owed since then."""
    with desk.database.write() as connection:
        number = requests.next_number(connection)
        requests.open_request(connection, new_request(number), category=None)
        notice = Notice(NoticeKind.RECEIPT, "anna@corp.example", f"<{name}@x>", HELP, b"x", None)
        outbox.owe(connection, number, notice, now=now)


def test_all_is_well_where_every_loop_beats_and_nothing_waits(desk, settings):
    alive(desk)
    assert states(desk, settings) == dict.fromkeys(("daemon", FOLDER, "arrivals", "outbox", "quarantine"), "ok")


def test_a_daemon_that_never_ran_is_bad_and_so_is_its_folder(desk, settings):
    assert found(desk, settings, "daemon").meaning == "has not run yet"
    assert found(desk, settings, FOLDER).meaning == "was never looked at"
    assert states(desk, settings)["daemon"] == "bad"


@pytest.mark.parametrize(("past", "state"), [(SILENT, "ok"), (SILENT + SECOND, "bad")])
def test_a_daemon_is_dead_after_three_silent_minutes(desk, settings, past, state):
    alive(desk)
    assert states(desk, settings, NOON + past)["daemon"] == state


@pytest.mark.parametrize("name", ["settle", "courier 1"])
def test_one_loop_that_hangs_is_noticed_beside_others_that_beat(desk, settings, name):
    alive(desk, now=NOON - SILENT - SECOND)
    alive(desk, but=[name])
    assert name in found(desk, settings, "daemon").meaning
    assert states(desk, settings)["daemon"] == "bad"


@pytest.mark.parametrize(("past", "state"), [(STALE, "ok"), (STALE + SECOND, "bad")])
def test_a_folder_is_stale_after_fifteen_minutes_although_the_daemon_lives(desk, settings, past, state):
    alive(desk, now=NOON - past)
    alive(desk, but=[FOLDER])
    assert (states(desk, settings)["daemon"], states(desk, settings)[FOLDER]) == ("ok", state)


def test_a_folder_in_trouble_says_why_at_once_and_is_bad_only_when_it_is_stale(desk, settings):
    alive(desk)
    put(desk, Pulse(FOLDER, NOON, None, "the password was refused"))
    assert found(desk, settings, FOLDER).state is State.WARN
    later = found(desk, settings, FOLDER, NOON + STALE + SECOND)
    assert later.state is State.BAD
    assert "not looked at for 15 min: the password was refused" in later.meaning


def test_mail_unsettled_for_long_is_bad_and_mail_that_just_came_is_not(desk, settings):
    alive(desk)
    desk.accept(imap())
    assert states(desk, settings, NOON + SECOND)["arrivals"] == "ok"
    assert states(desk, settings, NOON + STALE + SECOND)["arrivals"] == "bad"


def test_mail_unsent_for_long_is_bad_where_nothing_goes_out(desk, settings):
    owed(desk)
    assert states(desk, settings, NOON + STALE)["outbox"] == "ok"
    assert states(desk, settings, NOON + STALE + SECOND)["outbox"] == "bad"


def test_one_mail_that_is_not_taken_while_others_go_out_is_only_a_warning(desk, settings):
    owed(desk, "stuck")
    owed(desk, "fine", now=NOON + SECOND)
    with desk.database.write() as connection:
        stuck, fine = outbox.claim(connection, now=NOON + SECOND, limit=2, holder=1)
        outbox.record(connection, stuck, Verdict(OutboxState.DUE, "451 later", NOON + STALE), now=NOON)
        outbox.record(connection, fine, Verdict(OutboxState.SENT, "250 ok"), now=NOON + 2 * SECOND)
    told = found(desk, settings, "outbox", NOON + STALE + SECOND)
    assert told.state is State.WARN
    assert "451 later" in told.meaning


def test_quarantined_mail_is_a_warning(desk, settings):
    desk.accept(imap())
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE arrival SET fate = 'quarantined'")
    assert states(desk, settings)["quarantine"] == "warn"


def greet(server, greeting):
    with server.accept()[0] as caller:
        caller.sendall(greeting)


@pytest.mark.parametrize(
    ("greeting", "state"), [(b"220 here\r\n", "ok"), (b"HTTP/1.1 400\r\n", "bad"), (None, "bad")], ids=str
)
def test_a_door_is_well_where_something_greets_as_a_mail_server(desk, tmp_path, greeting, state):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = configured(tmp_path, f'[listener]\nlmtp = "127.0.0.1:{port}"\n')
        if greeting is None:
            server.close()
        else:
            threading.Thread(target=greet, args=(server, greeting), daemon=True).start()
        assert states(desk, settings)["door lmtp"] == state


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172_800, "2 days")],
)
def test_a_span_is_told_in_its_largest_unit(seconds, words):
    assert ago(timedelta(seconds=seconds)) == words


def test_a_loop_writes_its_sign_once_a_minute_and_a_change_at_once(desk):
    clock = Clock()
    heartbeat = Heartbeat(desk.transactions, clock, HERE)

    def known():
        with desk.database.read() as connection:
            (pulse,) = pulses.every(connection)
        return pulse

    heartbeat.beat("settle")
    clock.pass_by(seconds=EVERY.total_seconds() - 1)
    heartbeat.beat("settle")
    assert known().at == NOON
    heartbeat.beat("settle", trouble="x" * 1_000)
    assert (known().at, known().trouble) == (clock(), "x" * 300)
    clock.pass_by(seconds=1)
    heartbeat.beat("settle")
    assert known() == Pulse("settle", clock(), clock(), None, HERE)


def test_a_loop_that_begins_in_trouble_says_so_at_once(desk):
    Heartbeat(desk.transactions, Clock(), HERE).beat("settle", trouble="no")
    with desk.database.read() as connection:
        assert pulses.every(connection) == [Pulse("settle", NOON, None, "no", HERE)]


def test_a_folder_is_told_of_by_its_name_whoever_watches_it(desk):
    for origin in (HERE, THERE):
        Heartbeat(desk.transactions, Clock(), origin, folders=[FOLDER]).beat(FOLDER)
    with desk.database.read() as connection:
        assert pulses.every(connection) == [Pulse(FOLDER, NOON, NOON, None)]


def test_a_start_forgets_the_daemon_before_it_and_is_not_missed_before_its_loops_can_have_beaten(desk, settings):
    alive(desk, now=NOON - timedelta(days=1))
    put(desk, Pulse("settle", NOON - timedelta(days=1), None, "the disk was full", HERE))
    Heartbeat(desk.transactions, Clock(), THERE).begin()
    assert states(desk, settings, NOON + SILENT)["daemon"] == "ok"
    assert found(desk, settings, "daemon", NOON + SILENT + SECOND).meaning == "no sign of life for 3 min"
    put(desk, Pulse("courier 1", NOON + SILENT + SECOND, NOON, None, THERE))
    assert found(desk, settings, "daemon", NOON + SILENT + SECOND).meaning == "settle shows no sign of life ever"


def lives(desk, *origins):
    """Those daemons hold their leases, as several on one database do."""
    with desk.database.write() as connection:
        for one in origins:
            leases.keep(connection, [f"start {one.start}"], holder=one.start, seconds=3_600)


def test_a_daemon_that_fails_is_named_beside_one_that_works(desk, settings):
    """In whichever order they tell it, and whether it says what is wrong or says nothing."""
    lives(desk, HERE, THERE)
    alive(desk, origin=THERE)
    alive(desk, origin=HERE)
    put(desk, Pulse("courier 1", NOON, None, "the relay refuses us", THERE))
    assert states(desk, settings)["daemon one (start 7)"] == "ok"
    failing = found(desk, settings, "daemon two (start 8)")
    assert (failing.state, failing.meaning) == (State.BAD, "courier 1 fails: the relay refuses us")
    alive(desk, origin=HERE, now=NOON + SILENT + SECOND)
    silent = found(desk, settings, "daemon two (start 8)", NOON + SILENT + SECOND)
    assert (silent.state, silent.meaning) == (State.BAD, "no sign of life for 3 min")


def test_a_daemon_whose_lease_ended_is_not_asked_while_another_lives(desk, settings):
    alive(desk, origin=THERE, now=NOON - timedelta(hours=1))
    alive(desk, origin=HERE)
    lives(desk, HERE)
    assert states(desk, settings)["daemon"] == "ok"
    with desk.database.write() as connection:
        leases.release(connection, holder=HERE.start)
    assert found(desk, settings, "daemon").meaning == "no sign of life for 1 h"


def test_trouble_of_another_kind_is_written_at_once_and_other_details_are_not(desk):
    """A folder that breaks off and then is gone is told as gone; a server's words may differ each time."""
    heartbeat = Heartbeat(desk.transactions, Clock(), HERE, folders=[FOLDER])

    def trouble():
        with desk.database.read() as connection:
            return next(one.trouble for one in pulses.every(connection) if one.name == FOLDER)

    heartbeat.beat(FOLDER, trouble="The connection broke. (port 1)")
    heartbeat.beat(FOLDER, trouble="The connection broke. (port 2)")
    assert trouble() == "The connection broke. (port 1)"
    heartbeat.beat(FOLDER, trouble="The folder is not there. (INBOX)")
    assert trouble() == "The folder is not there. (INBOX)"


@pytest.fixture
def alarm(desk, settings):
    """The daemon's own look, which began at noon."""
    return Alarm(desk.database, settings, desk.clock)


def errors(caplog):
    return [one.message for one in caplog.records if one.levelno == logging.ERROR]


def test_the_alarm_waits_after_the_start_until_old_trouble_can_have_passed(desk, alarm, caplog):
    desk.clock.pass_by(seconds=STALE.total_seconds())
    alarm.step()
    assert errors(caplog) == []
    desk.clock.pass_by(seconds=1)
    alarm.step()
    assert f"{FOLDER}: was never looked at" in "\n".join(errors(caplog))


def test_the_alarm_tells_a_trouble_once_and_again_each_hour(desk, alarm, caplog):
    desk.clock.pass_by(hours=1)
    alive(desk, now=desk.clock(), but=[FOLDER])
    alarm.step()
    alarm.step()
    assert len(errors(caplog)) == 1
    desk.clock.pass_by(seconds=AGAIN.total_seconds())
    alive(desk, now=desk.clock(), but=[FOLDER])
    alarm.step()
    assert len(errors(caplog)) == 2


def test_the_alarm_says_when_it_is_well_again_and_is_ready_for_the_next_time(desk, alarm, caplog):
    caplog.set_level(logging.INFO)
    desk.clock.pass_by(hours=1)
    alive(desk, now=desk.clock(), but=[FOLDER])
    alarm.step()
    alive(desk, now=desk.clock())
    alarm.step()
    assert caplog.messages[-1] == f"{FOLDER}: well again"
