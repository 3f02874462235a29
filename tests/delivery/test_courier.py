"""What the courier does with each outcome, when it rests, and that whatever stops leaves no mail held or lost."""

import itertools
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.courier import ACCOUNT_HOLD, AMBIGUOUS_HOLD, BATCH, PAUSES, Chance, Courier, Retry, verdict_of
from delivery.transport import Ambiguous, Deferred, Refused, Scope, Sent
from desk.outbox import Claimed, OutboxState, Phase, Verdict

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
DUE, SENDING, SENT, REFUSED, EXPIRED, _HELD = OutboxState

OK = Sent("250 2.0.0 queued as 1")
NO_SUCH = Refused("550 5.1.1 no such user", Scope.RECIPIENT)
FULL = Deferred("452 4.2.2 mailbox full", Scope.RECIPIENT)
DOWN = Deferred("connection refused", Scope.CONNECTION)
HELD = Refused("550 5.1.8 bad outbound sender", Scope.ACCOUNT)
THROTTLED = Deferred("454 4.7.0 too many logins", Scope.ACCOUNT)
SILENT = Ambiguous("connection closed after the final dot")


class Stop(Exception):
    """The database is gone, or the machine is."""


@dataclass
class Row:
    """One owed mail."""

    id: int
    created: datetime = NOON
    state: OutboxState = DUE
    phase: Phase | None = None
    fence: int = 0
    attempts: int = 0
    ambiguous: int = 0
    next_attempt: datetime = NOON
    last_reply: str = ""


class Memory:
    """An outbox in memory; `failing` names the calls that raise Stop."""

    def __init__(self, count=1, **known):
        self.rows = [Row(number, **known) for number in range(1, count + 1)]
        self.failing = set()
        self.limits = []

    def _call(self, name):
        if name in self.failing:
            raise Stop(name)

    def claim(self, *, now, limit):
        self._call("claim")
        self.limits.append(limit)
        due = [row for row in self.rows if row.state is DUE and row.next_attempt <= now][:limit]
        for row in due:
            row.state, row.phase, row.fence = SENDING, Phase.CLAIMED, row.fence + 1
        return [
            Claimed(
                id=row.id,
                fence=row.fence,
                attempts=row.attempts,
                created=row.created,
                message_id=f"<{row.id}@desk>",
                envelope_sender="help@corp.example",
                recipient=f"{row.id}@corp.example",
                content=b"content %d" % row.id,
                perhaps_sent=row.ambiguous > 0,
            )
            for row in due
        ]

    def _held(self, claimed):
        row = self.rows[claimed.id - 1]
        assert (row.state, row.fence) == (SENDING, claimed.fence)
        return row

    def reach_dot(self, claimed):
        self._call("reach_dot")
        self._held(claimed).phase = Phase.DOT

    def record(self, claimed, verdict, *, now):
        self._call("record")
        row = self._held(claimed)
        row.state, row.last_reply, row.phase = verdict.state, verdict.reply, None
        row.attempts += 1
        row.ambiguous += verdict.perhaps_sent
        row.next_attempt = verdict.next_attempt or now

    def recover(self, held, *, now, hold):
        self._call("recover")
        for row in (self.rows[one.id - 1] for one in held):
            if row.state is SENDING:
                reached = row.phase is Phase.DOT
                row.state, row.phase, row.fence = DUE, None, row.fence + 1
                row.ambiguous += reached
                row.next_attempt = now + hold if reached else row.next_attempt

    def next_due(self):
        return min((row.next_attempt for row in self.rows if row.state is DUE), default=None)

    def states(self):
        return [row.state for row in self.rows]


class Scripted:
    """A transport that answers as written, attempt by attempt, the last answer for ever."""

    def __init__(self, *script):
        self._script = list(script)
        self.sent = []
        self.closed = 0

    def send(self, outgoing, before_dot):
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        self.sent.append(outgoing)
        if answer is not DOWN and answer is not Stop:
            before_dot()
        if answer is Stop:
            raise Stop("password source")
        return answer

    def close(self):
        self.closed += 1


