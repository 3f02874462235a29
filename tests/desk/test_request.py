"""Requests and their numbers, and what an owed mail may be."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.classification import Priority
from desk.department import Department, TargetPolicy
from desk.lifecycle import State
from desk.outbox import SENDING_ORDER, NoticeKind, Verdict
from desk.outbox import OutboxState as Is
from desk.request import FIRST_NUMBER, Request, number_of, reference_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reference", "number"),
    [
        ("R-1042", 1042),
        ("r-1042", 1042),
        ("  R-1042\n", 1042),
        ("R-0007", 7),
        ("R-999999999999", 999_999_999_999),
        ("R-1000000000000", None),
        ("R-" + "1" * 5_000, None),
        ("1042", None),
        ("R1042", None),
        ("R-", None),
        ("R--5", None),
        ("R-+5", None),
        ("R-1 042", None),
        ("R-1_042", None),
        ("R-\u0661\u0660", None),
        ("R-\u00b2", None),
        ("RR-5", None),
        ("R-5-6", None),
        ("", None),
    ],
)
def test_a_reference_is_read_or_is_none(reference, number):
    assert number_of(reference) == number


@given(st.integers(0, 10**12 - 1))
def test_a_number_and_its_reference_are_the_same(number):
    assert number_of(reference_of(number)) == number


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_none(text):
    assert number_of(text) is None or text.strip()[:2] in ("R-", "r-")


def test_the_first_number_looks_like_neither_a_room_nor_a_year():
    assert FIRST_NUMBER == 1001
    assert reference_of(FIRST_NUMBER) == "R-1001"


def test_a_request_knows_its_reference():
    request = Request(1042, "x", None, "help@corp.example", "it", State.NEW, Priority.LOW, "en", NOON, NOON, NOON)
    assert request.reference == "R-1042"


def test_people_are_written_to_before_staff_and_each_kind_has_its_place():
    assert SENDING_ORDER[NoticeKind.RECEIPT] < SENDING_ORDER[NoticeKind.NOTIFICATION]
    assert set(SENDING_ORDER) == set(NoticeKind)


def test_a_verdict_says_perhaps_sent_only_where_it_is_told_so():
    assert Verdict(Is.DUE, "421 later", NOON).perhaps_sent is False


NAMES = {"en": "IT Support", "pl": "Wsparcie IT"}


@pytest.mark.parametrize(
    ("names", "language", "name"),
    [(NAMES, "pl", "Wsparcie IT"), (NAMES, "ja", "IT Support"), ({}, "pl", "it"), ({"pl": ""}, "pl", "it")],
)
def test_a_department_is_named_in_the_readers_language_else_english_else_its_key(names, language, name):
    assert Department("it", names, "it@corp.example", "office").name_in(language) == name


@pytest.mark.parametrize(("first", "solved"), [(0, 4), (-1, 4), (5, 4)])
def test_a_policy_that_promises_nothing_or_solves_before_it_answers_is_refused(first, solved):
    hour = NOON - NOON.replace(hour=11)
    with pytest.raises(ValueError, match="0 < first_response <= resolution"):
        TargetPolicy(first * hour, solved * hour)


def test_a_policy_may_promise_both_for_one_moment():
    hour = NOON - NOON.replace(hour=11)
    assert TargetPolicy(hour, hour).resolution == hour
