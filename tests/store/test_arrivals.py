"""The ledger of arrivals: accepted once, settled once, given out in an order in which no mail can block another."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from desk.arrival import Envelope, Fate, Position, Source
from store import arrivals, leases
from store.arrivals import UNCLAIMED, ArrivalLost, Earlier
from store.tables import arrival, raw
from tests.store.cast import HELP, HOUR, INBOX, NOON, accept, door, imap, open_request, settle, waiting


def count(database, table):
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def suspects(database, *, epoch=2, limit=100):
    with database.read() as connection:
        return arrivals.suspects(connection, epoch=epoch, limit=limit)


def tried(database, *ids, times=1):
    with database.write() as connection:
        for _ in range(times):
            arrivals.count_attempt(connection, ids)


def earlier(database, *, but, key="k"):
    with database.read() as connection:
        return arrivals.earlier(connection, content_key=key, but=but)


@pytest.mark.parametrize(
    "received",
    [
        pytest.param(imap(), id="imap"),
        pytest.param(door(), id="lmtp"),
        pytest.param(door(source=Source.SMTP, envelope=Envelope("", HELP)), id="null reverse-path"),
        pytest.param(imap(replayed=True, before_floor=True, complete=False, size=10**9), id="every flag"),
        pytest.param(imap(position=Position("Dział/„Różne”", 2**32 - 1, 2**32 - 1)), id="the largest UID"),
        pytest.param(imap(raw=b""), id="no bytes at all"),
        pytest.param(imap(raw=bytes(range(256)) * 1000), id="any bytes"),
    ],
)
def test_an_arrival_comes_back_as_it_was_accepted(database, received):
    accept(database, received)
    (found,) = waiting(database)
    assert found.arrival == received
    assert (found.attempts, found.epoch) == (0, 1)


def test_a_size_that_the_server_did_not_tell_is_counted(database):
    accept(database, imap(raw=b"12345", size=0))
    assert waiting(database)[0].arrival.size == 5


def test_moments_come_back_in_utc_whatever_zone_they_were_given_in(database):
    there = datetime(2026, 7, 1, 9, 30, 15, 123456, tzinfo=ZoneInfo("Asia/Tokyo"))
    accept(database, imap(received_at=there))
    found = waiting(database)[0].arrival.received_at
    assert found == there
    assert found.isoformat() == "2026-07-01T00:30:15.123456+00:00"


def test_a_moment_without_zone_is_refused_and_nothing_is_kept(database):
    with pytest.raises(Exception, match="timezone"):
        accept(database, imap(received_at=NOON.replace(tzinfo=None)))
    assert count(database, raw) == 0


def test_accepting_a_message_twice_changes_nothing(database):
    accept(database, imap())
    settle(database, 1, reason="new-request")
    accept(database, imap(replayed=True, received_at=NOON + HOUR), imap(), epoch=2)
    assert count(database, arrival) == 1
    assert waiting(database, epoch=2) == []


def test_of_a_batch_only_what_is_new_is_added(database):
    accept(database, imap(1), imap(2))
    accept(database, imap(2), imap(3), imap(3))
    assert [one.arrival.position.uid for one in waiting(database)] == [1, 2, 3]


@pytest.mark.parametrize(
    "another",
    [
        imap(mailbox="hr@corp.example"),
        imap(position=Position("Other", 42, 7)),
        imap(position=Position("INBOX", 43, 7)),
        imap(position=Position("INBOX", 42, 8)),
    ],
)
def test_a_message_is_another_one_by_mailbox_folder_uidvalidity_or_uid(database, another):
    accept(database, imap())
    accept(database, another)
    assert count(database, arrival) == 2


def test_equal_bytes_are_kept_once_for_all_arrivals(database):
    accept(database, imap(1, b"same"), imap(2, b"same"))
    accept(database, door(b"same"))
    assert (count(database, raw), count(database, arrival)) == (1, 3)
    assert {one.arrival.raw for one in waiting(database)} == {b"same"}


def test_our_door_knows_no_position_so_each_delivery_is_an_arrival(database):
    accept(database, door(), door())
    accept(database, door())
    assert count(database, arrival) == 3


def test_bytes_are_named_by_their_sha_256_and_compressed():
    packed = arrivals.pack(imap(raw=b"a" * 10_000))
    assert packed.digest == "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711"
    assert len(packed.content) < 100


def test_bytes_without_an_arrival_cannot_be_taken_away(database):
    accept(database, imap())
    with pytest.raises(Exception, match=r"FOREIGN KEY|foreign key"), database.write() as connection:
        connection.execute(raw.delete())
    assert len(waiting(database)) == 1


def test_the_oldest_wait_first_and_no_more_than_the_limit_are_given(database):
    accept(database, *(imap(uid) for uid in (5, 3, 4)))
    assert [one.arrival.position.uid for one in waiting(database)] == [5, 3, 4]
    assert [one.id for one in waiting(database, limit=2)] == [1, 2]


@pytest.mark.parametrize(("after", "ids"), [(0, [1, 2, 3]), (1, [2, 3]), (3, [])])
def test_only_what_stands_behind_a_number_is_given_where_one_is_named(database, after, ids):
    accept(database, *(imap(uid) for uid in (5, 3, 4)))
    with database.read() as connection:
        assert [one.id for one in arrivals.waiting(connection, epoch=1, limit=9, after=after)] == ids


def test_what_is_settled_was_tried_or_is_from_an_earlier_start_does_not_wait(database):
    accept(database, imap(1), epoch=1)
    accept(database, *(imap(uid) for uid in (2, 3, 4)), epoch=2)
    settle(database, 2)
    tried(database, 3)
    assert [one.id for one in waiting(database, epoch=2)] == [4]
    assert [one.id for one in suspects(database, epoch=2)] == [1, 3]


def test_suspects_come_the_least_tried_first_and_the_oldest_of_those(database):
    accept(database, *(imap(uid) for uid in (1, 2, 3, 4)))
    tried(database, 1, times=2)
    tried(database, 2, 3)
    assert [(one.id, one.attempts) for one in suspects(database)] == [(4, 0), (2, 1), (3, 1), (1, 2)]
    assert [one.id for one in suspects(database, limit=1)] == [4]


def test_a_suspect_of_this_start_is_one_that_failed_in_it(database):
    accept(database, imap(1), imap(2), epoch=2)
    assert suspects(database) == []
    tried(database, 2)
    assert [(one.id, one.epoch) for one in suspects(database)] == [(2, 2)]


def test_nothing_settled_is_suspect(database):
    accept(database, imap())
    tried(database, 1)
    settle(database, 1, "quarantined")
    assert suspects(database) == []


def test_each_arrival_is_given_out_until_it_is_settled_and_never_again(database):
    accept(database, *(imap(uid) for uid in range(1, 8)), epoch=1)
    tried(database, 3, 5)
    seen = []
    while found := suspects(database, limit=2):
        seen += [one.id for one in found]
        for one in found:
            settle(database, one.id)
    assert sorted(seen) == list(range(1, 8))


@pytest.mark.parametrize("first", [fate for fate in Fate if fate is not Fate.RECEIVED])
def test_an_arrival_has_one_fate_only(database, first):
    accept(database, imap())
    settle(database, 1, first.value, reason="the first")
    with pytest.raises(ArrivalLost):
        settle(database, 1, "opened", reason="the second")
    with database.read() as connection:
        row = connection.execute(select(arrival.c.fate, arrival.c.reason)).one()
    assert tuple(row) == (first.value, "the first")


def test_a_fate_is_written_with_all_that_led_to_it(database):
    accept(database, imap())
    number = open_request(database)
    values = {
        "fate": "opened",
        "reason": "new-request",
        "receipt": "send: own-person",
        "content_key": "k",
        "message_id": "<żółw@corp.example>",
        "evidence": 2,
        "request_number": number,
        "trace": {"language": "pl", "score": 4.5, "rules": ["subject: żółw"]},
    }
    with database.write() as connection:
        arrivals.record_fate(connection, 1, values, epoch=1)
    with database.read() as connection:
        row = connection.execute(select(arrival)).one()
    assert {key: getattr(row, key) for key in values} == values


def test_a_fate_that_names_no_request_of_ours_is_refused(database):
    accept(database, imap())
    with pytest.raises(Exception, match=r"FOREIGN KEY|foreign key"):
        settle(database, 1, request_number=999)
    assert len(waiting(database)) == 1


def test_counting_attempts_of_nothing_changes_nothing(database):
    accept(database, imap())
    tried(database)
    assert waiting(database)[0].attempts == 0


def test_earlier_arrivals_are_those_of_the_same_content_oldest_first(database):
    accept(database, *(imap(uid) for uid in (1, 2, 3, 4)))
    number = open_request(database)
    settle(database, 1, content_key="k", request_number=number)
    settle(database, 2, content_key="other")
    settle(database, 3, "duplicate", content_key="k")
    assert earlier(database, but=4) == [
        Earlier(1, HELP, NOON, number, Fate.OPENED),
        Earlier(3, HELP, NOON, None, Fate.DUPLICATE),
    ]
    assert [one.id for one in earlier(database, but=3)] == [1]
    assert earlier(database, but=1, key="unheard of") == []


def test_what_is_not_settled_is_nobodys_earlier_arrival(database):
    accept(database, imap(1), imap(2))
    assert earlier(database, but=2) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 6), max_size=12),
    st.lists(st.tuples(st.sampled_from(["try", "settle"]), st.integers(1, 6)), max_size=12),
)
def test_whatever_happens_each_message_is_once_in_the_ledger_and_waits_suspect_or_settled(database, uids, events):
    with database.write() as connection:
        connection.execute(text("DELETE FROM arrival"))
    for uid in uids:
        accept(database, imap(uid), epoch=uid % 2 + 1)
    with database.read() as connection:
        ids = {uid: number for number, uid in connection.execute(select(arrival.c.id, arrival.c.uid))}
    assert sorted(ids) == sorted(set(uids))
    for number, (event, uid) in enumerate(events):
        if uid in ids and not (event == "settle" and (event, uid) in events[:number]):
            (tried if event == "try" else settle)(database, ids[uid])
    settled = {uid for event, uid in events if event == "settle"} & set(ids)
    open_now = {one.arrival.position.uid for one in waiting(database, epoch=2)}
    left = [one.arrival.position.uid for one in suspects(database, epoch=2)]
    assert not open_now & set(left)
    assert bool(open_now or left) is bool(set(ids) - settled)
    assert not settled & (open_now | set(left))


def test_an_arrival_elsewhere_is_not_in_this_inbox(database):
    accept(database, imap(), replace(imap(), mailbox="hr@corp.example"))
    assert {one.arrival.mailbox for one in waiting(database)} == {INBOX.mailbox, "hr@corp.example"}


def claim(database, *, epoch=1, limit=100):
    with database.write() as connection:
        return arrivals.claim(connection, epoch=epoch, limit=limit)


def take_over(database, one, *, epoch):
    with database.write() as connection:
        return arrivals.take_over(connection, one, epoch=epoch)


def living(database, *starts):
    """These starts are alive, as several on one PostgreSQL are."""
    with database.write() as connection:
        for start in starts:
            leases.keep(connection, [f"start {start}"], holder=start, seconds=60)


def test_what_belongs_to_nobody_is_claimed_once_and_then_waits_for_its_start_alone(database):
    accept(database, *(imap(uid) for uid in (1, 2, 3)), epoch=UNCLAIMED)
    assert [(one.id, one.epoch) for one in claim(database, epoch=4, limit=2)] == [(1, 4), (2, 4)]
    assert [(one.id, one.epoch) for one in claim(database, epoch=5)] == [(3, 5)]
    assert claim(database, epoch=5) == []
    assert [one.id for one in waiting(database, epoch=4)] == [1, 2]


def test_what_belongs_to_nobody_is_nobodys_suspect(database):
    accept(database, imap(), epoch=UNCLAIMED)
    assert suspects(database) == []


@pytest.mark.server
def test_two_that_claim_at_once_get_different_arrivals(postgres_database):
    """The second does not wait for the first."""
    database = postgres_database
    accept(database, imap(1), imap(2), epoch=UNCLAIMED)
    with database.write() as first, database.write() as second:
        claimed = [arrivals.claim(one, epoch=epoch, limit=1) for one, epoch in ((first, 4), (second, 5))]
    assert [[one.id for one in found] for found in claimed] == [[1], [2]]


def test_what_a_living_start_holds_is_nobody_elses_suspect(database):
    accept(database, imap(1), epoch=1)
    accept(database, imap(2), epoch=2)
    living(database, 1, 3)
    assert [one.id for one in suspects(database, epoch=3)] == [2]


def test_of_two_that_take_over_the_same_arrival_one_gets_it(database):
    accept(database, imap(), epoch=1)
    (one,) = suspects(database, epoch=2)
    assert [take_over(database, one, epoch=epoch) for epoch in (2, 3)] == [True, False]
    tried(database, 1)
    assert [(found.id, found.epoch) for found in suspects(database, epoch=2)] == [(1, 2)]


def test_a_settled_arrival_is_taken_over_by_nobody(database):
    accept(database, imap(), epoch=1)
    (one,) = suspects(database, epoch=2)
    settle(database, 1)
    assert not take_over(database, one, epoch=2)


def test_whoever_lost_an_arrival_cannot_settle_it(database):
    accept(database, imap(), epoch=1)
    (one,) = suspects(database, epoch=2)
    take_over(database, one, epoch=2)
    with pytest.raises(ArrivalLost, match="arrival 1"), database.write() as connection:
        arrivals.record_fate(connection, 1, {"fate": "opened"}, epoch=1)
    tried(database, 1)
    assert [found.id for found in suspects(database, epoch=2)] == [1]
