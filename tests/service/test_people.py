"""People are known by each of their addresses, and by nothing else."""

from zoneinfo import ZoneInfo

import pytest

from desk.mail import Address
from desk.person import Person
from service.people import NOBODY, people_of

ANNA = Person("anna@corp.example", ("a@home.example",), "pt-BR", "Asia/Tokyo")
BOB = Person("bob@corp.example", language="de", zone="Mars/Base")
PEOPLE = people_of([ANNA, BOB])


def who(address):
    return Address("", address)


@pytest.mark.parametrize(
    ("address", "person"),
    [
        ("anna@corp.example", ANNA),
        ("A@HOME.example", ANNA),
        ("bob@corp.example", BOB),
        ("b@home.example", None),
        ("", None),
    ],
)
def test_a_person_is_found_by_each_address_in_any_case(address, person):
    assert PEOPLE.find(who(address)) == person


def test_nobody_is_no_person():
    assert PEOPLE.find(None) is PEOPLE.zone_of(None) is PEOPLE.language_of(None) is NOBODY.find(who("a@home.example"))


def test_moments_are_told_in_the_zone_of_a_person_where_it_exists():
    assert PEOPLE.zone_of(who("a@home.example")) == ZoneInfo("Asia/Tokyo")
    assert PEOPLE.zone_of(who("bob@corp.example")) is None


@pytest.mark.parametrize(
    ("language", "written"), [("pl", "pl"), ("it-CH", "it"), ("de", None), ("pt-BR", None), ("", None), ("plx", None)]
)
def test_a_language_is_used_only_where_deskbell_writes_it(language, written):
    assert people_of([Person("x@corp.example", language=language)]).language_of(who("x@corp.example")) == written


def test_the_same_people_are_found_by_all_of_their_addresses():
    given = frozenset({"a@home.example", "new@corp.test"})
    assert PEOPLE.same(given) == given | {"anna@corp.example"}
    assert PEOPLE.same(()) == frozenset()
