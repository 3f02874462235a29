"""The house: which address leads to which mailbox, who is one of us, and what a configuration makes of it all."""

from dataclasses import FrozenInstanceError

import pytest

from desk.acknowledge import External, Mode
from desk.limiter import Limits
from desk.mail import Address
from intake.evidence import EvidencePolicy
from routing.tables import RoutingError
from service.house import UNSIGNED, Surroundings, build_house, starter_house
from service.settings import load

SURROUNDINGS = Surroundings(UNSIGNED, "Europe/Warsaw")
CONFIG = """
own_domains = ["corp.example", "corp.test"]

[[mailbox]]
address = "Help@Corp.example"
aliases = ["it@corp.example", "help+urgent@corp.test"]
mode = "receipts"
external = "all"

[[mailbox]]
address = "hr@corp.example"
department = "hr"

[maildir]
path = "out"
"""
ROUTING = """
default = "desk"
[calendars.always]
zone = "Asia/Tokyo"
hours = { mon-sun = ["00:00-24:00"] }
[departments.desk]
names = { en = "The desk" }
calendar = "always"
[departments.desk.targets]
normal = { first_response = "1h", resolution = "2h" }
"""


@pytest.fixture
def built(tmp_path):
    """The house of a configuration, with a routing file of its own where one is given."""

    def build(config=CONFIG, routing=None):
        path = tmp_path / "config.toml"
        path.write_text(config, encoding="utf-8")
        path.chmod(0o600)
        if routing is not None:
            (tmp_path / "routing.toml").write_text(routing, encoding="utf-8")
        return build_house(load(path), SURROUNDINGS)

    return build


@pytest.fixture
def house(built):
    return built()


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("help@corp.example", "Help@Corp.example"),
        ("HELP@CORP.EXAMPLE", "Help@Corp.example"),
        ("it@corp.example", "Help@Corp.example"),
        ("help+t.abc@corp.example", "Help@Corp.example"),
        ("it+a+b@corp.example", "Help@Corp.example"),
        ("help+urgent@corp.test", "Help@Corp.example"),
        ("hr@corp.example", "hr@corp.example"),
        ("help@corp.test", None),
        ("help+other@corp.test", None),
        ("xhelp@corp.example", None),
        ("help@corp.example.attack.example", None),
        ("help", None),
        ("+x@corp.example", None),
        ("@corp.example", None),
        ("", None),
        ("\u0130t@corp.example", None),
    ],
)
def test_an_address_leads_to_its_mailbox_whatever_its_case_and_tag(house, address, mailbox):
    found = house.mailbox_of(address)
    assert (found and found.address) == mailbox
    assert house.is_mailbox(Address("", address)) is (mailbox is not None)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("anna@corp.example", True),
        ("anna@CORP.test", True),
        ("anna@sub.corp.example", False),
        ("anna@notcorp.example", False),
        ("anna@corp.example@attack.example", False),
        ("corp.example", False),
        ("", False),
    ],
)
def test_who_writes_from_one_of_our_domains_is_one_of_us(house, address, own):
    assert house.is_own(Address("", address)) is own


def test_nobody_is_neither_one_of_us_nor_a_mailbox(house):
    assert not house.is_own(None)
    assert not house.is_mailbox(None)


def test_each_mailbox_has_what_its_configuration_says(house):
    first, second = house.mailboxes.values()
    assert (first.mode, first.external, first.department) == (Mode.RECEIPTS, External.ALL, None)
    assert (second.mode, second.external, second.department) == (Mode.FULL, External.LIMITED, "hr")
    assert set(house.mailboxes) == {"Help@Corp.example", "hr@corp.example"}


def test_limits_switched_off_are_no_limits(built):
    assert built().limits == Limits()
    assert built(CONFIG + "[limits]\nexternal_receipts_per_day = 0\n").limits == Limits(external_per_day=0)
    assert built(CONFIG + "[limits]\nenabled = false\n").limits is None


def test_without_a_routing_file_the_starter_set_holds_in_the_systems_zone(house):
    assert "it" in house.departments
    assert str(house.calendars["office"].zone) == "Europe/Warsaw"
    assert house.departments["it"].address == "it@corp.example"


def test_a_routing_file_beside_the_configuration_holds_instead(built):
    config = CONFIG.replace('department = "hr"\n', "")
    house = built(config, ROUTING)
    assert set(house.departments) == {"desk"}
    assert str(house.calendars["always"].zone) == "Asia/Tokyo"


def test_a_mailbox_of_a_department_there_is_not_is_refused_by_name(built):
    with pytest.raises(RoutingError, match=r"hr@corp\.example.*department.*'hr'"):
        built(routing=ROUTING)


def test_a_broken_routing_file_is_refused_by_its_name(built):
    with pytest.raises(RoutingError, match=r"routing\.toml"):
        built(routing="default = ")


def test_a_routing_file_in_another_encoding_is_refused_with_its_line(built, tmp_path):
    (tmp_path / "routing.toml").write_bytes('default = "desk"\n# żółw\n'.encode("iso-8859-2"))
    with pytest.raises(RoutingError, match=r"routing\.toml.*another encoding in line 2"):
        built()


def test_every_calendar_a_department_works_by_is_there(house):
    assert {department.calendar for department in house.departments.values()} <= set(house.calendars)


def test_evidence_is_weighed_as_configured(built):
    config = CONFIG + '[auth]\nmode = "trusted_ar"\ntrusted_ids = ["mx.corp.example"]\n'
    assert built(config).evidence == EvidencePolicy(
        mode="trusted_ar",
        own_domains=frozenset({"corp.example", "corp.test"}),
        trusted_ids=frozenset({"mx.corp.example"}),
    )


def test_the_house_without_configuration_has_no_mailbox_and_no_limit():
    house = starter_house(SURROUNDINGS)
    assert (house.mailboxes, house.limits, house.own_domains) == ({}, None, frozenset())
    assert house.mailbox_of("help@corp.example") is None


def test_a_house_cannot_be_rebuilt_in_place(house):
    with pytest.raises(FrozenInstanceError):
        house.mailboxes = {}
