"""Reading a TOML table with types, and one error that says where, what was found and what would be accepted."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from desk.errors import UserError

_SHOWN = 80


class RoutingError(UserError, ValueError):
    """The routing file cannot be used: names source, table or rule, key, what was found and what is accepted."""

    def __init__(self, source: str, *, place: str, key: str, found: str, accepted: str) -> None:
        self.source = source
        self.place = place
        self.key = key
        self.found = found
        self.accepted = accepted
        where = ": ".join(part for part in (source, place, key) if part)
        super().__init__(f"{where}: found {found}; accepted: {accepted}")


@dataclass(slots=True)
class Table:
    """One table while it is read: every key is asked for by its type, and finish() refuses keys nobody asked for."""

    source: str
    place: str
    content: Mapping[str, object]
    asked: set[str] = field(default_factory=set)

    def refusal(self, key: str, accepted: str, found: str | None = None) -> RoutingError:
        """Give the error for a value of this table; found defaults to the whole value of the key."""
        if found is None:
            found = repr(self.content[key]) if key in self.content else "nothing"
        shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."
        return RoutingError(self.source, place=self.place, key=key, found=shown, accepted=accepted)

    def text(self, key: str, default: str | None = None) -> str:
        """Give the text of a key; without a default it must be there and hold something."""
        value = self._value(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.refusal(key, "a text in quotes")
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts, empty where the key is absent."""
        value = self._value(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refusal(key, "a list of texts in quotes")
        return tuple(item.strip() for item in value)

    def number(self, key: str, default: float) -> float:
        """Give a finite number."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal(key, "a number")
        return float(value)

    def switch(self, key: str, default: bool) -> bool:
        """Give true or false."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.refusal(key, "true or false")
        return value

    def table(self, key: str, place: str | None = None) -> "Table":
        """Give the table under a key, empty where it is absent."""
        value = self._value(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.refusal(key, "a table")
        return Table(self.source, place or f"{self.place} {key}".strip(), value)

    def tables(self, key: str) -> tuple["Table", ...]:
        """Give the list of tables written as [[key]], empty where there is none."""
        value = self._value(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refusal(key, f"tables written as [[{key}]]")
        return tuple(Table(self.source, f"{key} no. {number}", item) for number, item in enumerate(value, 1))

    def __iter__(self) -> Iterator[str]:
        """Give all keys in the order of the file."""
        return iter(self.content)

    def finish(self) -> None:
        """Refuse the first key that was never asked for."""
        for key in self.content:
            if key not in self.asked:
                raise self.refusal(key, f"one of the keys {', '.join(sorted(self.asked))}", found="an unknown key")

    def _value(self, key: str) -> object:
        self.asked.add(key)
        return self.content.get(key)
