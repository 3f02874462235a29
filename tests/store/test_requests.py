"""Requests, their history, and what threading asks."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from desk.lifecycle import State
from desk.mail import Address
from desk.outbox import NoticeKind
from desk.request import Entry, EntryKind
from desk.thread import SentMail
from store import requests
from store.requests import StoredThreads
from store.tables import journal as journal_table
from store.tables import request as table
from tests.store.cast import (
    ANNA,
    HOUR,
    NOON,
    accept,
    imap,
    new_request,
    notice,
    open_request,
    owe,
    settle,
)

ENTRY = Entry(EntryKind.MAIL, NOON, "anna@corp.example", "Nie działa.\n", "<1@corp.example>", arrival=1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def find(database, number=1001):
    with database.read() as connection:
        return requests.find(connection, number)


def every(database, department=None, state=None):
    with database.read() as connection:
        return [one.number for one in requests.every(connection, department=department, state=state)]


def append(database, number, *entries):
    with database.write() as connection:
        for one in entries:
            requests.append(connection, number, one)


def entries(database, *numbers):
    with database.read() as connection:
        return requests.entries(connection, numbers)


def asked(database, name, *arguments):
    with database.read() as connection:
        return getattr(StoredThreads(connection), name)(*arguments)


def test_a_request_comes_back_as_it_was_opened(database):
    open_request(database)
    assert find(database) == new_request()


@pytest.mark.parametrize("requester", [None, Address("", "a@b.example"), Address("Ёж", '"a b"@B.example')])
def test_its_requester_comes_back_as_written_or_is_nobody(database, requester):
    open_request(database, new_request(requester=requester))
    assert find(database).requester == requester


def test_a_number_nobody_has_is_no_request(database):
    assert find(database, 1001) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_any_subject_name_and_text_come_back_as_written(database, subject, name, text):
    with database.write() as connection:
        number = requests.next_number(connection)
    request = new_request(number, subject=subject, requester=Address(name, "anna@corp.example"))
    open_request(database, request)
    accept(database, imap())
    append(database, number, replace(ENTRY, text=text))
    assert find(database, number) == request
    assert entries(database, number)[number][0].text == text


def test_its_category_is_kept(database):
    open_request(database)
    with database.read() as connection:
        assert connection.scalar(select(table.c.category)) == "printer"


def test_numbers_begin_at_1001_and_never_repeat_even_where_a_request_is_erased(database):
    assert [open_request(database) for _ in range(3)] == [1001, 1002, 1003]
    with database.write() as connection:
        connection.execute(requests.participant.delete())
        connection.execute(table.delete())
    assert open_request(database) == 1004


def taken_and_lost(database):
    with database.write() as connection:
        requests.next_number(connection)
        raise ValueError


def test_a_number_whose_transaction_failed_was_never_given(database):
    with pytest.raises(ValueError):  # noqa: PT011
        taken_and_lost(database)
    assert open_request(database) == 1001


def test_a_number_that_is_taken_cannot_be_opened_again(database):
    open_request(database)
    with pytest.raises(IntegrityError):
        open_request(database, new_request(1001, subject="another"))
    assert find(database).subject == "Drukarka"


def test_requests_are_listed_newest_first_by_department_and_state(database):
    open_request(database)
    open_request(database, new_request(1002, department="hr"))
    open_request(database, new_request(1003, state=State.ANSWERED))
    assert every(database) == [1003, 1002, 1001]
    assert every(database, department="it") == [1003, 1001]
    assert every(database, state=State.NEW) == [1002, 1001]
    assert every(database, department="it", state=State.NEW) == [1001]
    assert every(database, department="none") == []


@pytest.mark.parametrize("state", State)
def test_a_state_is_changed_for_that_request_alone(database, state):
    open_request(database)
    open_request(database, new_request(1002))
    with database.write() as connection:
        requests.change_state(connection, 1001, state)
    assert (find(database).state, find(database, 1002).state) == (state, State.NEW)


def test_the_history_is_given_oldest_first_for_each_request_asked_for(database):
    accept(database, imap(1), imap(2))
    for number in (1001, 1002, 1003):
        open_request(database, new_request(number))
    answer = replace(ENTRY, kind=EntryKind.ANSWER, at=NOON - HOUR, message_id=None, arrival=2)
    append(database, 1001, ENTRY, answer)
    append(database, 1003, ENTRY)
    assert entries(database, 1001, 1002) == {1001: [ENTRY, answer], 1002: []}
    assert entries(database) == {}


def test_an_entry_belongs_to_a_request_and_an_arrival_that_are_there(database):
    open_request(database)
    with pytest.raises(IntegrityError):
        append(database, 1001, ENTRY)
    accept(database, imap())
    with pytest.raises(IntegrityError):
        append(database, 1002, ENTRY)


def test_the_requester_is_the_first_participant_by_folded_address(database):
    open_request(database)
    assert asked(database, "participants", 1001) == {"anna@corp.example"}


def test_a_request_of_nobody_and_no_request_have_no_participants(database):
    open_request(database, new_request(requester=None))
    assert asked(database, "participants", 1001) == frozenset()
    assert asked(database, "participants", 999_999_999_999) == frozenset()


def test_our_mails_are_known_by_their_id_with_whom_they_went_to(database):
    number = open_request(database)
    owe(database, notice("r1"), notice("n1", NoticeKind.NOTIFICATION), number=number)
    ids = ["<n1@corp.example>", "<unknown@x>", "<r1@corp.example>"]
    assert asked(database, "sent", ids) == {
        "<r1@corp.example>": SentMail(1001, to_department=False, recipient=ANNA.key),
        "<n1@corp.example>": SentMail(1001, to_department=True, recipient=ANNA.key),
    }


def test_mails_received_on_a_request_are_known_and_others_are_not(database):
    accept(database, imap(1), imap(2), imap(3))
    number = open_request(database)
    settle(database, 1, message_id="<1@x>", request_number=number)
    settle(database, 2, "filed", message_id="<2@x>")
    assert asked(database, "received", ["<1@x>", "<2@x>", "<3@x>"]) == {"<1@x>": 1001}


@pytest.mark.parametrize("hostile", ["' OR 1=1 --", "%", "_", "\0", "<" + "x" * 998 + ">", "\U0001f600"])
def test_a_hostile_id_is_only_an_id_nobody_knows(database, hostile):
    owe(database, notice())
    assert asked(database, "sent", [hostile] * 20) == {}
    assert asked(database, "received", [hostile] * 20) == {}


def test_the_requester_is_still_shown_as_written(database):
    open_request(database)
    assert find(database).requester == ANNA
    assert ANNA.address != ANNA.key


def test_opening_a_request_writes_no_journal_of_its_own(database):
    open_request(database)
    with database.read() as connection:
        assert connection.execute(select(journal_table)).all() == []
