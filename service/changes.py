"""A difference in words for the admin who decides, and as values for scripts."""

from collections.abc import Iterator, Sequence
from typing import Any

from desk.difference import Change, ChangeKind, FieldChange

LISTED = 40
"""Things of one kind that are named one by one; a script gets all of them."""


def as_values(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Every change as JSON has it."""
    return [
        {
            "change": change.kind.value,
            "name": change.name,
            "fields": [
                {"field": one.field, "removed": list(one.removed), "added": list(one.added)} for one in change.fields
            ],
        }
        for change in changes
    ]


def in_words(changes: Sequence[Change]) -> Iterator[str]:
    """Lines for people: what is removed, then changed with each field, then added."""
    for kind in (ChangeKind.REMOVED, ChangeKind.CHANGED, ChangeKind.ADDED):
        found = [change for change in changes if change.kind is kind]
        for change in found[:LISTED]:
            yield f"{kind:<8} {change.name}"
            if kind is ChangeKind.CHANGED:
                yield from (f"           {_field(one)}" for one in change.fields)
        if len(found) > LISTED:
            yield f"{kind:<8} and {len(found) - LISTED} more"


def counted(changes: Sequence[Change]) -> str:
    """How many of each kind: "2 added, 1 changed"."""
    counts = [(kind, sum(change.kind is kind for change in changes)) for kind in ChangeKind]
    return ", ".join(f"{count} {kind}" for kind, count in counts if count) or "no change"


def summary(changes: Sequence[Change], most: int = 5) -> str:
    """One line: "changed rule it-printer; added rule it-vpn; and 3 more"."""
    if not changes:
        return "nothing but comments or layout"
    words = [f"{change.kind} {change.name}" for change in changes[:most]]
    return "; ".join([*words, *([f"and {len(changes) - most} more"] if len(changes) > most else [])])


def _field(one: FieldChange) -> str:
    if len(one.removed) == len(one.added) == 1:
        return f"{one.field}: {one.removed[0]} -> {one.added[0]}"
    words = [*(f"-{text}" for text in one.removed), *(f"+{text}" for text in one.added)]
    return f"{one.field}: {', '.join(words)}"
