"""Which routing holds, and how another one takes its place."""

import pytest

from desk.difference import ChangeKind
from routing.rules import starter_text
from routing.tables import RoutingError
from service.calendars import CalendarError
from service.house import UNSIGNED, Surroundings
from service.routing import NoSuchVersion, adopt, propose, standing, stored_text, submit
from service.settings import load
from service.written import Written
from store import routing
from store.routing import Authorship, Origin, VersionMoved
from tests.service.cast import NOON

SURROUNDINGS = Surroundings(UNSIGNED, "UTC")
STARTER = starter_text()
OTHER = STARTER.replace("weight = 1.2", "weight = 1.3", 1)
THIRD = STARTER.replace("weight = 1.2", "weight = 1.4", 1)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(
        'mailbox = [{address = "help@corp.example", department = "it"}]\nmaildir.path = "out"\n'
    )
    return tmp_path


@pytest.fixture
def settings(folder):
    return load(folder / "config.toml")


def newest(database):
    with database.read() as connection:
        return routing.newest(connection)


def started(database, settings):
    """What holds after a start."""
    held = standing(settings, newest(database))
    with database.write() as connection:
        adopt(connection, held, now=NOON)
    return held.written.text


def origins(database):
    with database.read() as connection:
        return [one.authorship.origin for one in reversed(routing.history(connection))]


def imported(database, settings, text, origin=Origin.IMPORT):
    proposal = propose(database, Written(text, "edited.toml"), settings, SURROUNDINGS)
    return submit(database, proposal, Authorship("anna", origin, ""), now=NOON)


def test_the_first_start_stores_the_starter_set_and_the_second_nothing(prepared, settings):
    assert [started(prepared, settings) for _ in range(2)] == [STARTER, STARTER]
    assert origins(prepared) == [Origin.STARTER]


def test_a_routing_file_is_stored_at_each_start_that_finds_it_changed(prepared, settings, folder):
    for text in (OTHER, OTHER, THIRD):
        (folder / "routing.toml").write_text(text)
        assert started(prepared, settings) == text
    assert origins(prepared) == [Origin.FILE, Origin.FILE]


def test_a_routing_file_that_appears_later_takes_the_place_of_the_starter_set(prepared, settings, folder):
    started(prepared, settings)
    (folder / "routing.toml").write_text(OTHER)
    assert started(prepared, settings) == OTHER


def test_a_routing_file_that_is_removed_was_moved_over(prepared, settings, folder):
    (folder / "routing.toml").write_text(OTHER)
    started(prepared, settings)
    (folder / "routing.toml").unlink()
    assert started(prepared, settings) == OTHER


@pytest.mark.parametrize("origin", [Origin.IMPORT, Origin.RESTORE])
def test_once_somebody_imported_the_store_holds_against_the_file(prepared, settings, folder, origin):
    started(prepared, settings)
    imported(prepared, settings, OTHER, origin)
    (folder / "routing.toml").write_text("broken = ")
    assert standing(settings, newest(prepared)).unread_file
    assert started(prepared, settings) == OTHER
    assert origins(prepared) == [Origin.STARTER, origin]


def test_a_proposal_says_what_would_change_and_changes_nothing(prepared, settings):
    started(prepared, settings)
    proposal = propose(prepared, Written(OTHER, "edited.toml"), settings, SURROUNDINGS)
    assert [(change.kind, change.name) for change in proposal.changes] == [(ChangeKind.CHANGED, "rule it-printer")]
    assert (proposal.base, proposal.changed, proposal.orphans) == (1, True, {})
    assert origins(prepared) == [Origin.STARTER]


def test_comments_alone_are_stored_although_nothing_changes(prepared, settings):
    started(prepared, settings)
    proposal = propose(prepared, Written(f"# mine\n{STARTER}", "edited.toml"), settings, SURROUNDINGS)
    assert (proposal.changed, proposal.changes) == (True, ())
    assert not propose(prepared, Written(STARTER, "edited.toml"), settings, SURROUNDINGS).changed


def test_what_was_imported_is_exported_byte_for_byte(prepared, settings):
    started(prepared, settings)
    text = f"# żółw\r\n{STARTER}\n\n\n"
    imported(prepared, settings, text)
    assert stored_text(prepared, None).text == text
    assert stored_text(prepared, 1).text == STARTER
    with pytest.raises(NoSuchVersion, match="numbered 1 to 2"):
        stored_text(prepared, 3)


def test_of_two_admins_the_second_is_refused(prepared, settings):
    started(prepared, settings)
    mine = propose(prepared, Written(OTHER, "mine.toml"), settings, SURROUNDINGS)
    imported(prepared, settings, THIRD)
    with pytest.raises(VersionMoved):
        submit(prepared, mine, Authorship("bob", Origin.IMPORT, ""), now=NOON)
    assert newest(prepared).content == THIRD


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (('name = "it-printer"', 'nom = "it-printer"'), RoutingError, r"edited\.toml: rules no\. 1: name"),
        (("weight = 1.2", "weight = 1000"), RoutingError, r'edited\.toml: rule "it-printer": weight'),
        (
            ('zone = "system"', 'zone = "Mars/Base"'),
            CalendarError,
            r"edited\.toml: calendar office: zone is 'Mars/Base'",
        ),
        (('default = "it"', 'default = "ict"'), RoutingError, r"edited\.toml: default: found 'ict'"),
    ],
)
def test_a_broken_text_is_refused_before_it_is_compared(prepared, settings, change, error, says):
    assert change[0] in STARTER
    with pytest.raises(error, match=says):
        propose(prepared, Written(STARTER.replace(*change, 1), "edited.toml"), settings, SURROUNDINGS)


def test_a_department_that_a_mailbox_needs_cannot_be_removed(prepared, settings):
    text = STARTER.replace("[departments.it", "[departments.ict").replace('"it"', '"ict"')
    with pytest.raises(RoutingError, match=r"mailbox\[1\] \(help@corp\.example\): department: found 'it'"):
        propose(prepared, Written(text, "edited.toml"), settings, SURROUNDINGS)
