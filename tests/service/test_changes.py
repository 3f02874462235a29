"""A difference is told so that somebody can decide: what goes first, then what changes, then what comes."""

from desk.difference import Change, ChangeKind, FieldChange
from service.changes import LISTED, as_values, counted, in_words, summary

CHANGES = (
    Change(ChangeKind.ADDED, "rule vpn", (FieldChange("any", (), ("vpn",)),)),
    Change(
        ChangeKind.CHANGED,
        "rule printer",
        (FieldChange("weight", ("1",), ("2",)), FieldChange("any", ("fax",), ("toner", "ink"))),
    ),
    Change(ChangeKind.REMOVED, "department hr", (FieldChange("calendar", ("office",), ()),)),
)


def test_lines_for_people_name_each_thing_and_each_changed_field():
    assert list(in_words(CHANGES)) == [
        "removed  department hr",
        "changed  rule printer",
        "           weight: 1 -> 2",
        "           any: -fax, +toner, +ink",
        "added    rule vpn",
    ]


def test_many_things_of_one_kind_are_counted_behind_the_first():
    many = [Change(ChangeKind.ADDED, f"rule {number}", ()) for number in range(LISTED + 3)]
    lines = list(in_words(many))
    assert (len(lines), lines[-1]) == (LISTED + 1, "added    and 3 more")
    assert len(as_values(many)) == LISTED + 3


def test_one_line_says_how_many_and_which():
    assert counted(CHANGES) == "1 added, 1 changed, 1 removed"
    assert counted(()) == "no change"
    assert summary(CHANGES, most=2) == "added rule vpn; changed rule printer; and 1 more"
    assert summary(CHANGES) == "added rule vpn; changed rule printer; removed department hr"
    assert summary(()) == "nothing but comments or layout"


def test_scripts_get_every_field():
    assert as_values(CHANGES)[1] == {
        "change": "changed",
        "name": "rule printer",
        "fields": [
            {"field": "weight", "removed": ["1"], "added": ["2"]},
            {"field": "any", "removed": ["fax"], "added": ["toner", "ink"]},
        ],
    }
