"""People are changed together, and whoever was overtaken changes nobody."""

import pytest

from desk.person import Person
from store import people
from store.people import PeopleMoved

ANNA = Person("anna@corp.example", ("a@home.example", "ann@corp.example"), "pl", "Asia/Tokyo", "PL", "eva@corp.example")
BOB = Person("bob@corp.example")


def change(database, base, put=(), drop=()):
    with database.write() as connection:
        people.change(connection, put=put, drop=drop, base=base)


def known(database):
    with database.read() as connection:
        return people.version(connection), people.everybody(connection)


def test_people_come_back_as_they_were_given(database):
    assert known(database) == (0, [])
    change(database, 0, put=[BOB, ANNA])
    assert known(database) == (1, [ANNA, BOB])


def test_a_known_person_is_replaced_and_a_dropped_one_is_gone(database):
    change(database, 0, put=[ANNA, BOB])
    moved = Person("anna@corp.example", zone="Europe/Rome")
    change(database, 1, put=[moved], drop=["bob@corp.example"])
    assert known(database) == (2, [moved])


@pytest.mark.parametrize("base", [0, 2])
def test_who_was_overtaken_changes_nobody(database, base):
    change(database, 0, put=[ANNA])
    with pytest.raises(PeopleMoved):
        change(database, base, put=[BOB], drop=["anna@corp.example"])
    assert known(database) == (1, [ANNA])
