"""Limits, lateness and brake in the whole pipeline: what is owed, when it goes out, and what it says."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from desk.limiter import Limits
from service.rewording import reword_outdated
from store import waiting
from tests.service.cast import HELP, HR, NOON, door, works, works_with

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
RECEIPTS = "SELECT recipient, state, next_attempt FROM outbox WHERE kind = 'receipt' ORDER BY id"
DECIDED = "SELECT receipt FROM arrival ORDER BY id"


def letter(number, *, sender="anna@corp.example", words=None, **known):
    """A mail that says something else than the others, unless words are given."""
    text = words or f"Please look at the {'abcdefghijklmnopqrstuvwxyz'[number % 26] * (number // 26 + 3)} machine."
    fields = f"From: Anna Nowak <{sender}>\r\nSubject: Trouble {number}\r\nMessage-ID: <{number}@corp.example>\r\n"
    return door(f"{fields}\r\n{text}\r\n".encode(), sender, **known)


@pytest.fixture
def desk():
    with works() as desk:
        yield desk


def texts(desk):
    """The plain text of each receipt, and the rest of the message."""
    found = []
    for (content,) in desk.rows(
        "SELECT content FROM outbox JOIN outbox_content ON outbox_id = outbox.id WHERE kind = 'receipt' ORDER BY id"
    ):
        message = message_from_bytes(content, policy=policy.default)
        found.append((message, message.get_body(("plain",)).get_content().replace("\r\n", "\n")))
    return found


def test_what_exceeds_the_hour_of_a_colleague_shares_one_later_receipt(desk):
    for number in range(14):
        desk.accept(letter(number))
    desk.settle()
    receipts = desk.rows(RECEIPTS)
    assert len(receipts) == 11
    assert receipts[-1][2].startswith("2026-03-02 13:00")
    told = desk.rows(
        "SELECT count(DISTINCT request_number) FROM promise WHERE outbox_id = (SELECT max(outbox_id) FROM promise)"
    )
    assert told == [(4,)]
    message, text = texts(desk)[-1]
    assert message["Subject"] == "Re: Trouble 10"
    assert "This mail answers 4 of them." in text
    assert all(f"Ref: R-{number} " in text for number in (1011, 1012, 1013, 1014))
    decided = [row[0] for row in desk.rows(DECIDED)]
    assert decided == ["send: own-person"] * 10 + ["send: own-person, waits: many-this-hour"] * 4


def test_a_colleague_has_one_budget_for_all_addresses_with_a_tag(desk):
    for number in range(11):
        desk.accept(letter(number, sender=f"anna+{number}@corp.example"))
    desk.settle()
    assert [row[2] > "2026-03-02 12:30" for row in desk.rows(RECEIPTS)] == [False] * 10 + [True]


def test_a_machine_of_ours_without_any_mark_falls_silent(desk):
    """It answers each receipt at once with the same words, quotes nothing and has no header that tells."""
    sent = 0
    for number in range(20):
        desk.accept(letter(number, words="Thank you. Your message was received.", received_at=desk.clock.time))
        desk.settle()
        receipts = desk.rows("SELECT max(next_attempt), count(*) FROM outbox WHERE kind = 'receipt'")
        if receipts[0][1] == sent:
            break
        sent = receipts[0][1]
        desk.clock.time = max(desk.clock.time, NOON.fromisoformat(f"{receipts[0][0]}+00:00")) + timedelta(seconds=5)
    assert sent == 5
    assert desk.rows(DECIDED)[-1] == ("never: answers-receipts",)


def test_the_department_learns_of_each_mail_that_was_met_with_silence(desk):
    for number in range(3):
        desk.accept(letter(number, sender="eve@elsewhere.example"))
    desk.settle()
    assert desk.rows(DECIDED)[-1] == ("never: external-limit-reached",)
    news = desk.rows(
        "SELECT content FROM outbox JOIN outbox_content ON outbox_id = outbox.id "
        "WHERE kind = 'notification' ORDER BY id"
    )
    text = message_from_bytes(news[-1][0], policy=policy.default).get_body(("plain",)).get_content()
    assert "No receipt was sent: an outside sender who was sent 2 receipts in the last 24 hours" in text


def test_an_outside_domain_has_a_budget_and_freemail_has_none(desk):
    for number in range(25):
        desk.accept(
            letter(number, sender=f"p{number}@shop.example"), letter(100 + number, sender=f"p{number}@gmail.com")
        )
    desk.settle()
    silent = desk.rows("SELECT count(*) FROM arrival WHERE receipt = 'never: domain-limit-reached'")
    assert silent == [(5,)]
    assert desk.rows("SELECT count(*) FROM limiter WHERE address LIKE '%gmail.com'") == [(25,)]


def test_four_colleagues_who_say_the_same_are_all_answered_at_once(desk):
    for number in range(4):
        desk.accept(letter(number, sender=f"p{number}@corp.example", words="The VPN is down, nobody can work."))
    desk.settle()
    assert [row[2] for row in desk.rows(RECEIPTS)] == ["2026-03-02 12:00:00.000000"] * 4


def test_the_circuit_delays_our_people_silences_outsiders_and_alarms_once():
    with works_with(Limits(circuit_per_10_minutes=8)) as desk:
        for number in range(7):
            desk.accept(letter(number, sender=f"p{number % 3}@corp.example"))
        desk.accept(letter(7, sender="eve@elsewhere.example"))
        desk.settle()
        waits = [row[2] for row in desk.rows(RECEIPTS)]
        assert waits == ["2026-03-02 12:00:00.000000"] * 4 + ["2026-03-02 12:10:00.000000"] * 3
        assert desk.rows(DECIDED)[-1] == ("never: circuit-open",)
        assert desk.rows("SELECT count(*) FROM journal WHERE event = 'alarm'") == [(1,)]
        desk.clock.pass_by(minutes=11)
        desk.accept(letter(8, mailbox=HR), letter(9))
        desk.settle()
        assert desk.rows(DECIDED)[-1] == ("send: own-person",)
        assert desk.rows(RECEIPTS)[-1][2] == "2026-03-02 12:11:00.000000"


def test_switched_off_nothing_is_limited_or_counted():
    with works_with(None) as desk:
        for number in range(60):
            desk.accept(letter(number, words="The same."), letter(100 + number, sender="eve@elsewhere.example"))
        desk.settle()
        assert {row[2] for row in desk.rows(RECEIPTS)} == {"2026-03-02 12:00:00.000000"}
        assert len(desk.rows(RECEIPTS)) == 120
        assert desk.rows("SELECT count(*) FROM limiter") == [(0,)]


def test_after_an_outage_a_person_gets_one_receipt_that_names_each_mail_and_excuses_itself(desk):
    """Sent on Friday, settled on Monday noon; it waits a minute for the others."""
    friday = NOON - timedelta(days=3)
    desk.accept(
        letter(1, received_at=friday),
        letter(2, received_at=friday + HOUR),
        letter(3, sender="ben@corp.example", received_at=friday),
    )
    desk.settle()
    assert [row[:2] for row in desk.rows(RECEIPTS)] == [("anna@corp.example", "due"), ("ben@corp.example", "due")]
    assert {row[2] for row in desk.rows(RECEIPTS)} == {"2026-03-02 12:01:00.000000"}
    both, one = (text for _, text in texts(desk))
    assert "We are sorry that you hear from us only now." in both
    assert "Friday 27 February, 12:00 (UTC)" in both
    assert "Friday 27 February, 13:00 (UTC)" in both
    assert "You wrote to us:\n  Friday 27 February, 12:00 (UTC)\nWe are sorry that you hear from us only now." in one
    assert all(due > "2026-03-02 12:01" for (due,) in desk.rows("SELECT due FROM promise"))
    told = "SELECT promise.request_number, recipient FROM promise JOIN outbox ON outbox.id = outbox_id"
    by = f"{told} WHERE promise.kind = 'resolution'"
    assert desk.rows(by) == [(1001, "anna@corp.example"), (1002, "anna@corp.example"), (1003, "ben@corp.example")]


def test_what_is_older_than_five_days_is_shown_to_staff_alone(desk):
    desk.accept(letter(1, received_at=NOON - timedelta(days=5, seconds=1)))
    desk.settle()
    assert desk.rows(DECIDED) == [("never: too-old",)]
    assert desk.rows("SELECT kind FROM outbox") == [("notification",)]


def test_too_many_late_receipts_are_held_all_of_them_until_they_are_released():
    with works_with(Limits(catch_up=3)) as desk:
        for number in range(5):
            desk.accept(letter(number, sender=f"p{number}@corp.example", received_at=NOON - timedelta(days=3)))
        desk.accept(letter(9, sender="new@corp.example"))
        desk.settle()
        assert [row[1] for row in desk.rows(RECEIPTS)] == ["held"] * 5 + ["due"]
        assert desk.rows("SELECT count(*) FROM journal WHERE event = 'alarm'") == [(1,)]
        desk.clock.pass_by(days=1)
        assert (
            desk.transactions.run(lambda connection: waiting.release(connection, waiting.BRAKE, now=desk.clock())) == 5
        )
        assert {row[1] for row in desk.rows(RECEIPTS)} == {"due"}
        assert reword_outdated(desk.database, desk.transactions, desk.house, desk.clock())
        assert all(due > "2026-03-03 12:00" for (due,) in desk.rows("SELECT due FROM promise"))
        assert not reword_outdated(desk.database, desk.transactions, desk.house, desk.clock())


@pytest.mark.parametrize(
    ("attempted", "changed"), [("ambiguous = 0", True), ("ambiguous = 1", False), ("state = 'sending'", False)]
)
def test_a_receipt_whose_promise_has_passed_says_another_unless_somebody_may_have_it(desk, attempted, changed):
    desk.accept(letter(1))
    desk.settle()
    before = texts(desk)[0][0]
    with desk.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET {attempted}")
    desk.clock.pass_by(days=1)
    assert reword_outdated(desk.database, desk.transactions, desk.house, desk.clock()) is changed
    after, text = texts(desk)[0]
    assert (str(after) != str(before)) is changed
    for name in ("Message-ID", "Subject", "In-Reply-To", "To", "From", "X-Deskbell-Id"):
        assert after[name] == before[name]
    if changed:
        assert "You wrote to us:\n  Monday 2 March, 12:00 (UTC)" in text
        due, first = desk.rows("SELECT due, first_response_due FROM promise, request WHERE kind = 'first-response'")[0]
        assert due == first > "2026-03-03 12:00"
        assert desk.rows("SELECT count(*) FROM promise") == [(2,)]


def test_an_outsiders_reworded_receipt_still_tells_nothing(desk):
    desk.accept(letter(1, sender="eve@elsewhere.example"))
    desk.settle()
    desk.clock.pass_by(days=1)
    assert reword_outdated(desk.database, desk.transactions, desk.house, desk.clock())
    message, text = texts(desk)[0]
    assert message["Subject"] == "We have received your message"
    assert "Anna" not in text
    assert "IT" not in text
    assert HELP not in text


def test_a_receipt_of_a_department_that_is_no_more_promises_what_its_heir_can_keep(desk):
    desk.accept(letter(1), letter(2, sender="ben@corp.example"))
    desk.settle()
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE request SET department = 'gone' WHERE number = 1001")
    desk.clock.pass_by(days=1)
    assert reword_outdated(desk.database, desk.transactions, desk.house, desk.clock())
    assert [row[1] for row in desk.rows(RECEIPTS)] == ["due", "due"]
    assert "It is now with IT support." in texts(desk)[0][1]
    assert not reword_outdated(desk.database, desk.transactions, desk.house, desk.clock())