@dataclass
class Clock:
    """The time as the test says."""

    now: datetime = NOON

    def __call__(self):
        return self.now

    def pass_(self, time):
        self.now += time


@dataclass
class Desk:
    """A courier with all that it works with."""

    outbox: Memory
    transport: Scripted
    clock: Clock = field(default_factory=Clock)
    gap: timedelta | None = None

    def __post_init__(self):
        self.courier = Courier(self.outbox, self.transport, Chance(self.clock, lambda: 0.5), gap=self.gap)

    def step(self, later=timedelta(0)):
        self.clock.pass_(later)
        return self.courier.step()

    @property
    def tried(self):
        return [int(outgoing.recipient.split("@")[0]) for outgoing in self.transport.sent]


CLAIMED = Claimed(1, 1, 0, NOON, "<1@desk>", "help@corp.example", "ann@corp.example", b"", perhaps_sent=False)
RETRY = Retry(NOON, 0.5, pause=2 * SECOND)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (OK, Verdict(SENT, OK.reply)),
        (NO_SUCH, Verdict(REFUSED, NO_SUCH.reply)),
        (FULL, Verdict(DUE, FULL.reason, NOON + MINUTE)),
        (DOWN, Verdict(DUE, DOWN.reason, NOON + 2 * SECOND)),
        (THROTTLED, Verdict(DUE, THROTTLED.reason, NOON + 2 * SECOND)),
        (HELD, Verdict(DUE, HELD.reply, NOON + 2 * SECOND)),
        (Refused("554 go away", Scope.CONNECTION), Verdict(DUE, "554 go away", NOON + 2 * SECOND)),
        (SILENT, Verdict(DUE, SILENT.reason, NOON + AMBIGUOUS_HOLD, perhaps_sent=True)),
    ],
)
def test_each_outcome_means_this_for_the_mail(outcome, verdict):
    assert verdict_of(outcome, CLAIMED, RETRY) == verdict


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 60), (9, 60)])
def test_a_recipients_waits_grow_with_the_attempts_made(attempts, minutes):
    verdict = verdict_of(FULL, replace(CLAIMED, attempts=attempts), RETRY)
    assert verdict.next_attempt == NOON + minutes * MINUTE


OLD = replace(CLAIMED, created=NOON - 5 * DAY)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(OK, SENT), (NO_SUCH, REFUSED), (FULL, EXPIRED), (DOWN, EXPIRED), (HELD, EXPIRED), (SILENT, EXPIRED)],
)
def test_after_five_days_a_mail_is_given_up_unless_this_attempt_settles_it(outcome, state):
    assert verdict_of(outcome, OLD, RETRY).state is state


@pytest.mark.parametrize("outcome", [DOWN, HELD])
def test_a_mail_is_not_given_up_one_moment_before_five_days(outcome):
    just = replace(CLAIMED, created=NOON - 5 * DAY + 2 * SECOND)
    assert verdict_of(outcome, just, RETRY).state is DUE
    assert verdict_of(outcome, replace(just, created=just.created - SECOND), RETRY).state is EXPIRED


def test_a_mail_given_up_after_the_dot_still_counts_as_perhaps_sent():
    assert verdict_of(SILENT, OLD, RETRY) == Verdict(EXPIRED, SILENT.reason, None, perhaps_sent=True)


OUTCOMES = st.sampled_from([OK, NO_SUCH, FULL, DOWN, THROTTLED, HELD, SILENT])


@given(OUTCOMES, st.integers(0, 200), st.integers(0, 6 * 24 * 60), st.floats(0, 1, exclude_max=True))
def test_a_mail_is_either_settled_or_due_at_a_moment_that_is_to_come(outcome, attempts, age, jitter):
    claimed = replace(CLAIMED, attempts=attempts, created=NOON - age * MINUTE)
    verdict = verdict_of(outcome, claimed, Retry(NOON, jitter, SECOND))
    assert (verdict.state is DUE) is (verdict.next_attempt is not None)
    if verdict.next_attempt is not None:
        assert NOON < verdict.next_attempt <= claimed.created + 5 * DAY


