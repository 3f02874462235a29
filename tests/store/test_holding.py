"""Mails are held back and let go; the list says what is known of each."""

from dataclasses import replace

from desk.outbox import NoticeKind, OutboxState, Phase, Verdict
from store import holding, outbox, parts
from store.holding import Owed
from tests.store.cast import ANNA, HOUR, MINUTE, NOON, new_request, notice, open_request, owe


def every(database, state=None):
    with database.read() as connection:
        return holding.every(connection, state=state)


def claim(database, now=NOON):
    with database.write() as connection:
        return outbox.claim(connection, now=now, limit=10, holder=1)


def hold(database, *ids):
    with database.write() as connection:
        holding.hold(connection, ids)


def release(database, *ids, now=NOON):
    with database.write() as connection:
        holding.release(connection, ids, now=now)


def record(database, claimed, state):
    with database.write() as connection:
        outbox.record(connection, claimed, Verdict(state, "250 ok"), now=NOON)


def test_a_mail_that_was_never_tried_is_due_at_its_moment(database):
    owe(database, notice())
    assert every(database) == [
        Owed(
            id=1,
            kind=NoticeKind.RECEIPT,
            recipient=ANNA.key,
            message_id="<r1@corp.example>",
            state=OutboxState.DUE,
            phase=None,
            attempts=0,
            next_attempt=NOON,
            last_reply=None,
            departments=("it",),
        )
    ]


def test_the_list_can_be_of_one_department_and_one_state(database):
    """A mail about no request belongs to none, one about a request of several to each."""
    owe(database, notice("a"))
    owe(database, notice("b"), number=open_request(database, new_request(1002, department="hr")))
    with database.write() as connection:
        outbox.owe(connection, None, notice("c", NoticeKind.EVENING, targets=None), now=NOON)
        parts.add(connection, 1002, [replace(new_request().parts[0], department="payroll")])
        holding.hold(connection, [2])
        for department, state, ids in (
            ("it", None, [1]),
            ("hr", None, [2]),
            ("payroll", None, [2]),
            ("hr", OutboxState.DUE, []),
            (None, OutboxState.DUE, [1, 3]),
        ):
            found = holding.every(connection, state=state, department=department)
            assert [one.id for one in found] == ids
        found = holding.every(connection, state=None)
        assert [one.departments for one in found] == [("it",), ("hr", "payroll"), ()]


def test_a_mail_in_flight_says_how_far_it_is(database):
    owe(database, notice())
    claim(database)
    assert every(database)[0].phase is Phase.CLAIMED


def test_a_settled_mail_has_the_reply_and_no_next_attempt(database):
    owe(database, notice())
    record(database, claim(database)[0], OutboxState.SENT)
    assert (every(database)[0].last_reply, every(database)[0].next_attempt) == ("250 ok", None)


def test_a_held_mail_is_never_claimed(database):
    owe(database, notice("r1"), notice("r2"))
    hold(database, 1)
    assert [one.id for one in claim(database, NOON)] == [2]


def test_a_held_mail_is_nothing_to_wait_for(database):
    owe(database, notice())
    hold(database, 1)
    with database.read() as connection:
        assert outbox.next_due(connection) is None
    assert every(database)[0].next_attempt is None


def test_a_start_does_not_free_what_a_person_holds(database):
    owe(database, notice())
    hold(database, 1)
    with database.write() as connection:
        assert outbox.recover(connection, now=NOON, hold=HOUR) == (0, 0)
    assert every(database)[0].state is OutboxState.HELD


def test_a_released_mail_is_due_now(database):
    owe(database, notice())
    hold(database, 1)
    release(database, 1, now=NOON + MINUTE)
    assert every(database)[0].next_attempt == NOON + MINUTE
    assert [one.id for one in claim(database, NOON + MINUTE)] == [1]


def test_only_due_mail_can_be_held_and_only_held_mail_released(database):
    owe(database, notice("r1"), notice("r2"))
    sent, flying = claim(database)
    record(database, sent, OutboxState.SENT)
    before = every(database)
    hold(database, sent.id, flying.id)
    release(database, sent.id, flying.id, now=NOON + HOUR)
    assert every(database) == before


def test_the_list_is_oldest_first_and_of_one_state_where_asked(database):
    owe(database, notice("r1"), notice("r2"), notice("r3"))
    hold(database, 3, 1)
    assert [one.id for one in every(database)] == [1, 2, 3]
    assert [one.id for one in every(database, OutboxState.HELD)] == [1, 3]


def test_states_leave_out_what_is_not_there(database):
    owe(database, notice())
    with database.write() as connection:
        assert holding.states(connection, [1, 99]) == {1: OutboxState.DUE}
