"""What a list may be narrowed down to: a name that nothing can have is refused, so that an empty list means "none".

Departments come and go with the routing, mailboxes with config.toml, and what they had stays: both kinds are accepted.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from desk.errors import UserError
from desk.mail import ascii_fold
from service.routing import stored_routing
from service.settings import Settings
from store import ledger, requests


class NoSuchDepartment(UserError):
    """Neither the routing nor any request has a department of that key."""


class NoSuchMailbox(UserError):
    """Neither the configuration nor the ledger has a mailbox of that address."""


def to_department(settings: Settings, connection: Connection, key: str | None) -> None:
    """The routing has that department, or a request does; None is any. Raises NoSuchDepartment, RoutingError."""
    if key is None:
        return
    routed = [one.key for one in stored_routing(settings).departments]
    if key not in (known := _both(routed, requests.count_by_department(connection))):
        raise NoSuchDepartment(f"{key!r} is no department: accepted are {', '.join(known)}")


def to_mailbox(settings: Settings, connection: Connection, address: str | None) -> str | None:
    """The mailbox as the ledger writes it, in whatever case or by an alias; None is any. Raises NoSuchMailbox."""
    if address is None:
        return None
    wanted, now = ascii_fold(address), [one.address for one in settings.mailbox]
    known = _both(now, ledger.mailboxes(connection))
    # What is an alias today may have been a mailbox before.
    if (found := next((one for one in known if ascii_fold(one) == wanted), None)) is not None:
        return found
    if (leads := next((one.address for one in settings.mailbox if wanted in one.addresses), None)) is not None:
        return leads
    raise NoSuchMailbox(f"{address!r} is no mailbox: accepted are {', '.join(known)}")


def _both(now: Collection[str], ever: Collection[str]) -> list[str]:
    return [*now, *sorted(set(ever) - set(now))]
