"""A running daemon moves into what was changed as a whole, and stays where it is when something is wrong."""

import logging
from dataclasses import dataclass, field

import pytest

from desk.mail import Address
from desk.person import Person
from routing.rules import starter_text
from service.house import UNSIGNED, House, Surroundings, build_house
from service.reload import Reload, Sources, built
from service.routing import propose, submit
from service.settings import load
from service.transactions import DirectTransactions
from service.written import Written
from store import people, routing
from store.database import Database
from store.routing import Authorship, Origin
from tests.service.cast import NOON

CONFIG = """own_domains = ["corp.example"]
mailbox = [{ address = "help@corp.example", department = "it" }]
maildir.path = "out"
limits.external_receipts_per_day = 2
"""
STARTER = starter_text()
SURROUNDINGS = Surroundings(UNSIGNED, "UTC")


@dataclass
class Office:
    """A daemon's reload on a database in memory, and the houses it moved into."""

    path: object
    database: Database
    houses: list[House] = field(default_factory=list)

    def __post_init__(self):
        self.configure(CONFIG)
        sources = Sources(
            self.database,
            DirectTransactions(self.database),
            lambda: load(self.path),
            lambda settings, written: build_house(settings, SURROUNDINGS, written),
            lambda: NOON,
        )
        house, held = built(sources, load(self.path), rereads_file=True)
        self.houses.append(house)
        self.reload = Reload(sources, held, [self.houses.append])

    def configure(self, text):
        self.path.write_text(text)

    def hang_up(self):
        """What SIGHUP leads to."""
        self.reload.ask()
        return self.reload.step()

    def submit(self, text):
        proposal = propose(self.database, Written(text, "edited.toml"), load(self.path), SURROUNDINGS)
        submit(self.database, proposal, Authorship("anna", Origin.IMPORT, ""), now=NOON)

    def know(self, *persons, base=0):
        with self.database.write() as connection:
            people.change(connection, put=persons, drop=[], base=base)


@pytest.fixture
def office(tmp_path, prepared, caplog):
    caplog.set_level(logging.INFO, "deskbell.reload")
    return Office(tmp_path / "config.toml", prepared)


def test_nothing_new_is_no_work_and_moves_nobody(office):
    assert office.reload.step() is False
    assert len(office.houses) == 1


def test_an_import_is_taken_over_by_the_next_step_once(office, caplog):
    office.submit(STARTER.replace('"IT support"', '"The desk"'))
    assert [office.reload.step(), office.reload.step()] == [True, False]
    assert [house.departments["it"].names["en"] for house in office.houses] == ["IT support", "The desk"]
    assert "taken over: routing version 2: changed department it" in caplog.text


def test_people_are_taken_over_by_the_next_step(office, caplog):
    office.know(Person("anna@home.example"))
    office.reload.step()
    assert [house.is_own(Address("", "anna@home.example")) for house in office.houses] == [False, True]
    assert "taken over: people, change 1" in caplog.text


def test_settings_are_read_only_when_asked(office, caplog):
    office.configure(CONFIG.replace("day = 2", "day = 3"))
    assert office.reload.step() is False
    assert office.hang_up() is True
    assert [house.limits.external_per_day for house in office.houses] == [2, 3]
    assert "taken over: config.toml: limits.external_receipts_per_day" in caplog.text


def test_what_needs_a_restart_is_named_and_the_rest_holds(office, caplog):
    office.configure(CONFIG.replace("day = 2", "day = 3").replace('"out"', '"elsewhere"'))
    office.hang_up()
    assert office.houses[-1].limits.external_per_day == 3
    assert "config.toml: needs a restart: maildir.path" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("maildir", "mail dir", "not TOML"),
        ("day = 2", 'day = "two"', "limits.external_receipts_per_day"),
        ('department = "it"', 'department = "legal"', "'legal'; accepted: a department of routing version 1"),
    ],
)
def test_a_broken_configuration_changes_nothing_and_is_logged_with_its_reason(office, caplog, old, new, says):
    office.configure(CONFIG.replace(old, new))
    office.hang_up()
    assert len(office.houses) == 1
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert says in record.getMessage()
    office.configure(CONFIG.replace("day = 2", "day = 3"))
    office.hang_up()
    assert office.houses[-1].limits.external_per_day == 3


