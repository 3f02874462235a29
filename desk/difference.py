"""What differs between two sets of named things: for an admin who decides, and for a script that reads.

A thing is a name and its fields; a field holds a set of texts, whose order means nothing. One text changed into another
is one removed and one added.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

Fields = Mapping[str, tuple[str, ...]]


class ChangeKind(StrEnum):
    """What happens to a thing."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The texts that leave a field and those that come into it; never both empty."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is added, changed or removed, with each field that differs."""

    kind: ChangeKind
    name: str
    fields: tuple[FieldChange, ...]


def differences(before: Mapping[str, Fields], after: Mapping[str, Fields]) -> tuple[Change, ...]:
    """Each thing that is not the same in both, in the order of before; new ones behind it."""
    found = (_change(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after]))
    return tuple(change for change in found if change is not None)


def _change(name: str, before: Fields | None, after: Fields | None) -> Change | None:
    fields = tuple(_field_changes(before or {}, after or {}))
    if before is None:
        return Change(ChangeKind.ADDED, name, fields)
    if after is None:
        return Change(ChangeKind.REMOVED, name, fields)
    return Change(ChangeKind.CHANGED, name, fields) if fields else None


def _field_changes(before: Fields, after: Fields) -> Iterator[FieldChange]:
    for field in dict.fromkeys([*before, *after]):
        old, new = dict.fromkeys(before.get(field, ())), dict.fromkeys(after.get(field, ()))
        removed = tuple(text for text in old if text not in new)
        added = tuple(text for text in new if text not in old)
        if removed or added:
            yield FieldChange(field, removed, added)