def test_a_due_mail_is_sent_as_it_stands_in_the_outbox():
    desk = Desk(Memory(), Scripted(OK))
    assert desk.step() is True
    (outgoing,) = desk.transport.sent
    assert (outgoing.message_id, outgoing.envelope_sender) == ("<1@desk>", "help@corp.example")
    assert (outgoing.recipient, outgoing.content) == ("1@corp.example", b"content 1")
    assert desk.outbox.states() == [SENT]


def test_where_nothing_is_due_a_step_does_nothing_and_says_so():
    desk = Desk(Memory(), Scripted(OK))
    assert desk.step() is True
    assert desk.step() is False
    assert desk.tried == [1]


def test_a_batch_is_taken_at_once_and_sent_in_order():
    desk = Desk(Memory(BATCH + 5), Scripted(OK))
    desk.step()
    assert desk.tried == list(range(1, BATCH + 1))
    desk.step()
    assert desk.outbox.states() == [SENT] * (BATCH + 5)


@pytest.mark.parametrize("outcome", [NO_SUCH, FULL, SILENT])
def test_what_is_about_one_mail_does_not_stop_the_others(outcome):
    desk = Desk(Memory(3), Scripted(OK, outcome, OK))
    desk.step()
    assert desk.tried == [1, 2, 3]
    assert [desk.outbox.states()[index] for index in (0, 2)] == [SENT, SENT]


def test_a_perhaps_sent_mail_goes_out_again_byte_for_byte_after_the_hold():
    desk = Desk(Memory(), Scripted(SILENT, OK))
    desk.step()
    assert desk.step(AMBIGUOUS_HOLD - SECOND) is False
    assert desk.step(SECOND) is True
    assert desk.transport.sent[0] == desk.transport.sent[1]
    assert (desk.outbox.rows[0].state, desk.outbox.rows[0].ambiguous) == (SENT, 1)