def test_a_configuration_that_went_missing_changes_nothing(office, caplog):
    office.path.unlink()
    office.hang_up()
    assert len(office.houses) == 1
    assert "cannot be read" in caplog.text


def test_a_broken_version_is_logged_once_and_the_next_good_one_holds(office, caplog):
    for number, text in enumerate((STARTER.replace('zone = "system"', 'zone = "Mars/Base"'), STARTER), start=1):
        with office.database.write() as connection:
            routing.add(connection, text, Authorship("", Origin.IMPORT, ""), base=number, now=NOON)
        assert [office.reload.step(), office.reload.step()] == [True, False]
    assert len(office.houses) == 2
    assert caplog.text.count("Mars/Base") == 1


def test_a_changed_routing_file_is_taken_over_when_asked_until_somebody_imports(office, caplog):
    file = office.path.with_name("routing.toml")
    file.write_text(STARTER.replace('"IT support"', '"The desk"'))
    assert office.reload.step() is False
    office.hang_up()
    assert office.houses[-1].departments["it"].names["en"] == "The desk"
    office.submit(STARTER)
    office.hang_up()
    assert office.houses[-1].departments["it"].names["en"] == "IT support"
    assert "routing.toml is not read" in caplog.text


def test_a_changed_routing_file_does_not_come_in_by_the_back_door_with_people(office):
    office.path.with_name("routing.toml").write_text("broken = ")
    office.know(Person("anna@home.example"))
    office.reload.step()
    assert office.houses[-1].is_own(Address("", "anna@home.example"))


def test_what_the_database_prevented_is_taken_over_by_the_next_step(office, monkeypatch):
    office.submit(STARTER.replace('"IT support"', '"The desk"'))
    office.configure(CONFIG.replace("day = 2", "day = 3"))
    office.reload.ask()
    with monkeypatch.context() as broken:
        broken.setattr(people, "everybody", lambda _connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.reload.step()
    assert [office.reload.step(), office.reload.step()] == [True, False]
    assert (office.houses[-1].departments["it"].names["en"], office.houses[-1].limits.external_per_day) == (
        "The desk",
        3,
    )


def warnings(caplog):
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def test_no_department_of_the_starter_set_reads_at_help(office, caplog):
    assert office.houses
    assert warnings(caplog) == []


@pytest.mark.parametrize("alias", ["", 'aliases = ["hr@corp.example"], '])
def test_a_department_that_reads_in_a_watched_mailbox_is_warned_of_at_the_start_and_at_each_change(
    tmp_path, prepared, caplog, alias
):
    """The starter set gives hr the address hr@: who watches that one alone is told, and served all the same."""
    (tmp_path / "config.toml").write_text("")
    watched = CONFIG.replace("help@corp.example", "help@corp.example" if alias else "HR@corp.example")
    watched = watched.replace("{ address", "{ " + alias + "address")

    class Circle(Office):
        def configure(self, _text):
            super().configure(watched)

    office = Circle(tmp_path / "config.toml", prepared)
    (warning,) = warnings(caplog)
    assert warning.startswith("department hr reads at hr@corp.example, which deskbell watches: staff find its")
    office.submit(STARTER.replace('"IT support"', '"The desk"'))
    office.reload.step()
    assert warnings(caplog) == [warning, warning]
    office.submit(STARTER.replace("[departments.hr]", '[departments.hr]\naddress = "hr-team@corp.example"'))
    office.reload.step()
    assert len(warnings(caplog)) == 2
