"""Two routings are compared by what they mean: layout and comments are no difference, everything else is."""

import pytest

from desk.difference import Change, ChangeKind, FieldChange
from routing.difference import routing_differences
from routing.reading import read_routing
from routing.rules import starter_text

BASE = """
default = "it"
[calendars.office]
zone = "Europe/Warsaw"
hours = { mon-fri = ["09:00-17:00"] }
closed = { "2026-12-24" = "Christmas Eve" }
[departments.it]
names = { en = "IT" }
calendar = "office"
[departments.it.targets]
normal = { first_response = "4h", resolution = "16h" }
[departments.hr]
names = { en = "HR" }
calendar = "office"
[departments.hr.targets]
normal = { first_response = "90m", resolution = "16h" }
[[rules]]
name = "printer"
department = "it"
weight = 1.2
any = ["printer*", "toner"]
sender.any = ["*@corp.example"]
[[rules]]
name = "leave"
department = "hr"
any = ["leave"]
[[rules]]
name = "login"
department = "it"
any = ["login"]
"""
PRINTER, LEAVE, LOGIN = (f"[[rules]]{part}" for part in BASE.split("[[rules]]")[1:])
HEAD = BASE.split("[[rules]]", maxsplit=1)[0]


def routing(text):
    return read_routing(text, source="test", default_domain="corp.example")


def changed(name, field, before, after):
    return (Change(ChangeKind.CHANGED, name, (FieldChange(field, before, after),)),)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ('default = "it"', 'default = "hr"', changed("default", "department", ("it",), ("hr",))),
        ("Europe/Warsaw", "Asia/Tokyo", changed("calendar office", "zone", ("Europe/Warsaw",), ("Asia/Tokyo",))),
        ("Eve", "Day", changed("calendar office", "closed.2026-12-24", ("Christmas Eve",), ("Christmas Day",))),
        ('en = "IT"', 'en = "IT", pl = "Info"', changed("department it", "names.pl", (), ("Info",))),
        (
            '"90m"',
            '"2h"',
            changed(
                "department hr",
                "targets.normal",
                ("answer in 90m, solved in 16h",),
                ("answer in 2h, solved in 16h",),
            ),
        ),
        ("weight = 1.2", "weight = 1.25", changed("rule printer", "weight", ("1.2",), ("1.25",))),
        ('"toner"', '"ink", "jam"', changed("rule printer", "any", ("toner",), ("ink", "jam"))),
        ('"*@corp', '"*@lab', changed("rule printer", "sender.any", ("*@corp.example",), ("*@lab.example",))),
        (
            'any = ["leave"]',
            'any = ["leave"]\nenabled = false',
            changed("rule leave", "enabled", ("true",), ("false",)),
        ),
        ('any = ["login"]', 'any = ["login"]\npriority = "high"', changed("rule login", "priority", (), ("high",))),
        ('"printer*", "toner"', '"toner",   "printer*"  # another order\n', ()),
    ],
)
def test_a_changed_value_is_told_with_what_it_was_and_what_it_becomes(old, new, changes):
    assert old in BASE
    assert routing_differences(routing(BASE), routing(BASE.replace(old, new))) == changes


def test_a_department_without_an_address_differs_where_the_domain_does():
    there = read_routing(BASE, source="test", default_domain="corp.test")
    names = [change.name for change in routing_differences(routing(BASE), there)]
    assert names == ["department it", "department hr"]


def test_a_new_rule_in_between_moves_none_of_the_others():
    new = PRINTER.replace("printer", "fax")
    (change,) = routing_differences(routing(BASE), routing(HEAD + PRINTER + new + LEAVE + LOGIN))
    assert (change.kind, change.name) == (ChangeKind.ADDED, "rule fax")


def test_rules_in_another_order_are_a_difference_because_order_breaks_ties():
    (change,) = routing_differences(routing(BASE), routing(HEAD + LEAVE + LOGIN + PRINTER))
    assert change == Change(ChangeKind.CHANGED, "order of the rules", (FieldChange("moved", (), ("printer",)),))


def test_the_starter_set_does_not_differ_from_itself_without_its_comments():
    bare = "\n".join(line for line in starter_text().splitlines() if not line.startswith("#"))
    assert bare != starter_text()
    assert routing_differences(routing(starter_text()), routing(bare)) == ()
