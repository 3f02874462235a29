"""Requests of several departments: their parts come back, change alone, and are what a request is found by."""

from dataclasses import replace

import pytest

from desk.classification import Priority
from desk.lifecycle import State
from desk.promise import Targets
from desk.request import Part
from store import parts, requests
from tests.store.cast import HOUR, NOON, new_request, open_request

PAYROLL = Part("hr@corp.example", "payroll", Priority.LOW, State.NEW, NOON + 2 * HOUR, NOON + 9 * HOUR)
LEGAL = replace(PAYROLL, mailbox="legal@corp.example", department="legal", state=State.ANSWERED)


def find(database, number=1001):
    with database.read() as connection:
        return requests.find(connection, number)


def every(database, **known):
    with database.read() as connection:
        found = requests.every(connection, **{"department": None, "state": None, **known})
    return [one.number for one in found]


def divided(database, *further, number=1001):
    open_request(database, new_request(number, further=further))


def test_a_request_comes_back_with_its_parts_in_their_order(database):
    divided(database, PAYROLL, LEGAL)
    divided(database, number=1002)
    assert find(database) == new_request(further=(PAYROLL, LEGAL))
    assert find(database, 1002) == new_request(1002)
    with database.read() as connection:
        assert requests.page(connection, before=1003, limit=9) == [new_request(1002), find(database)]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"department": "it"}, [1002, 1001]),
        ({"department": "payroll"}, [1001]),
        ({"department": "legal"}, [1001]),
        ({"department": "hr"}, []),
        ({"state": State.ANSWERED}, [1001]),
        ({"department": "legal", "state": State.ANSWERED}, [1001]),
        ({"department": "payroll", "state": State.ANSWERED}, []),
        ({}, [1002, 1001]),
    ],
)
def test_a_request_is_found_by_department_and_state_of_any_one_part(database, wanted, numbers):
    divided(database, PAYROLL, LEGAL)
    divided(database, number=1002)
    assert every(database, **wanted) == numbers


def test_a_part_changes_alone(database):
    divided(database, PAYROLL, LEGAL)
    later = Targets(NOON + 3 * HOUR, NOON + 30 * HOUR)
    with database.write() as connection:
        parts.change_state(connection, 1001, "payroll", State.OPEN)
        parts.goes_by(connection, 1001, "legal", later)
        requests.goes_by(connection, 1001, Targets(NOON + HOUR, NOON + 2 * HOUR))
    moved = replace(LEGAL, first_response_due=later.first_response, resolution_due=later.resolution)
    further = (replace(PAYROLL, state=State.OPEN), moved)
    assert find(database) == new_request(resolution_due=NOON + 2 * HOUR, further=further)


def test_each_department_counts_the_requests_it_has_a_part_of(database):
    divided(database, PAYROLL)
    divided(database, number=1002)
    with database.read() as connection:
        assert requests.count_by_department(connection) == {"it": 2, "payroll": 1}
