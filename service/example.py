"""config.example.toml, made from the declarations of the settings, so that it can neither lack nor invent one.

A line without # has to be filled in; a line with # shows the default, or an example where there is none.
"""

from collections.abc import Iterator
from datetime import date
from json import dumps
from sys import stdout
from textwrap import wrap
from types import UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from service.notation import SHOWN, Section, section_in
from service.settings import Settings

_WIDTH = 100
_HEAD = """\
# deskbell: every setting with its meaning and default.
# Lines without # have to be filled in. A line with # shows the default, or an example where there is none.
"""


def example() -> str:
    """The text of config.example.toml: it loads as it stands, once the accounts in it exist."""
    return _HEAD + "\n".join(_table("", Settings, live=True)) + "\n"


def _table(key: str, section: type[Section], *, live: bool) -> Iterator[str]:
    """Plain settings first: in TOML whatever follows a table's header belongs to that table."""
    fields = section.model_fields
    for name, field in fields.items():
        if section_in(field) is None:
            yield from _setting(name, field, live=live)
    for name, field in fields.items():
        if inner := section_in(field):
            yield from _header(f"{key}{name}", field, live=live)
            yield from _table(f"{key}{name}.", inner, live=live and _stands(field))


def _header(key: str, field: FieldInfo, *, live: bool) -> Iterator[str]:
    yield ""
    yield from _comment(field.description or "")
    header = f"[[{key}]]" if get_origin(field.annotation) is tuple else f"[{key}]"
    yield header if live and _stands(field) else f"# {header}"


def _setting(name: str, field: FieldInfo, *, live: bool) -> Iterator[str]:
    yield ""
    yield from _comment(" ".join(_meaning(field)))
    shown = f"{name} = {_toml(_value(field))}"
    yield shown if live and _is_given(field) else f"# {shown}"


def _is_given(field: FieldInfo) -> bool:
    """Whether the example gives a value: it is needed, or it is the usual one of several ways."""
    return field.is_required() or field.json_schema_extra == SHOWN


def _stands(field: FieldInfo) -> bool:
    """Whether a table's header stands without #: only those that are absent by default are shown as comments."""
    return field.default is not None or _is_given(field)


def _meaning(field: FieldInfo) -> Iterator[str]:
    yield field.description or ""
    if choices := _choices(field.annotation):
        yield f"One of {', '.join(_toml(choice) for choice in choices)}."
    if field.is_required():
        yield "Required."
    elif field.default_factory is None:
        yield "No default." if field.default is None else f"Default: {_toml(field.default)}."


def _choices(annotation: object) -> tuple[object, ...]:
    kinds = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return tuple(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind))


def _value(field: FieldInfo) -> object:
    return field.examples[0] if field.examples else field.default


def _toml(value: object) -> str:
    """A TOML value: JSON's texts, numbers, booleans and lists are written the same way in TOML; a date stands bare."""
    return value.isoformat() if isinstance(value, date) else dumps(value, ensure_ascii=False)


def _comment(text: str) -> Iterator[str]:
    for line in wrap(text, _WIDTH - 2):
        yield f"# {line}"


if __name__ == "__main__":
    stdout.write(example())
