"""The servers deskbell logs in to, and the folder that may stand in for one."""

from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from desk.marker import FOLDER
from service.notation import (
    SHOWN,
    Command,
    FilePath,
    Host,
    Section,
    Variable,
    Words,
    is_loopback,
    mistake,
)
from service.oauth import OAuth
from service.secrets import Secret, given_secret

_PASSWORDS = "password | password_env | password_file | password_command | oauth"

Tls = Literal["tls", "starttls", "none"]


class Server(Section):
    """How to reach a mail server and log in there."""

    host: Host = Field(description="Name or address of the server.", examples=["mail.corp.example"])
    tls: Tls = Field("tls", description="Encryption; none only where the server is on this machine.")
    ca_file: FilePath | None = Field(
        None, description="Certificates (PEM) to trust instead of the system's.", examples=["corp-ca.pem"]
    )
    user: Words | None = Field(
        None, description="Login name; without it nobody logs in.", examples=["deskbell"], json_schema_extra=SHOWN
    )
    password: SecretStr | None = Field(
        None,
        description="The password itself; better one of the next three: this file is easily read by others.",
        examples=["..."],
    )
    password_env: Variable | None = Field(
        None,
        description="Or the environment variable that holds it.",
        examples=["DESKBELL_PASSWORD"],
        json_schema_extra=SHOWN,
    )
    password_file: FilePath | None = Field(
        None, description="Or the file that holds it (chmod 600).", examples=["mail.password"]
    )
    password_command: Command | None = Field(
        None,
        description="Or the program that prints it as its first line, within ten seconds.",
        examples=["pass show deskbell"],
    )
    oauth: OAuth | None = Field(
        None, description="Or access tokens instead of a password (XOAUTH2).", validate_default=True
    )

    @property
    def secret(self) -> Secret | None:
        """The password's source, asked at each use; None where nobody logs in, or by oauth."""
        return given_secret(
            written=self.password.get_secret_value() if self.password else None,
            variable=self.password_env,
            path=self.password_file,
            command=self.password_command,
        )

    @field_validator("tls")
    @classmethod
    def _plain_text_stays_here(cls, tls: Tls, info: ValidationInfo) -> Tls:
        if tls == "none" and not is_loopback(info.data.get("host", "localhost")):
            raise ValueError('"tls" or "starttls"; "none" only for a server on this machine')
        return tls

    @field_validator("password")
    @classmethod
    def _not_empty(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and not password.get_secret_value():
            raise ValueError("a password of at least one character")
        return password

    @field_validator("oauth")
    @classmethod
    def _one_password_for_one_user(cls, oauth: OAuth | None, info: ValidationInfo) -> OAuth | None:
        names = ("user", "password", "password_env", "password_file", "password_command")
        if any(name not in info.data for name in names):
            return oauth  # One of them was refused already; a second complaint would be about that one.
        user, *sources = (info.data[name] is not None for name in names)
        given = sum((*sources, oauth is not None))
        if given and not user:
            raise mistake(found="a password without user", accepted="both, or neither", key="user")
        if user and given != 1:
            raise mistake(found=str(given or "none"), accepted=f"exactly one of {_PASSWORDS}", key="password")
        return oauth


class Imap(Server):
    """A mailbox's own account."""

    user: Words = Field(description="Login name.", examples=["help@corp.example"])
    port: int = Field(
        default_factory=lambda data: 993 if data.get("tls", "tls") == "tls" else 143,
        description="Port; by default 993 with tls, else 143.",
        examples=[993],
        ge=1,
        le=65535,
    )
    folders: tuple[Words, ...] = Field(("INBOX",), description="Folders that are watched.", min_length=1, strict=False)
    after: Literal["auto", "keyword", "seen", "move", "nothing"] = Field(
        "auto",
        description="What is done to a mail on the server once it is settled: our keyword is set, it is marked as "
        "read, moved to the folder Deskbell, or nothing; auto sets the keyword where the server keeps keywords, "
        "else moves.",
    )

    @field_validator("folders")
    @classmethod
    def _no_markers_among_them(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        if FOLDER in folders:
            raise ValueError(f"folders that people's mail comes to; {FOLDER} is where deskbell keeps its markers")
        return folders


class Smtp(Server):
    """The server that takes our mail."""

    port: int = Field(
        default_factory=lambda data: {"tls": 465, "starttls": 587, "none": 25}[data.get("tls", "tls")],
        description="Port; by default 465 with tls, 587 with starttls, else 25.",
        examples=[465],
        ge=1,
        le=65535,
    )
    rate_per_minute: int = Field(0, description="Mails sent in a minute at most; 0 is no limit.", ge=0)
    connections: int = Field(2, description="Connections at the same time.", ge=1, le=10)


class Maildir(Section):
    """A folder that takes our mail, for trying out."""

    path: FilePath = Field(
        description="The folder; each recipient gets a Maildir of their own in it.", examples=["outgoing"]
    )
