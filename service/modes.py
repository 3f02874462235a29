"""The house with the modes that hold now: those an admin gave, else those of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from desk.acknowledge import Mode
from desk.errors import UserError
from desk.mail import Address
from service.house import House
from store.modes import Given


class UnknownMailbox(UserError):
    """The address is none that deskbell watches."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The mode of a mailbox, who gave it and when; neither where it is that of the configuration."""

    mailbox: str
    mode: Mode
    configured: Mode
    changed: datetime | None
    author: str | None


def with_modes(configured: House, given: Mapping[str, Given]) -> House:
    """The house in which each mailbox has the mode it was given."""
    mailboxes = {
        address: replace(one, mode=given[address].mode) if address in given else one
        for address, one in configured.mailboxes.items()
    }
    return replace(configured, mailboxes=mailboxes)


def shown(configured: House, given: Mapping[str, Given]) -> list[Shown]:
    """Every mailbox with its mode, in the order of the configuration."""
    return [
        Shown(address, one.mode, one.mode, None, None)
        if (by := given.get(address)) is None
        else Shown(address, by.mode, one.mode, by.changed, by.author)
        for address, one in configured.mailboxes.items()
    ]


def watched(house: House, address: str) -> str:
    """The mailbox that an address leads to, an alias included. Raises UnknownMailbox."""
    found = house.mailbox_of(Address("", address).key)
    if found is None:
        raise UnknownMailbox(f"{address} is no mailbox of the configuration: there are {', '.join(house.mailboxes)}")
    return found.address
