"""The routing text as it was written: a version of the store, routing.toml or the starter set."""

from dataclasses import dataclass
from pathlib import Path

from routing.reading import read_routing
from routing.rules import Routing, starter_text
from routing.tables import RoutingError
from service.settings import Settings

STARTER = "the starter set"
ROUTING_FILE = "routing.toml"
"""Beside config.toml: departments, calendars and rules of one's own, until somebody imports into the store."""


@dataclass(frozen=True, slots=True)
class Written:
    """A routing text (TOML), and what a refusal calls it."""

    text: str
    source: str


STARTER_SET = Written(starter_text(), STARTER)


def routing_file(settings: Settings) -> Written | None:
    """What stands in routing.toml beside config.toml; None without that file. Raises RoutingError."""
    path = settings.path.parent / ROUTING_FILE
    return written_in(path) if path.exists() else None


def written_in(path: Path) -> Written:
    """What stands in the file. Raises OSError, and RoutingError where it is not UTF-8."""
    return Written(decoded(path.read_bytes(), str(path)), str(path))


def decoded(content: bytes, source: str) -> str:
    """The text without byte order mark, its line ends as they are. Raises RoutingError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:  # no mail is in hand yet
        line = content.count(b"\n", 0, error.start) + 1
        found = f"another encoding in line {line}"
        raise RoutingError(source, place="", key="", found=found, accepted="TOML in UTF-8") from None


def read_written(written: Written, settings: Settings) -> Routing:
    """The routing, in which each mailbox of the settings finds its department. Raises RoutingError."""
    routing = read_routing(written.text, source=written.source, default_domain=settings.own_domains[0])
    known = [department.key for department in routing.departments]
    for number, mailbox in enumerate(settings.mailbox, 1):
        if mailbox.department is not None and mailbox.department not in known:
            place = f"mailbox[{number}] ({mailbox.address})"
            accepted = f"a department of {written.source}: {', '.join(known)}"
            found = repr(mailbox.department)
            raise RoutingError(str(settings.path), place=place, key="department", found=found, accepted=accepted)
    return routing
