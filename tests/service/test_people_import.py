"""An import of people is checked beside everybody who is known, and then happens whole or not at all."""

import pytest

from desk.difference import ChangeKind
from desk.person import Person
from service.people_csv import BadPeople
from service.people_import import Given, propose, submit
from service.settings import load
from store import people
from store.people import PeopleMoved
from tests.service.cast import NOON

ANNA, BOB = Person("anna@corp.example", ("a@home.example",), "pl"), Person("bob@corp.example")


@pytest.fixture
def settings(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(
        'mailbox = [{address = "help@corp.example", aliases = ["it@corp.example"]}]\nmaildir.path = "out"\n'
    )
    return load(config)


@pytest.fixture
def known(prepared):
    """Anna and Bob are known."""
    with prepared.write() as connection:
        people.change(connection, put=[ANNA, BOB], drop=[], base=0)
    return prepared


def everybody(database):
    with database.read() as connection:
        return people.everybody(connection)


def proposed(database, settings, content, *, replace=False):
    return propose(database, Given(content.encode(), "staff.csv", replace), settings)


def kinds(proposal):
    return [(change.kind, change.name) for change in proposal.changes]


def test_an_import_adds_and_updates_and_forgets_nobody(known, settings):
    proposal = proposed(known, settings, "address,zone\nanna@corp.example,Asia/Tokyo\neva@corp.example,\n")
    assert kinds(proposal) == [(ChangeKind.CHANGED, "anna@corp.example"), (ChangeKind.ADDED, "eva@corp.example")]
    submit(known, proposal, {"author": "leo"}, now=NOON)
    anna = Person("anna@corp.example", ("a@home.example",), "pl", "Asia/Tokyo")
    assert everybody(known) == [anna, BOB, Person("eva@corp.example")]


def test_only_who_replaces_forgets_those_who_are_not_in_the_file(known, settings):
    proposal = proposed(known, settings, "address\nanna@corp.example\n", replace=True)
    assert kinds(proposal) == [(ChangeKind.REMOVED, "bob@corp.example")]
    submit(known, proposal, {}, now=NOON)
    assert everybody(known) == [ANNA]


def test_the_same_file_again_changes_nothing(known, settings):
    assert kinds(proposed(known, settings, "address,aliases,language\nanna@corp.example,a@home.example,pl\n")) == []


def test_an_address_may_move_to_another_person_where_both_are_in_the_file(known, settings):
    proposal = proposed(known, settings, "address,aliases\nanna@corp.example,\nbob@corp.example,a@home.example\n")
    submit(known, proposal, {}, now=NOON)
    assert [one.aliases for one in everybody(known)] == [(), ("a@home.example",)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("eva@corp.example,a@home.example", "line 2: a@home.example belongs to anna@corp.example already"),
        ("a@home.example,", "line 2: a@home.example belongs to anna@corp.example already"),
        ("IT@corp.example,", "line 2: it@corp.example is a mailbox that deskbell serves"),
        ("eva@corp.example,help@corp.example", "line 2: help@corp.example is a mailbox that deskbell serves"),
    ],
)
def test_an_address_that_is_somebody_elses_is_refused_with_its_line(known, settings, line, says):
    with pytest.raises(BadPeople, match=says):
        proposed(known, settings, f"address,aliases\n{line}\n")


def test_whoever_was_overtaken_changes_nobody_and_leaves_no_trace(known, settings):
    mine, theirs = (proposed(known, settings, f"address\n{name}@corp.example\n") for name in ("eva", "leo"))
    submit(known, theirs, {}, now=NOON)
    with pytest.raises(PeopleMoved):
        submit(known, mine, {}, now=NOON)
    assert "eva@corp.example" not in [one.address for one in everybody(known)]
    with known.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM journal").scalar_one() == 1


def test_the_journal_says_who_and_how_many_but_names_nobody(known, settings):
    proposal = proposed(known, settings, "address\neva@corp.example\n")
    submit(known, proposal, {"author": "leo", "reason": "new"}, now=NOON)
    with known.read() as connection:
        (detail,) = connection.exec_driver_sql("SELECT detail FROM journal").scalars()
    assert "leo" in detail
    assert "eva" not in detail
