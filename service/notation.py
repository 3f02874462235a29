"""How single values of config.toml are written, and what they become.

Each reader takes what TOML gave and returns the value, or raises ValueError whose text is what would be accepted.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from shlex import split
from typing import Annotated, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationInfo
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from desk.mail import ascii_fold

SHOWN: JsonDict = {"live": True}
"""Marks a setting that need not be given but that the example gives."""


class Section(BaseModel):
    """A table of config.toml: no unknown key, no silent conversion, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Which config.toml is read, and whether everyone on this machine may read it."""

    path: Path
    exposed: bool


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where a door listens; an IPv6 host without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in config.toml."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def section_in(field: FieldInfo) -> type[Section] | None:
    """The table that a setting holds (alone, optional or as a list), or None for a plain value."""
    found: list[object] = [field.annotation]
    for kind in found:
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
        found.extend(get_args(kind))
    return None


def place_of(info: ValidationInfo) -> Place:
    """The file being read; settings come into being by load() alone, which passes it."""
    if not isinstance(info.context, Place):
        raise TypeError("settings are read by service.settings.load")
    return info.context


def mistake(*, found: str, accepted: str, key: str = "") -> PydanticCustomError:
    """A refusal with its own words for what was found; key replaces the last part of the setting's key."""
    return PydanticCustomError("mistake", "{accepted}", {"found": found, "accepted": accepted, "key": key})


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by name or number, so that plain text stays on it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # A name: no mail is in hand while settings are read.
        return ascii_fold(host) in {"localhost", "ip6-localhost"}


