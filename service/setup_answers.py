"""What `deskbell init` has to know: read from answers.toml, or asked for. An unknown key is refused, not skipped."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator

from desk.errors import UserError
from routing.reading import read_routing
from routing.rules import starter_text
from service.notation import (
    Command,
    Domain,
    FilePath,
    Host,
    MailAddress,
    Place,
    Section,
    Variable,
    Words,
    is_loopback,
    mistake,
)
from service.problems import problems_of
from service.server import Tls

Provider = Literal["m365", "google", "generic"]
_SOURCES = ("password", "password_env", "password_file", "password_command")


class AnswersRefused(UserError):
    """The answers cannot be used; the text says which, what was found and what would be accepted."""


class Login(Section):
    """As whom to log in."""

    user: Words | None = Field(None, description="Login name; by default the mailbox's address.")
    password: SecretStr | None = Field(None, description="The password; written into a file of its own, mode 600.")
    password_env: Variable | None = Field(None, description="Or the environment variable that will hold it.")
    password_file: FilePath | None = Field(None, description="Or the file that holds it.")
    password_command: Command | None = Field(None, description="Or the program that prints it.", validate_default=True)

    @property
    def has_password(self) -> bool:
        """Whether a password is given in any way."""
        return any(getattr(self, name) is not None for name in _SOURCES)

    @field_validator("password_command")
    @classmethod
    def _one_source(cls, command: Command | None, info: ValidationInfo) -> Command | None:
        given = [name for name in _SOURCES[:-1] if info.data.get(name) is not None]
        given += ["password_command"] if command is not None else []
        if len(given) > 1:
            raise mistake(found=" and ".join(given), accepted=f"one of {' | '.join(_SOURCES)}", key="password")
        return command


class ServerAnswer(Section):
    """Where a server is; port None is the usual one for tls."""

    host: Host = Field(description="Name or address of the server.", examples=["mail.corp.example"])
    port: int | None = Field(None, description="Port.", ge=1, le=65535)
    tls: Tls = Field("tls", description="Encryption.")
    ca_file: FilePath | None = Field(None, description="Certificates (PEM) to trust instead of the system's.")

    @field_validator("tls")
    @classmethod
    def _plain_text_stays_here(cls, tls: Tls, info: ValidationInfo) -> Tls:
        if tls == "none" and not is_loopback(info.data.get("host", "localhost")):
            raise ValueError('"tls" or "starttls"; "none" only for a server on this machine')
        return tls


class RelayAnswer(ServerAnswer, Login):
    """The server that takes our mail; without user the first mailbox logs in."""

    login: bool = Field(True, description="Whether anybody logs in at the relay.")


class MailboxAnswer(Login):
    """A shared address to watch."""

    address: MailAddress = Field(description="The shared address.", examples=["help@corp.example"])
    department: Words | None = Field(None, description="Who answers where no rule says otherwise.", examples=["it"])


class OauthAnswer(Section):
    """The application that logs in with tokens instead of passwords."""

    client_id: Words = Field(description="The application's id.")
    tenant: Words | None = Field(None, description="The tenant's id or domain; for m365.")
    client_secret: SecretStr | None = Field(None, description="Its secret; written into a file of its own, mode 600.")
    client_secret_file: FilePath | None = Field(None, description="Or the file that holds it.", validate_default=True)
    refresh_token_file: FilePath | None = Field(None, description="The file with the refresh token; for google.")

    @field_validator("client_secret_file")
    @classmethod
    def _one_secret(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if (path is None) == (info.data.get("client_secret") is None):
            found = "neither" if path is None else "both"
            raise mistake(found=found, accepted="one of client_secret | client_secret_file", key="client_secret")
        return path


class Answers(Section):
    """Everything init has to know; see the README for a file with all of it."""

    provider: Provider = Field("generic", description="Who runs the mail servers.")
    own_domains: tuple[Domain, ...] = Field((), description="Whose senders are our own people.", strict=False)
    admins: tuple[MailAddress, ...] = Field((), description="Who gets the evening report.", strict=False)
    zone: Words | None = Field(None, description="Time zone of the calendar.", examples=["Europe/Warsaw"])
    country: Words | None = Field(None, description="Whose public holidays are closed days.", examples=["PL"])
    departments: dict[str, MailAddress] = Field(default_factory=dict, description="Where each department reads.")
    imap: ServerAnswer | None = Field(None, description="The server of the mailboxes.")
    smtp: RelayAnswer | None = Field(None, description="The server that takes our mail.")
    oauth: OauthAnswer | None = Field(None, description="Tokens instead of passwords.")
    mailbox: tuple[MailboxAnswer, ...] = Field(
        description="A shared address to watch; one such table each.", min_length=1, strict=False
    )

    @property
    def domains(self) -> tuple[str, ...]:
        """The own domains, by default those of the mailboxes."""
        return self.own_domains or tuple(dict.fromkeys(one.address.rpartition("@")[2].lower() for one in self.mailbox))

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        try:
            return zone and ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # no mail is in hand: nothing runs yet
            raise ValueError('an IANA name such as "Europe/Warsaw"') from None

    @field_validator("country")
    @classmethod
    def _known_country(cls, country: str | None) -> str | None:
        from holidays import list_supported_countries  # noqa: PLC0415 - large, needed by few commands

        if country is not None and country not in list_supported_countries():
            raise ValueError('an ISO 3166 code such as "PL"')
        return country

    @field_validator("departments")
    @classmethod
    def _known_departments(cls, given: dict[str, str]) -> dict[str, str]:
        if strange := [key for key in given if key not in starter_departments()]:
            raise mistake(found=", ".join(strange), accepted=", ".join(starter_departments()))
        return given


PRESETS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "m365": {"imap": {"host": "outlook.office365.com"}, "smtp": {"host": "smtp.office365.com", "tls": "starttls"}},
    "google": {"imap": {"host": "imap.gmail.com"}, "smtp": {"host": "smtp.gmail.com"}},
}
"""Where the servers are of a provider that has the same for everybody."""


def starter_departments() -> Mapping[str, str]:
    """The key and English name of each department of the starter set."""
    routing = read_routing(starter_text(), source="the starter set", default_domain="localhost")
    return {one.key: one.name_in("en") for one in routing.departments}


def read_answers(path: Path, *, provider: Provider | None) -> Answers:
    """The answers of a file; provider, where given, replaces what it says. Raises AnswersRefused."""
    path = path.absolute()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:  # no mail is in hand: nothing runs yet; so below
        raise AnswersRefused(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AnswersRefused(f"{path}: not TOML in UTF-8: {error}") from None
    return checked(raw | ({"provider": provider} if provider else {}), path)


def checked(given: Mapping[str, Any], path: Path) -> Answers:
    """Answers that are each usable; relative paths in them start where path is. Raises AnswersRefused."""
    raw = _with_preset(given)
    try:
        answers = Answers.model_validate(raw, context=Place(path=path, exposed=False))
    except ValidationError as error:
        # Not chained: pydantic's own error holds the values, and with them passwords.
        problems = problems_of(error, raw, Answers)
    else:
        return answers
    raise AnswersRefused("\n".join(f"{path}: {problem}" for problem in problems))


def require_complete(answers: Answers, path: Path) -> None:
    """Raise AnswersRefused where something is lacking, or a department would write to itself."""
    missing = [
        *_missing_servers(answers),
        *_missing_logins(answers),
        *_strange_departments(answers),
        *_in_circles(answers),
    ]
    if missing:
        raise AnswersRefused("\n".join(f"{path}: {words}" for words in missing))


def _with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    provider = given.get("provider")
    servers = PRESETS.get(provider, {}) if isinstance(provider, str) else {}
    raw = dict(given)
    for name, server in servers.items():
        own = raw.get(name, {})
        raw[name] = {**server, **own} if isinstance(own, dict) else own
    return raw


def _missing_servers(answers: Answers) -> list[str]:
    needed = (("imap", answers.imap), ("smtp", answers.smtp))
    return [f'{name}: is missing; accepted: [{name}] with host = "..."' for name, given in needed if given is None]


def _missing_logins(answers: Answers) -> list[str]:
    if answers.oauth is not None:
        if answers.provider == "m365" and answers.oauth.tenant is None:
            return ["oauth.tenant: is missing; accepted: the tenant's id or domain"]
        if answers.provider == "google" and answers.oauth.refresh_token_file is None:
            return ["oauth.refresh_token_file: is missing; accepted: the file with the refresh token"]
        return ['provider: found "generic" with [oauth]; accepted: "m365", "google"'] * (answers.provider == "generic")
    if answers.provider == "m365":
        return ["oauth: is missing; accepted: [oauth] with tenant, client_id and client_secret_file"]
    lacking = [one.address for one in answers.mailbox if not one.has_password]
    return [f"mailbox ({address}): password is missing; accepted: one of {' | '.join(_SOURCES)}" for address in lacking]


def _strange_departments(answers: Answers) -> list[str]:
    known = starter_departments()
    accepted = ", ".join(known)
    return [
        f"mailbox ({one.address}): department: found {one.department}; accepted: {accepted}"
        for one in answers.mailbox
        if one.department is not None and one.department not in known
    ]


def _in_circles(answers: Answers) -> list[str]:
    watched = {one.address.lower() for one in answers.mailbox}
    reads = addresses_of_departments(answers)
    return [
        f"departments.{key}: found {address}, which is watched: its mail would come back; accepted: another address"
        for key, address in reads.items()
        if address.lower() in watched
    ]


def addresses_of_departments(answers: Answers) -> dict[str, str]:
    """Where each department of the starter set reads."""
    return {key: answers.departments.get(key, f"{key}@{answers.domains[0]}") for key in starter_departments()}
