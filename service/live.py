"""Which settings of a changed config.toml hold at once, and which only after a restart.

Whoever judges a mail asks the house for each mail anew; whatever was opened with a setting (database, connections,
doors) keeps it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service.settings import Mailbox, Settings

LIVE = ("own_domains", "auth", "limits", "log")
LIVE_OF_MAILBOX = ("aliases", "department", "mode", "external")
OPENED_WITH = {"limits": ("message_octets",), "log": ("format",)}
"""Parts of live tables that something was opened with."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The settings that hold from now on; dotted keys of what changed in them, and of what waits for a restart."""

    settings: Settings
    applied: tuple[str, ...]
    waiting: tuple[str, ...]


def take(old: Settings, new: Settings) -> Taken:
    """As much of the new settings as can hold without a restart; no value is named, since it may be a password."""
    merged = _merged(old, new)
    return Taken(merged, tuple(_differing(old, merged)), tuple(_differing(merged, new)))


def _merged(old: Settings, new: Settings) -> Settings:
    tables: dict[str, Any] = {name: getattr(new, name) for name in LIVE}
    for name, kept in OPENED_WITH.items():
        tables[name] = tables[name].model_copy(update={key: getattr(getattr(old, name), key) for key in kept})
    known = {mailbox.address: mailbox for mailbox in new.mailbox}
    tables["mailbox"] = tuple(_mailbox(one, known.get(one.address, one)) for one in old.mailbox)
    return old.model_copy(update=tables)


def _mailbox(old: Mailbox, new: Mailbox) -> Mailbox:
    return old.model_copy(update={name: getattr(new, name) for name in LIVE_OF_MAILBOX})


def _differing(old: BaseModel, new: BaseModel, above: str = "") -> Iterator[str]:
    for name in type(old).model_fields:
        yield from _differing_values(getattr(old, name), getattr(new, name), f"{above}{name}")


def _differing_values(old: Any, new: Any, key: str) -> Iterator[str]:
    if key == "mailbox":
        yield from _differing_mailboxes(old, new)
    elif isinstance(old, BaseModel) and isinstance(new, BaseModel):
        yield from _differing(old, new, f"{key}.")
    elif old != new:
        yield key


def _differing_mailboxes(old: tuple[Mailbox, ...], new: tuple[Mailbox, ...]) -> Iterator[str]:
    before, after = ({one.address: one for one in mailboxes} for mailboxes in (old, new))
    for address in dict.fromkeys([*before, *after]):
        if address in before and address in after:
            yield from _differing(before[address], after[address], f"mailbox {address} ")
        else:
            yield f"mailbox {address}"