def _text(value: object, accepted: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(accepted)
    return value


def _is_domain(text: str) -> bool:
    labels = text.split(".")
    return len(text) <= 253 and all(  # noqa: PLR2004 # RFC 1035 section 2.3.4
        0 < len(label) < 64 and label.replace("-", "0").isalnum() and "-" not in (label[0], label[-1])  # noqa: PLR2004 # the same
        for label in labels
    )


def read_domain(value: object) -> str:
    """A domain name with ASCII letters folded."""
    accepted = "a domain such as corp.example"
    text = _text(value, accepted)
    if not _is_domain(text):
        raise ValueError(accepted)
    return ascii_fold(text)


def read_address(value: object) -> str:
    """A bare mail address, as written; quoted local parts and address literals are not taken."""
    accepted = "one bare address such as help@corp.example"
    text = _text(value, accepted)
    local, at, domain = text.rpartition("@")
    if not at or not local or set(local) & set(' @<>()[],;:"\\') or not _is_domain(domain):
        raise ValueError(accepted)
    return text


def read_host(value: object) -> str:
    """A host name or IP address, without scheme, port or brackets."""
    accepted = "a host name or address without scheme and port, such as imap.corp.example"
    text = _text(value, accepted)
    try:
        return str(ip_address(text))
    except ValueError:  # A name: no mail is in hand while settings are read.
        if _is_domain(text.replace("_", "0")):
            return text
        raise ValueError(accepted) from None


def read_host_port(value: object) -> HostPort:
    """Host and port of a door, "[::1]:24" for IPv6."""
    accepted = 'host:port with a port from 1 to 65535, such as "127.0.0.1:2424" or "[::1]:2424"'
    host, colon, port = _text(value, accepted).rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= len("65535") else 0
    if not colon or not 0 < number < 65536 or bracketed != (":" in host):  # noqa: PLR2004 # RFC 793: 16 bits
        raise ValueError(accepted)
    try:
        return HostPort(host=read_host(host[1:-1] if bracketed else host), port=number)
    except ValueError:  # The same mistake, said for the whole value.
        raise ValueError(accepted) from None


def read_path(value: object, info: ValidationInfo) -> Path:
    """A path; a relative one starts at the folder of config.toml."""
    return place_of(info).path.parent / _text(value, "a path; a relative one starts at the folder of this file")


class DatabaseUrl(str):
    """Where the database is. A password in it is for the driver alone: `shown` is for everybody else."""

    __slots__ = ()

    @property
    def has_password(self) -> bool:
        """Whether a password stands in it."""
        return self.shown != self

    @property
    def shown(self) -> str:
        """The URL with *** for a password."""
        hidden = re.sub(r"(://[^:@/?]*):.*@", r"\1:***@", self)
        return re.sub(r"([?&](?:ssl)?password=)[^&#]*", r"\1***", hidden)

    def __repr__(self) -> str:
        """As shown."""
        return repr(self.shown)


def read_database_url(value: object, info: ValidationInfo) -> DatabaseUrl:
    """The URL of a SQLite file, a relative path starting at the folder of config.toml, or of a PostgreSQL database."""
    accepted = (
        'sqlite:///PATH, such as "sqlite:///deskbell.db" or "sqlite:////var/lib/deskbell/deskbell.db", '
        'or "postgresql://USER@HOST/DATABASE"'
    )
    text = _text(value, accepted)
    scheme, found, name = text.partition("://")
    if found and scheme in {"postgresql", "postgres", "postgresql+psycopg"}:
        return _postgres_url(name, accepted)
    name = text.removeprefix("sqlite:///")
    if name in {text, "", ":memory:"} or "?" in name or name.startswith("file:"):
        raise ValueError(accepted)
    return DatabaseUrl(f"sqlite:///{place_of(info).path.parent / name}")


def _postgres_url(rest: str, accepted: str) -> DatabaseUrl:
    url = DatabaseUrl(f"postgresql://{rest}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # No mail is in hand while settings are read.
        raise mistake(found=f'"{url.shown}"', accepted=accepted) from None
    if parts.fragment or port == 0 or parts.path.count("/") > 1:
        # A password with / or # in it ends the account early: those are written %2F and %23.
        raise mistake(
            found="a URL with a part too many (in a password / is %2F, # is %23, @ is %40)", accepted=accepted
        )
    if find_spec("psycopg") is None:
        install = f"{sys.executable} -m pip install 'psycopg[binary]>=3.2'"
        raise mistake(found=f'"{url.shown}" without its library', accepted=f"PostgreSQL after: {install}; or SQLite")
    return url


def read_command(value: object) -> tuple[str, ...]:
    """A program and its arguments, from a list or from one string split as a shell would; no shell is run."""
    accepted = 'a program with its arguments, such as "pass show imap" or ["pass", "show", "imap"]'
    try:
        words = split(value) if isinstance(value, str) else value
    except ValueError:  # An open quote: no mail is in hand while settings are read.
        raise ValueError(accepted) from None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(accepted)
    if not words[0]:
        raise ValueError(accepted)
    return tuple(words)


def read_variable(value: object) -> str:
    """The name of an environment variable."""
    accepted = "the name of an environment variable, such as DESKBELL_IMAP_PASSWORD"
    text = _text(value, accepted)
    if not text.isascii() or not text.isidentifier():
        raise ValueError(accepted)
    return text


def _words(accepted: str) -> Callable[[object], str]:
    return lambda value: _text(value, accepted)


def read_clock_time(value: object) -> time:
    """The time of day, to the minute. Raises ValueError with what would be accepted."""
    accepted = 'a time of day such as "17:30"'
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value, re.ASCII) if isinstance(value, str) else None
    if found is None:
        raise ValueError(accepted)
    return time(int(found[1]), int(found[2]))


Domain = Annotated[str, PlainValidator(read_domain)]
MailAddress = Annotated[str, PlainValidator(read_address)]
Host = Annotated[str, PlainValidator(read_host)]
Door = Annotated[HostPort, PlainValidator(read_host_port)]
FilePath = Annotated[Path, PlainValidator(read_path)]
Url = Annotated[DatabaseUrl, PlainValidator(read_database_url)]
Command = Annotated[tuple[str, ...], PlainValidator(read_command)]
Variable = Annotated[str, PlainValidator(read_variable)]
ClockTime = Annotated[time, PlainValidator(read_clock_time)]
Words = Annotated[str, PlainValidator(_words("a text of at least one printable character"))]
