"""What config.toml may say. The names here are called from outside: none is renamed or removed.

Each setting is declared once, with default and meaning; the example file, `deskbell config show` and the words of a
refusal are made from these declarations.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from desk.errors import UserError
from desk.mail import ascii_fold
from service.notation import (
    SHOWN,
    ClockTime,
    DatabaseUrl,
    Domain,
    Door,
    FilePath,
    MailAddress,
    Place,
    Section,
    Url,
    Words,
    mistake,
)
from service.oauth import OAuth
from service.problems import problems_of
from service.secrets import CommandSecret
from service.server import Imap, Maildir, Server, Smtp

SYSTEM_PATH = Path("/etc/deskbell/config.toml")
VARIABLE = "DESKBELL_CONFIG"
_EVERYONE = 0o004
# Defaults that are read like written values, so that paths in them are resolved; Any, because they are not yet read.
_EMPTY: Any = {}
_KEY_FILE: Any = "deskbell.key"
_DATABASE: Any = "sqlite:///deskbell.db"
_EVENING: Any = "17:30"


class SettingsError(UserError):
    """The configuration cannot be used; the text says file, settings, what was found and what would be accepted."""


class Mailbox(Section):
    """A watched shared address."""

    address: MailAddress = Field(description="The shared address.", examples=["help@corp.example"])
    aliases: tuple[MailAddress, ...] = Field(
        (), description="Other addresses that lead here.", examples=[["it@corp.example"]], strict=False
    )
    department: Words | None = Field(
        None,
        description="Who answers where no rule says otherwise (a department's key).",
        examples=["it"],
    )
    mode: Literal["observe", "receipts", "full"] = Field(
        "full",
        description="observe sends nothing; receipts answers senders while staff work in the mailbox as before; "
        "full also works with staff by mail.",
    )
    external: Literal["limited", "none", "all"] = Field(
        "limited", description="Who of the senders outside own_domains gets a receipt; limited: a few a day."
    )
    imap: Imap | None = Field(
        None,
        description="The account that is watched. Without it the address is served by [listener] alone.",
        json_schema_extra=SHOWN,
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Address and aliases with ASCII letters folded, for comparing."""
        return tuple(ascii_fold(address) for address in (self.address, *self.aliases))


class Database(Section):
    """Where everything is kept."""

    url: Url = Field(
        _DATABASE,
        description="The database: a SQLite file (a relative path starts at the folder of this file), or "
        "postgresql://USER@HOST/DATABASE, which several `deskbell run` may share. A password is better kept in "
        "~/.pgpass or the file that PGPASSFILE names.",
        validate_default=True,
    )


class Keys(Section):
    """The key that our Message-IDs and tokens are made with."""

    file: FilePath = Field(
        _KEY_FILE,
        description="The key file; keep a copy of it with the database's backup.",
        validate_default=True,
    )


class Listener(Section):
    """Our own doors for mail; none is open by default."""

    lmtp: Door | None = Field(None, description="Where mail is taken by LMTP, host:port.", examples=["127.0.0.1:2424"])
    smtp: Door | None = Field(None, description="Where mail is taken by SMTP, host:port.", examples=["127.0.0.1:2525"])


