"""One arrival settled: what is decided is written whole, and no promise lies in the past."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import settle as module
from service.house import UNSIGNED
from service.judged import judge
from service.parser import InlineParser
from service.settle import Settling, targets_of
from store.arrivals import Waiting
from tests.service.cast import HELP, HR, NOON, door, imap, mail, office

ROWS = "SELECT fate, reason, receipt, request_number FROM arrival ORDER BY id"
OUTSIDE = b"From: Eve <eve@elsewhere.example>\r\nSubject: hello %d\r\nMessage-ID: <%d@e>\r\n\r\nHello.\r\n"
NAMELESS = b"From: Anna <anna@corp.example>\r\nSubject: call me\r\n\r\nPlease call me.\r\n"


def settling(house, *, received, now):
    arrival = imap(1, received_at=received)
    judged = judge(arrival, InlineParser().parse(arrival.raw, envelope_sender=None), house)
    return Settling(None, house, Waiting(1, arrival, 0, 1), judged, now)


HOUSE = office()
IT = HOUSE.departments["it"]
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=700)).map(lambda passed: NOON + passed)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_target_is_never_in_the_past(received, late):
    """However long the mail lay somewhere, or the daemon was away."""
    targets = targets_of(settling(HOUSE, received=received, now=received + late), IT)
    assert received + late < targets.first_response <= targets.resolution


@pytest.mark.parametrize(
    ("late", "answer", "solved"),
    [
        ("0h", "2026-03-02T16:00", "2026-03-04T12:00"),
        ("3h59m", "2026-03-02T16:00", "2026-03-04T12:00"),
        ("4h", "2026-03-03T12:00", "2026-03-04T16:00"),
        ("24h", "2026-03-03T16:00", "2026-03-05T12:00"),
        ("5d", "2026-03-09T13:00", "2026-03-10T17:00"),
    ],
)
def test_targets_count_from_the_arrival_while_they_can_be_kept_and_from_now_on_after_that(late, answer, solved):
    """Four hours to answer and sixteen to solve, on weekdays from nine to five; the mail came on a Monday noon."""
    units = {"d": 24 * 60, "h": 60, "m": 1}
    hours, _, minutes = late.partition("h") if "h" in late else ("0", "", "0")
    minutes = int(late[:-1]) * units["d"] if late.endswith("d") else int(hours) * 60 + int(minutes.rstrip("m") or 0)
    targets = targets_of(settling(HOUSE, received=NOON, now=NOON + timedelta(minutes=minutes)), IT)
    told = [moment.strftime("%Y-%m-%dT%H:%M") for moment in (targets.first_response, targets.resolution)]
    assert told == [answer, solved]


def test_the_same_mail_by_another_way_is_a_duplicate_of_the_first(desk):
    """Message-ID, From, Date, subject and words are the same; the trace of hops is not looked at."""
    desk.accept(imap(1), door(b"Received: from elsewhere\r\n" + mail(1)))
    desk.settle()
    assert desk.rows(ROWS) == [
        ("opened", "new-request", "send: own-person", 1001),
        ("duplicate", "same-mail", "never: same-mail", None),
    ]


@pytest.mark.parametrize(("apart", "fate"), [(timedelta(minutes=10), "duplicate"), (timedelta(minutes=11), "opened")])
def test_equal_mails_without_a_message_id_are_one_only_when_they_came_close_together(desk, apart, fate):
    """Asking for a call on two days is two mails."""
    desk.accept(door(NAMELESS), door(NAMELESS, received_at=NOON + apart))
    desk.settle()
    assert [row[0] for row in desk.rows(ROWS)] == ["opened", fate]


def test_an_outside_sender_is_answered_twice_a_day_and_again_a_day_later(desk):
    """Counted are receipts, in the last 24 hours."""
    for number in range(4):
        if number == 3:
            desk.clock.pass_by(hours=24, seconds=1)
        desk.accept(imap(number + 1, OUTSIDE % (number, number)))
        desk.settle()
    assert [row[2] for row in desk.rows(ROWS)] == [
        "limited: external-limited",
        "limited: external-limited",
        "never: external-limit-reached",
        "limited: external-limited",
    ]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"complete": False, "size": 99_000_000}, ("oversize", "too-large", "never: too-large", None)),
        ({"before_floor": True}, ("backfilled", "before-floor", "never: before-floor", None)),
        ({"replayed": True}, ("opened", "new-request", "never: replayed", 1001)),
    ],
)
def test_what_is_known_of_the_arrival_decides(desk, known, expected):
    """Too large, older than the watch, or marked by a newer database: no receipt."""
    desk.accept(imap(1, **known))
    desk.settle()
    assert desk.rows(ROWS) == [expected]
    assert not desk.rows("SELECT id FROM outbox WHERE kind = 'receipt'")


def test_a_mail_of_ours_that_comes_back_is_absorbed_whatever_it_looks_like(desk):
    """A gateway may have taken every sign of its origin away but Message-ID and From."""
    desk.accept(imap(1))
    desk.settle()
    ours = desk.rows("SELECT message_id FROM outbox WHERE kind = 'receipt'")[0][0]
    raw = f"From: IT <{HELP}>\r\nTo: anna@corp.example\r\nSubject: x\r\nMessage-ID: {ours}\r\n\r\nx\r\n".encode()
    desk.accept(imap(2, raw))
    desk.settle()
    assert desk.rows(ROWS)[1] == ("absorbed", "automatic-mail", "never: automatic-mail", 1001)


def test_a_failure_after_the_request_was_written_leaves_nothing_of_it(desk, monkeypatch):
    """Fate, request, entry and letters come together or not at all."""

    def failing(*_arguments, **_known):
        raise RuntimeError("the last step fails")

    desk.accept(imap(1))
    with monkeypatch.context() as broken:
        broken.setattr(module.arrivals, "record_fate", failing)
        desk.pipeline.settle()
    for table in ("request", "entry", "outbox", "promise", "participant", "journal"):
        assert desk.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    desk.settle()
    assert desk.rows(ROWS) == [("opened", "new-request", "send: own-person", 1001)]


def test_the_trace_tells_each_step_with_its_reasons(desk):
    """Whatever the verdict was: ledger show can say why."""
    desk.accept(imap(1))
    desk.settle()
    trace = json.loads(desk.rows("SELECT CAST(trace AS TEXT) FROM arrival")[0][0])
    steps = {"automatic", "proof", "thread", "acknowledge", "limiter", "classification", "language", "defects"}
    assert set(trace) == steps
    assert trace["acknowledge"]["reason"] == "a person of our own domains"
    assert trace["classification"]["rules"][0]["hits"] == ["subject: printer*"]


def test_the_promised_dates_are_recorded_with_the_letter_that_told_them(desk):
    """One row for each moment, of the receipt alone."""
    desk.accept(imap(1))
    desk.settle()
    told = desk.rows("SELECT promise.kind, outbox.kind FROM promise JOIN outbox ON outbox_id = outbox.id ORDER BY 1")
    assert [letter for _, letter in told] == ["receipt", "receipt"]
    assert len({moment for moment, _ in told}) == 2


@pytest.mark.parametrize(
    ("sender", "field", "fate"),
    [
        (HELP, "Message-ID", "filed"),
        (HELP, "X-Deskbell-Id", "filed"),
        (HR, "Message-ID", "filed"),
        ("anna@corp.example", "Message-ID", "opened"),
    ],
)
def test_the_doctors_mail_is_filed_and_nobody_else_can_use_its_name(desk, sender, field, fate):
    """It is ours where it comes from a mailbox of ours, under whatever Message-ID the relay gave it."""
    probe = UNSIGNED.probe_id("0123456789abcdef", domain="corp.example")
    name = probe if field == "Message-ID" else probe.strip("<>")
    other = "" if field == "Message-ID" else "Message-ID: <relay@relay.example>\r\n"
    desk.accept(imap(1, f"From: {sender}\r\nSubject: test\r\n{field}: {name}\r\n{other}\r\nx\r\n".encode()))
    desk.settle()
    assert [row[0] for row in desk.rows(ROWS)] == [fate]
    assert bool(desk.rows("SELECT id FROM outbox")) is (fate == "opened")


def test_a_forged_doctors_mail_is_a_mail_like_any_other(desk):
    forged = "<probe.a.0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAAAAAA@corp.example>"
    desk.accept(imap(1, f"From: {HELP}\r\nSubject: test\r\nMessage-ID: {forged}\r\n\r\nx\r\n".encode()))
    desk.settle()
    assert [row[0] for row in desk.rows(ROWS)] == ["opened"]
