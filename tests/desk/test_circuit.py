"""The circuit: what is too much for so many people."""

import pytest

from desk.circuit import circuits


@pytest.mark.parametrize(
    ("told", "people", "house", "mailbox"),
    [
        (4, 4, False, False),
        (49, 0, False, False),
        (50, 0, False, True),
        (50, 51, False, False),
        (99, 12, False, True),
        (100, 12, True, True),
        (100, 101, False, False),
        (300, 600, False, False),
        (600, 600, True, True),
    ],
)
def test_a_circuit_opens_at_its_base_or_at_the_number_of_people_who_write(told, people, house, mailbox):
    """Four colleagues who report the same trouble are nothing, and neither is half of a large company."""
    whole, one = circuits("help@corp.example", 100)
    assert (whole.is_open(told, people), one.is_open(told, people)) == (house, mailbox)


def test_a_mailbox_can_be_told_something_whatever_the_setting():
    assert circuits("help@corp.example", 1)[1].limit(0) == 1