class Auth(Section):
    """How senders are proven."""

    mode: Literal["none", "boundary", "trusted_ar", "exchange"] = Field(
        "none",
        description="none: not at all; boundary: our own mail server lets nobody outside write as one of us; "
        "trusted_ar: Authentication-Results of the servers in trusted_ids; exchange: Exchange's own headers.",
    )
    trusted_ids: tuple[Words, ...] = Field(
        (),
        description="The names (authserv-id) whose Authentication-Results are believed.",
        examples=[["mx.corp.example"]],
        strict=False,
        validate_default=True,
    )

    @field_validator("trusted_ids")
    @classmethod
    def _someone_is_trusted(cls, trusted: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("mode") == "trusted_ar" and not trusted:
            raise ValueError('at least one name where mode is "trusted_ar"')
        return trusted


class Limits(Section):
    """What keeps a flood from doing harm."""

    enabled: bool = Field(True, description="Whether receipts are limited; off only for a load test.")
    message_octets: int = Field(
        36_700_160, description="Size up to which a mail is fetched or taken (35 MiB).", ge=1_024
    )
    external_receipts_per_day: int = Field(
        2, description="Receipts a day for one outside address where external is limited.", ge=0
    )
    external_domain_receipts_per_day: int = Field(
        20, description="Receipts a day for one outside domain that is no freemail provider.", ge=0
    )
    own_receipts_per_hour: int = Field(
        10, description="Receipts an hour for one of our own people; more mails wait and share a receipt.", ge=1
    )
    own_receipts_per_day: int = Field(30, description="The same for a day.", ge=1)
    same_words_receipts_per_day: int = Field(
        3,
        description="Receipts a day for the same words of one address, numbers set aside; then they wait an hour, and "
        "after twice as many there are no more.",
        ge=1,
    )
    circuit_receipts_per_10_minutes: int = Field(
        100,
        description="Receipts in ten minutes, half of it for one mailbox, at which our own people's wait and outsiders "
        "get none; where more people than that write in a month, their number instead.",
        ge=1,
    )
    catch_up_receipts: int = Field(
        200, description="Late receipts in an hour, as after an outage, beyond which they are held.", ge=1
    )


class Log(Section):
    """What is written to stderr."""

    format: Literal["text", "json"] = Field("text", description="One line of text, or of JSON, for each event.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")


class Settings(Section):
    """A configuration that was read and found good. Comes from load() alone; paths in it are resolved."""

    mailbox: tuple[Mailbox, ...] = Field(
        description="A watched shared address; one such table each.", min_length=1, strict=False
    )
    own_domains: tuple[Domain, ...] = Field(
        default_factory=lambda data: _domains(data.get("mailbox", ())),
        description="Domains whose senders are our own people; by default those of the mailboxes.",
        examples=[["corp.example"]],
        min_length=1,
        strict=False,
    )
    admins: tuple[MailAddress, ...] = Field(
        (),
        description="Who runs deskbell: they get the evening report. None of them may be one of the mailboxes.",
        examples=[["admin@corp.example"]],
        strict=False,
    )
    evening_report: ClockTime = Field(
        _EVENING,
        description="When the admins are told about the day, for each mailbox with something to tell, in the zone of "
        "its department.",
        validate_default=True,
    )
    database: Database = Field(default=_EMPTY, description="Where everything is kept.", validate_default=True)
    keys: Keys = Field(
        default=_EMPTY,
        description="The key of our Message-IDs and tokens, made at the first run.",
        validate_default=True,
    )
    listener: Listener = Field(
        default=_EMPTY, validate_default=True, description="Our own doors for mail; none is open by default."
    )
    smtp: Smtp | None = Field(
        None, description="The server that takes our mail. Needed, or [maildir] instead.", json_schema_extra=SHOWN
    )
    maildir: Maildir | None = Field(
        None, description="Instead of [smtp]: mail goes into folders, for trying out.", validate_default=True
    )
    auth: Auth = Field(default=_EMPTY, validate_default=True, description="How senders are proven.")
    limits: Limits = Field(default=_EMPTY, validate_default=True, description="What keeps a flood from doing harm.")
    log: Log = Field(default=_EMPTY, validate_default=True, description="What is written to stderr.")

    _path: Path = PrivateAttr()
    _exposed: bool = PrivateAttr()

    @property
    def path(self) -> Path:
        """The config.toml this was read from."""
        return self._path

    @property
    def exposes_passwords(self) -> bool:
        """A password stands in the file, and everyone on this machine may read it."""
        given = [server for server in (self.smtp, *(mailbox.imap for mailbox in self.mailbox)) if server is not None]
        written = [server.password or (server.oauth.client_secret if server.oauth else None) for server in given]
        return self._exposed and (any(written) or self.database.url.has_password)

    def model_post_init(self, context: Place, /) -> None:
        """Keep where this was read from."""
        self._path = context.path
        self._exposed = context.exposed

    @field_validator("mailbox")
    @classmethod
    def _each_address_once(cls, mailboxes: tuple[Mailbox, ...]) -> tuple[Mailbox, ...]:
        every = [address for mailbox in mailboxes for address in mailbox.addresses]
        if twice := sorted({address for address in every if every.count(address) > 1}):
            raise mistake(found=f"{', '.join(twice)} more than once", accepted="each address or alias once")
        return mailboxes

    @field_validator("admins")
    @classmethod
    def _no_report_comes_back(cls, admins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        watched = {address for mailbox in info.data.get("mailbox", ()) for address in mailbox.addresses}
        if own := [admin for admin in admins if ascii_fold(admin) in watched]:
            raise mistake(found=own[0], accepted="addresses that are no mailbox of deskbell")
        return admins

    @field_validator("maildir")
    @classmethod
    def _one_way_out(cls, maildir: Maildir | None, info: ValidationInfo) -> Maildir | None:
        # An smtp that was refused is not among the data; it was given all the same.
        if (info.data.get("smtp", "refused") is None) == (maildir is None):
            found = "neither" if maildir is None else "both"
            raise mistake(found=found, accepted="exactly one of [smtp] and [maildir]", key="smtp")
        return maildir


def _domains(mailboxes: tuple[Mailbox, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ascii_fold(mailbox.address.rpartition("@")[2]) for mailbox in mailboxes))


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The config.toml to read: as given, else by DESKBELL_CONFIG, else the system's.

    Only the last must exist to be chosen: load() complains about the other two by name. Raises SettingsError.
    """
    if explicit is not None:
        return explicit
    if chosen := environ.get(VARIABLE):
        return Path(chosen)
    try:
        if SYSTEM_PATH.is_file():
            return SYSTEM_PATH
    except PermissionError:  # It may well be there: load() says why it cannot be read.
        return SYSTEM_PATH
    raise SettingsError(f"no configuration: give --config FILE, set {VARIABLE}, or write {SYSTEM_PATH}")


def load(path: Path) -> Settings:
    """The settings of a file.

    Raises SettingsError that lists every problem at once and never shows a password.
    """
    path = path.absolute()
    try:
        content = path.read_bytes()
        exposed = bool(path.stat().st_mode & _EVERYONE)
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:  # No mail is in hand while settings are read; so below.
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}: line {line} is not UTF-8; accepted: TOML in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    try:
        return Settings.model_validate(raw, context=Place(path=path, exposed=exposed))
    except ValidationError as error:
        # Not chained: pydantic's own error holds the values, and with them passwords.
        problems = problems_of(error, raw, Settings)
    raise SettingsError("\n".join(f"{path}: {problem}" for problem in problems))


class Row(NamedTuple):
    """One setting as shown; origin is "file" or "default"."""

    key: str
    value: str
    origin: str


def describe(settings: Settings) -> list[Row]:
    """Every setting with its value and origin, in the order of the declaration; a password as its source."""
    return list(_rows("", settings))


def _rows(key: str, section: Section) -> Iterator[Row]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        origin = "file" if name in section.model_fields_set else "default"
        if name in {"password", "client_secret"} and isinstance(section, Server | OAuth):
            secret = section.secret
            yield Row(f"{key}{name}", secret.source if secret else "", "file" if secret else "default")
        elif name.startswith(("password_", "client_secret_")):
            continue  # Shown with the one above: it is one setting in four spellings.
        elif name == "token_command" and value:
            yield Row(f"{key}{name}", CommandSecret(value).source, origin)
        elif isinstance(value, Section):
            yield from _rows(f"{key}{name}.", value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            for number, one in enumerate(value, start=1):
                yield from _rows(f"{key}{name}[{number}].", one)
        else:
            yield Row(f"{key}{name}", _shown(value), origin)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, DatabaseUrl):
        return value.shown
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return "" if value is None else str(value)