def test_while_the_relay_is_down_the_pauses_grow_and_the_last_one_stays():
    desk = Desk(Memory(), Scripted(DOWN))
    pauses = [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert desk.step() is True
    for pause in pauses:
        assert desk.step(pause - SECOND / 1000) is False
        assert desk.step(SECOND / 1000) is True
    assert len(desk.tried) == 1 + len(pauses)


@pytest.mark.parametrize("good", [OK, NO_SUCH, FULL, SILENT])
def test_once_the_relay_is_reached_the_pauses_begin_anew(good):
    desk = Desk(Memory(2), Scripted(DOWN, DOWN, good, DOWN, OK))
    desk.step()
    desk.step(PAUSES[0])
    desk.step(PAUSES[1])
    assert desk.courier.idle_until(desk.clock.now) == desk.clock.now + PAUSES[0]


@pytest.mark.parametrize(("outcome", "pause"), [(DOWN, PAUSES[0]), (THROTTLED, PAUSES[0]), (HELD, ACCOUNT_HOLD)])
def test_a_failure_about_us_or_the_relay_stops_everything_and_gives_the_rest_back(outcome, pause):
    desk = Desk(Memory(5), Scripted(OK, outcome, OK))
    desk.step()
    assert desk.tried == [1, 2]
    assert desk.outbox.states() == [SENT, DUE, DUE, DUE, DUE]
    assert [row.next_attempt for row in desk.outbox.rows[2:]] == [NOON] * 3
    assert desk.step(pause - SECOND / 1000) is False
    assert desk.tried == [1, 2]
    desk.step(SECOND / 1000)
    assert desk.outbox.states() == [SENT] * 5


def test_the_attempts_of_the_rest_are_not_counted():
    desk = Desk(Memory(3), Scripted(DOWN))
    desk.step()
    assert [row.attempts for row in desk.outbox.rows] == [1, 0, 0]


def test_an_account_that_stays_refused_is_asked_with_one_mail_each_five_minutes():
    desk = Desk(Memory(3), Scripted(HELD))
    desk.step()
    for _ in range(4):
        desk.step(ACCOUNT_HOLD)
    assert len(desk.tried) == 5
    assert desk.outbox.states() == [DUE] * 3


def test_a_relay_that_is_down_for_five_days_expires_the_mail_and_it_is_tried_no_more():
    desk = Desk(Memory(created=NOON - 5 * DAY), Scripted(DOWN))
    desk.step()
    assert desk.outbox.states() == [EXPIRED]
    assert desk.step(DAY) is False


@pytest.mark.parametrize("failing", ["reach_dot", "record"])
def test_after_an_error_of_the_database_each_mail_is_given_back_at_the_next_step(failing):
    desk = Desk(Memory(3), Scripted(OK))
    desk.outbox.failing = {failing}
    with pytest.raises(Stop):
        desk.step()
    assert desk.outbox.states() == [SENDING] * 3
    desk.outbox.failing = set()
    desk.step()
    desk.step(AMBIGUOUS_HOLD)
    assert desk.outbox.states() == [SENT] * 3


def test_a_mail_that_had_not_reached_the_dot_goes_out_at_once_and_is_not_counted_as_perhaps_sent():
    desk = Desk(Memory(), Scripted(Stop, OK))
    with pytest.raises(Stop):
        desk.step()
    assert desk.step() is True
    assert (desk.outbox.rows[0].state, desk.outbox.rows[0].ambiguous) == (SENT, 0)


def test_a_mail_that_had_reached_the_dot_waits_and_counts_as_perhaps_sent():
    desk = Desk(Memory(2), Scripted(OK))
    desk.outbox.failing = {"record"}
    with pytest.raises(Stop):
        desk.step()
    desk.outbox.failing = set()
    desk.step()
    first, second = desk.outbox.rows
    assert (first.state, first.ambiguous, first.next_attempt) == (DUE, 1, NOON + AMBIGUOUS_HOLD)
    assert (second.state, second.ambiguous) == (SENT, 0)


def test_while_giving_back_fails_it_is_tried_at_each_step_and_nothing_else_is_claimed():
    desk = Desk(Memory(3), Scripted(Stop, OK))
    desk.outbox.failing = {"recover"}
    for _ in range(3):
        with pytest.raises(Stop):
            desk.step()
    assert desk.tried == [1]
    desk.outbox.failing = set()
    desk.step()
    assert desk.outbox.states() == [SENT] * 3


def test_held_mail_is_given_back_even_while_nothing_may_be_sent():
    desk = Desk(Memory(2), Scripted(DOWN))
    desk.outbox.failing = {"recover"}
    with pytest.raises(Stop):
        desk.step()
    desk.outbox.failing = set()
    assert desk.step() is False
    assert desk.outbox.states() == [DUE, DUE]


def test_a_failed_claim_leaves_everything_as_it_was():
    desk = Desk(Memory(2), Scripted(OK))
    desk.outbox.failing = {"claim"}
    with pytest.raises(Stop):
        desk.step()
    assert desk.outbox.states() == [DUE, DUE]


def test_with_a_gap_each_mail_is_claimed_alone_and_followed_by_it():
    desk = Desk(Memory(3), Scripted(OK), gap=2 * SECOND)
    desk.step()
    assert (desk.outbox.limits, desk.tried) == ([1], [1])
    assert desk.step(2 * SECOND - SECOND / 1000) is False
    assert desk.step(SECOND / 1000) is True
    assert desk.tried == [1, 2]


def test_with_a_gap_a_pause_of_the_relay_is_not_cut_short():
    desk = Desk(Memory(3), Scripted(HELD, OK), gap=SECOND)
    desk.step()
    assert desk.step(ACCOUNT_HOLD - SECOND) is False


@pytest.mark.parametrize("gap", [MINUTE, MINUTE / 7, 2 * SECOND, SECOND / 10])
def test_two_mails_are_never_closer_than_the_gap(gap):
    desk = Desk(Memory(20), Scripted(OK), gap=gap)
    moments = []
    while (until := desk.courier.idle_until(desk.clock.now)) is not None:
        desk.clock.now = max(until, desk.clock.now)
        assert desk.step() is True
        moments.append(desk.clock.now)
    assert len(moments) == 20
    spans = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(spans) >= gap


def test_nothing_owed_has_no_moment_to_wait_for():
    assert Desk(Memory(0), Scripted(OK)).courier.idle_until(NOON) is None


def test_the_next_moment_is_when_a_mail_is_due():
    desk = Desk(Memory(next_attempt=NOON + MINUTE), Scripted(OK))
    assert desk.courier.idle_until(NOON) == NOON + MINUTE


def test_the_next_moment_is_after_the_pause_where_that_is_later():
    desk = Desk(Memory(2), Scripted(HELD))
    desk.step()
    assert desk.courier.idle_until(NOON) == NOON + ACCOUNT_HOLD


def test_a_due_mail_needs_no_waiting():
    assert Desk(Memory(), Scripted(OK)).courier.idle_until(NOON) == NOON


def test_closing_closes_the_transport():
    desk = Desk(Memory(), Scripted(OK))
    desk.courier.close()
    assert desk.transport.closed == 1


@pytest.mark.parametrize(
    ("outcome", "level", "words"),
    [
        (OK, logging.INFO, "sent: outbox 1 <1@desk>"),
        (NO_SUCH, logging.WARNING, "refused for good: outbox 1 <1@desk>: 550 5.1.1 no such user"),
        (FULL, logging.WARNING, "not sent yet: outbox 1 <1@desk>: 452 4.2.2 mailbox full"),
        (SILENT, logging.WARNING, "perhaps sent: outbox 1 <1@desk>: connection closed after the final dot"),
        (
            HELD,
            logging.ERROR,
            "the relay refuses us as a sender, nothing is sent for a while: 550 5.1.8 bad outbound sender",
        ),
    ],
)
def test_each_outcome_is_told_once(caplog, outcome, level, words):
    with caplog.at_level(logging.INFO, "deskbell.courier"):
        Desk(Memory(), Scripted(outcome)).step()
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [(level, words)]


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("550 5.1.1 <1@corp.example>: no such user", Scope.RECIPIENT),
        Refused("550 5.7.60 1@corp.example: not as 1@corp.example", Scope.ACCOUNT),
        Deferred("452 4.2.2 <1@CORP.example> is full", Scope.RECIPIENT),
        Ambiguous("nothing after 250 2.1.5 <1@corp.example>"),
    ],
)
def test_whom_a_mail_is_for_stays_out_of_the_log_whatever_the_relay_says(caplog, outcome):
    """The matter may be confidential; the outbox has the reply as it was said."""
    desk = Desk(Memory(), Scripted(outcome))
    with caplog.at_level(logging.INFO, "deskbell.courier"):
        desk.step()
    assert "(address)" in caplog.text
    assert "corp.example" not in caplog.text.lower()


@given(st.lists(st.sampled_from([OK, NO_SUCH, FULL, DOWN, HELD, SILENT, Stop]), max_size=30), st.integers(1, 8))
def test_whatever_the_relay_does_each_mail_ends_settled_and_none_is_held(script, count):
    desk = Desk(Memory(count), Scripted(*script, OK))
    for _ in range(len(script) + count):
        try:
            desk.step()
        except Stop:
            continue
        assert SENDING not in desk.outbox.states()
        desk.clock.now = desk.courier.idle_until(desk.clock.now) or desk.clock.now
    assert set(desk.outbox.states()) <= {SENT, REFUSED, EXPIRED}
