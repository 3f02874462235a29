"""Names in a row as a native reader writes them: "IT, HR and payroll"."""

from collections.abc import Sequence
from functools import cache

from templates.moments import locale_of
from templates.plain import isolated, one_line

_PLACE = "\0"


def listed(names: Sequence[str], *, language: str, direction: str) -> str:
    """The names in one line, each in its own direction; nothing for none."""
    parts = _between(len(names), language) if len(names) > 1 else ("", "")
    safe = [isolated(one_line(name), direction=direction) for name in names]
    return "".join(f"{part}{name}" for part, name in zip(parts, (*safe, ""), strict=False))


@cache
def _between(count: int, language: str) -> tuple[str, ...]:
    """What stands before, between and behind so many names. No name holds the sign of the places: it is a control."""
    from babel.lists import format_list  # noqa: PLC0415 (33 MB that only a process that writes mail needs)

    return tuple(format_list([_PLACE] * count, locale=locale_of(language)).split(_PLACE))
