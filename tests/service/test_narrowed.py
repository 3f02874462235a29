"""A list is narrowed down to what is or was there; every other name is refused with those that are accepted."""

import pytest

from service import narrowed
from service.narrowed import NoSuchDepartment, NoSuchMailbox
from service.settings import load
from store import requests
from tests.service.cast import imap
from tests.store.cast import new_request

ROUTING = """default = "it"
[calendars.office]
zone = "Europe/Warsaw"
hours = { mon-fri = ["09:00-17:00"] }
[departments.it]
names = { en = "IT support" }
address = "it-team@corp.example"
calendar = "office"
[departments.it.targets]
normal = { first_response = "4h", resolution = "16h" }
"""


@pytest.fixture
def settings(tmp_path):
    """One mailbox with another name; the only department is it."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[[mailbox]]\naddress = "Front@corp.example"\naliases = ["desk@corp.example", "help@corp.example"]\n'
        '[maildir]\npath = "outgoing"\n'
    )
    (tmp_path / "routing.toml").write_text(ROUTING)
    return load(path)


@pytest.mark.parametrize("key", [None, "it", "travel"])
def test_a_department_of_the_routing_or_of_a_request_is_accepted(desk, settings, key):
    with desk.database.write() as connection:
        requests.open_request(connection, new_request(1001, department="travel"), category=None)
        narrowed.to_department(settings, connection, key)
        with pytest.raises(NoSuchDepartment):
            narrowed.to_department(settings, connection, "nowhere")


@pytest.mark.parametrize("key", ["nowhere", "IT", "", "it "])
def test_any_other_department_is_refused_with_those_that_are_accepted(desk, settings, key):
    with desk.database.write() as connection:
        requests.open_request(connection, new_request(1001, department="travel"), category=None)
        with pytest.raises(NoSuchDepartment, match=f"^{key!r} is no department: accepted are it, travel$"):
            narrowed.to_department(settings, connection, key)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        ("front@CORP.example", "Front@corp.example"),
        ("desk@corp.example", "Front@corp.example"),
        ("HELP@corp.example", "help@corp.example"),
    ],
)
def test_a_mailbox_is_found_as_the_ledger_writes_it(desk, settings, given, found):
    """help@ was a mailbox before it became an alias: the ledger has its mail under that name."""
    desk.accept(imap(1))
    with desk.database.read() as connection:
        assert narrowed.to_mailbox(settings, connection, given) == found


@pytest.mark.parametrize("given", ["nobody@corp.example", ""])
def test_any_other_mailbox_is_refused_with_those_that_are_accepted(desk, settings, given):
    desk.accept(imap(1))
    with (
        desk.database.read() as connection,
        pytest.raises(NoSuchMailbox, match=r"accepted are Front@corp\.example, help@corp\.example$"),
    ):
        narrowed.to_mailbox(settings, connection, given)
