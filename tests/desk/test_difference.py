"""What differs between two sets of named things is found whole, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.difference import Change, ChangeKind, FieldChange, differences

ADDED, CHANGED, REMOVED = ChangeKind

texts = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)
things = st.dictionaries(st.sampled_from("xyz"), st.dictionaries(st.sampled_from("fg"), texts, max_size=2), max_size=3)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {}, ()),
        ({"x": {"f": ("a",)}}, {"x": {"f": ("a",)}}, ()),
        ({"x": {"f": ("a", "b")}}, {"x": {"f": ("b", "a", "a")}}, ()),
        ({"x": {"f": ()}}, {"x": {}}, ()),
        ({}, {"x": {}}, (Change(ADDED, "x", ()),)),
        ({}, {"x": {"f": ("a",)}}, (Change(ADDED, "x", (FieldChange("f", (), ("a",)),)),)),
        ({"x": {"f": ("a",)}}, {}, (Change(REMOVED, "x", (FieldChange("f", ("a",), ()),)),)),
        (
            {"x": {"f": ("a", "b"), "g": ("c",)}},
            {"x": {"f": ("b", "c"), "g": ("c",)}},
            (Change(CHANGED, "x", (FieldChange("f", ("a",), ("c",)),)),),
        ),
        (
            {"x": {}, "y": {}},
            {"z": {}, "y": {}},
            (Change(REMOVED, "x", ()), Change(ADDED, "z", ())),
        ),
    ],
)
def test_each_thing_that_is_not_the_same_is_named_once_with_its_fields(before, after, changes):
    assert differences(before, after) == changes


def applied(before, changes):
    """The sets that a difference leads to."""
    result = {name: {field: set(texts) for field, texts in fields.items()} for name, fields in before.items()}
    for change in changes:
        if change.kind is REMOVED:
            del result[change.name]
            continue
        fields = result.setdefault(change.name, {})
        for one in change.fields:
            fields[one.field] = fields.get(one.field, set()) - set(one.removed) | set(one.added)
    return {name: {field: texts for field, texts in fields.items() if texts} for name, fields in result.items()}


@given(things, things)
def test_a_difference_leads_from_the_one_to_the_other(before, after):
    assert applied(before, differences(before, after)) == applied(after, ())


@given(things, things)
def test_the_way_back_is_the_same_difference_turned_round(before, after):
    turned = {ADDED: REMOVED, CHANGED: CHANGED, REMOVED: ADDED}
    forth = {(turned[one.kind], one.name) for one in differences(before, after)}
    assert {(one.kind, one.name) for one in differences(after, before)} == forth
