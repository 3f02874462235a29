"""The words of a refused configuration: which setting, what was found, what would be accepted.

A value is shown only where it cannot be a password: never of an unknown key, never of a password's settings, never a
whole table, and never the account part of a URL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from desk.mail import ascii_fold
from service.notation import Section, section_in

LATER = {
    "delete": '"auto", "keyword", "seen", "move", "nothing"',
    "dkim": '"none", "boundary", "trusted_ar", "exchange"',
}
"""What is planned but not offered yet, with what is accepted instead."""

_LONGEST = 60
_HIDDEN = ("password", "client_secret", "token_command", "oauth")
_KINDS = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list in square brackets",
    "date_type": "a day such as 2027-03-01, without quotes",
    "model_type": "a table",
    "model_attributes_type": "a table",
}

Loc = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused setting, by its dotted key; lists count from 1, with the mailbox's address where there is one."""

    key: str
    text: str

    def __str__(self) -> str:
        """Key and words on one line."""
        return f"{self.key}: {self.text}"


def problems_of(error: ValidationError, raw: Mapping[str, object], model: type[Section]) -> list[Problem]:
    """Each error of reading raw as model, in words that hold no password."""
    details = error.errors(include_url=False)
    return [Problem(_key(one, raw), _text(one, model)) for one in details if not _follows_from_another(one)]


def _follows_from_another(one: ErrorDetails) -> bool:
    """Whether pydantic complains only because something else was refused: that one is in the list already."""
    return one["type"] == "default_factory_not_called" or (one["type"] == "too_short" and bool(one["input"]))


def _key(one: ErrorDetails, raw: Mapping[str, object]) -> str:
    loc = list(one["loc"])
    if key := one.get("ctx", {}).get("key"):
        loc[-1] = key
    dotted = ""
    for part in loc:
        dotted += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return dotted.removeprefix(".") + _whose(loc, raw)


def _whose(loc: Loc, raw: Mapping[str, object]) -> str:
    match raw.get("mailbox"), loc:
        case list(mailboxes), ["mailbox", int(number), *_] if number < len(mailboxes):
            mailbox = mailboxes[number]
            address = mailbox.get("address") if isinstance(mailbox, dict) else None
            return f" ({address})" if isinstance(address, str) and address.isprintable() else ""
    return ""


def _text(one: ErrorDetails, model: type[Section]) -> str:
    name = str(one["loc"][-1])
    if one["type"] == "extra_forbidden":
        return _unknown(name, one["loc"][:-1], model)
    if one["type"] == "missing":
        return f"is missing; accepted: {_meaning(one['loc'], model)}"
    found = one.get("ctx", {}).get("found") or _found(name, one["input"])
    if later := _later(one["input"]):
        return f"found {found}, which comes later; accepted: {LATER[later]}"
    return f"found {found}; accepted: {_accepted(one)}"


def _accepted(one: ErrorDetails) -> str:
    context = one.get("ctx", {})
    match one["type"]:
        case "literal_error":
            return str(context["expected"]).replace("'", '"')
        case "value_error":
            return str(context["error"])
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "too_short":
            return f"at least {context['min_length']} entry"
        case kind:
            return _KINDS.get(kind, one["msg"])


def _found(name: str, value: object) -> str:
    """The value as written in TOML, or only its kind where it may hold a password."""
    match value:
        case dict():
            return "a table"
        case list() | tuple():
            return f"a list of {len(value)}"
        case _ if name.startswith(_HIDDEN):
            return "a value (hidden)"
        case bool():
            return str(value).lower()
        case str():
            return f'"{_without_account(value)}"'
    return str(value)


def _without_account(text: str) -> str:
    account, at, rest = text.rpartition("@")
    if at and ":" in account:
        scheme, slashes, _ = account.partition("://")
        text = f"{scheme if slashes else ''}{slashes}***@{rest}"
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _later(value: object) -> str | None:
    word = value.partition("://")[0] if isinstance(value, str) else ""
    return next((later for later in LATER if word == later or word.startswith(f"{later}+")), None)


def _unknown(name: str, loc: Loc, model: type[Section]) -> str:
    if name in LATER:
        return f"comes later; accepted: {LATER[name]}"
    here = _section_at(loc, model).model_fields
    if close := get_close_matches(name, here, n=1):
        return f"unknown setting; did you mean {close[0]}?"
    if home := _home(name, model):
        return f"unknown setting here; did you mean {home}?"
    return f"unknown setting; accepted: {', '.join(here)}"


def _home(name: str, model: type[Section], above: str = "") -> str | None:
    """Where a setting of that name belongs."""
    for key, field in model.model_fields.items():
        section = section_in(field)
        if section and name in section.model_fields:
            return f"{above}{key}.{name}"
        if section and (below := _home(name, section, f"{above}{key}.")):
            return below
    return None


def _section_at(loc: Loc, model: type[Section]) -> type[Section]:
    for part in loc:
        if isinstance(part, str):
            model = section_in(model.model_fields[part]) or model
    return model


def _meaning(loc: Loc, model: type[Section]) -> str:
    field = _section_at(loc[:-1], model).model_fields[str(loc[-1])]
    meaning = field.description or ""
    such = f' (such as "{field.examples[0]}")' if field.examples else ""
    return f"{ascii_fold(meaning[:1])}{meaning[1:].removesuffix('.')}{such}"
