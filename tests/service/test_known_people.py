"""Whoever is known is one of us under each address, and a house that is changed behind a mail's back loses nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest

from desk.mail import Address
from desk.person import Person
from desk.promise import Delay, Targets
from routing.matcher import Matcher
from routing.rules import RuleSet
from service.letters import receipt
from service.people import people_of
from tests.service.cast import door, office, works
from tests.service.test_letters import HOUSE, matter

ALIAS = "anna@home.example"
ANNA = Person("anna@corp.example", (ALIAS,), "pl", "Asia/Tokyo")
KNOWN = replace(office(), people=people_of([ANNA]))
ROWS = "SELECT fate, reason, receipt FROM arrival ORDER BY id"


def letter(number, subject, text="ok", sender=ALIAS, **fields):
    more = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <m{number}@x.example>\r\n{more}"
    return door(f"{head}\r\n{text}\r\n".encode(), sender)


@pytest.fixture
def desk():
    with works() as desk:
        yield desk


def settled(desk, *arrivals):
    desk.accept(*arrivals)
    desk.settle()
    return desk.rows(ROWS)


def test_a_person_who_is_known_by_an_alias_gets_the_receipt_of_one_of_us(desk):
    assert settled(desk, letter(1, "printer"))[-1][2] == "limited: external-limited"
    desk.pipeline.move_into(KNOWN)
    assert settled(desk, letter(2, "screen"))[-1][2] == "send: own-person"


@pytest.mark.parametrize(("house", "fate"), [(office(), "held"), (KNOWN, "appended")])
def test_a_request_may_be_continued_from_another_address_of_the_same_person(desk, house, fate):
    desk.pipeline.move_into(house)
    settled(desk, letter(1, "printer", sender="anna@corp.example"))
    answer = {"In-Reply-To": "<m1@x.example>"}
    assert settled(desk, letter(2, "Re: printer", "still jams", **answer))[-1][0] == fate


@pytest.mark.parametrize(
    ("text", "language"), [("ok", "pl"), ("Good morning, the printer on our floor does not work since Monday.", "en")]
)
def test_a_mail_in_no_language_for_sure_is_answered_in_the_language_of_the_person(desk, text, language):
    desk.pipeline.move_into(KNOWN)
    settled(desk, letter(1, "??", text))
    assert desk.rows("SELECT language FROM request") == [(language,)]


def test_the_receipt_tells_the_moments_in_the_zone_of_the_person():
    def told(house):
        message = message_from_bytes(receipt(matter(), house).content, policy=policy.default)
        return message.get_body(("plain",)).get_content()

    assert "Tuesday 3 March, 12:00 (UTC)" in told(HOUSE)
    assert "Tuesday 3 March, 21:00 (JST)" in told(replace(HOUSE, people=KNOWN.people))


@pytest.mark.parametrize(
    ("zone", "reason"), [("UTC", True), ("Asia/Tokyo", False), ("America/New_York", True)], ids=str
)
def test_a_reason_why_not_today_is_told_only_where_it_is_not_today_for_the_reader(zone, reason):
    """On Sunday evening in the office, whose people answer on Monday at nine; in Tokyo it is Monday all the time."""
    sunday = datetime(2026, 3, 1, 22, tzinfo=ZoneInfo("UTC"))
    targets = Targets(sunday + timedelta(hours=11), sunday + timedelta(days=2), Delay.CLOSED, "Founders' Day")
    about = replace(matter(), now=sunday, targets=targets)
    house = replace(HOUSE, people=people_of([replace(ANNA, zone=zone)]))
    content = message_from_bytes(receipt(about, house).content, policy=policy.default)
    assert ("Founders' Day" in content.get_body(("plain",)).get_content()) is reason


def test_requests_of_a_department_that_was_removed_are_answered_by_the_default_one(desk):
    settled(desk, letter(1, "salary payslip", sender="anna@corp.example"))
    assert desk.rows("SELECT department FROM request") == [("payroll",)]
    house = office()
    without = {key: one for key, one in house.departments.items() if key != "payroll"}
    desk.pipeline.move_into(replace(house, departments=without, matcher=Matcher(RuleSet((), "hr"))))
    answer = {"In-Reply-To": "<m1@x.example>"}
    assert settled(desk, letter(2, "Re: salary", "and?", sender="anna@corp.example", **answer))[-1][0] == "appended"
    assert desk.rows("SELECT recipient FROM outbox ORDER BY id DESC LIMIT 1") == [("hr@localhost",)]


def test_a_batch_is_stored_in_the_house_it_was_judged_in(desk):
    """Between parsing and storing the pipeline moves; the next mail is settled in the new house."""
    settle, house = desk.pipeline.settle, office()
    renamed = replace(house, matcher=Matcher(RuleSet((), "hr")))
    judge_and_move = desk.parser.parse_batch

    def moving(items):
        desk.pipeline.move_into(renamed)
        return judge_and_move(items)

    desk.parser.parse_batch = moving
    desk.accept(letter(1, "salary payslip"))
    settle()
    desk.accept(letter(2, "salary payslip again"))
    desk.settle()
    assert desk.rows("SELECT department FROM request ORDER BY number") == [("payroll",), ("it",)]


def test_who_is_nobody_is_not_one_of_us():
    assert not KNOWN.is_own(None)
    assert KNOWN.is_own(Address("", ALIAS.upper()))
    assert not KNOWN.is_own(Address("", "eva@home.example"))
