"""How access tokens are had, instead of a password: `oauth = {...}` of an account."""

from datetime import date
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from service.notation import Command, Domain, FilePath, Section, Variable, Words, is_loopback, mistake
from service.secrets import Secret, given_secret

Provider = Literal["m365", "google", "generic"]

TOKEN_URLS = {
    "m365": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    "google": "https://oauth2.googleapis.com/token",
}
APPLICATION_SCOPE = "https://outlook.office365.com/.default"
"""What an application of its own asks for at Microsoft 365: all that its administrator has granted it."""
_SECRETS = ("client_secret", "client_secret_env", "client_secret_file", "client_secret_command")
_ASKED = ("client_id", *_SECRETS, "refresh_token_file", "tenant", "scope", "token_url")
"""What has no meaning where a program of one's own has the tokens."""


class OAuth(Section):
    """Access tokens instead of a password (XOAUTH2)."""

    provider: Provider = Field("generic", description="Whose token endpoint it is; generic needs token_url.")
    tenant: Domain | None = Field(
        None, description="The tenant, by domain or id; m365 needs it.", examples=["corp.onmicrosoft.com"]
    )
    client_id: Words | None = Field(
        None,
        description="The application's id; not needed with token_command.",
        examples=["11111111-2222-3333-4444-555555555555"],
    )
    client_secret: SecretStr | None = Field(
        None, description="The application's secret itself; better one of the next three.", examples=["..."]
    )
    client_secret_env: Variable | None = Field(
        None, description="Or the environment variable that holds it.", examples=["DESKBELL_CLIENT_SECRET"]
    )
    client_secret_file: FilePath | None = Field(
        None, description="Or the file that holds it (chmod 600).", examples=["client.secret"]
    )
    client_secret_command: Command | None = Field(
        None, description="Or the program that prints it as its first line.", examples=["pass show client"]
    )
    secret_expires: date | None = Field(
        None,
        description="The day the secret expires; from 30 days before, the log warns once a day.",
        examples=[date(2027, 3, 1)],
    )
    refresh_token_file: FilePath | None = Field(
        None,
        description="The file with the refresh token of a user's consent (chmod 600); a new one is written back.",
        examples=["refresh.token"],
    )
    scope: Words | None = Field(
        None,
        description="What the token is asked for; by default what the provider needs for mail.",
        examples=[APPLICATION_SCOPE],
    )
    token_url: Words | None = Field(
        None,
        description="The token endpoint instead of the provider's own.",
        examples=["https://login.corp.example/token"],
    )
    token_command: Command | None = Field(
        None,
        description="Instead of all others: the program that prints an access token as its first line.",
        examples=["mail-token help"],
    )

    @property
    def secret(self) -> Secret | None:
        """The client secret's source, or None."""
        written = self.client_secret
        return given_secret(
            written=written.get_secret_value() if written else None,
            variable=self.client_secret_env,
            path=self.client_secret_file,
            command=self.client_secret_command,
        )

    @property
    def endpoint(self) -> str:
        """The URL that tokens are asked from; empty with token_command."""
        return self.token_url or TOKEN_URLS.get(self.provider, "").format(tenant=self.tenant)

    @property
    def asked_scope(self) -> str | None:
        """The scope of the question; None for what the consent was given for."""
        if self.scope is None and self.provider == "m365" and self.refresh_token_file is None:
            return APPLICATION_SCOPE
        return self.scope

    @field_validator("client_secret")
    @classmethod
    def _not_empty(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not secret.get_secret_value():
            raise ValueError("a secret of at least one character")
        return secret

    @field_validator("token_url")
    @classmethod
    def _secrets_travel_encrypted(cls, url: str | None) -> str | None:
        accepted = "an https URL without user, query and fragment; http only for this machine"
        if url is None:
            return url
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # No mail is in hand while settings are read.
            raise ValueError(accepted) from None
        bare = parts.hostname and not (parts.username or parts.query or parts.fragment or " " in url)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "") and port is not None
        if not bare or not (plain or parts.scheme == "https"):
            raise ValueError(accepted)
        return url

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in _ASKED if getattr(self, name) is not None]
        if self.token_command is None:
            self._complete(given)
        elif given:
            found = f"token_command and {', '.join(given)}"
            raise mistake(found=found, accepted="token_command alone", key="oauth.token_command")
        return self

    def _complete(self, given: list[str]) -> None:
        secrets = [name for name in given if name in _SECRETS]
        if self.client_id is None:
            raise mistake(found="none", accepted="the application's id, or token_command alone", key="oauth.client_id")
        if len(secrets) > 1 or (not secrets and self.refresh_token_file is None):
            accepted = "exactly one of client_secret | client_secret_env | client_secret_file | client_secret_command"
            raise mistake(
                found=", ".join(secrets) or "none",
                accepted=f"{accepted}; none only with refresh_token_file",
                key="oauth.client_secret",
            )
        self._fits_provider()

    def _fits_provider(self) -> None:
        if (self.provider == "m365" and self.token_url is None) != (self.tenant is not None):
            accepted = 'the tenant with provider = "m365", and none with another provider or with token_url'
            raise mistake(found=f'"{self.tenant}"' if self.tenant else "none", accepted=accepted, key="oauth.tenant")
        if self.provider == "generic" and self.token_url is None:
            accepted = 'the URL of the token endpoint, or provider = "m365" or "google"'
            raise mistake(found="none", accepted=accepted, key="oauth.token_url")
        if self.provider == "google" and self.refresh_token_file is None:
            accepted = "the file with a refresh token: Google gives an application alone no access to mail"
            raise mistake(found="none", accepted=accepted, key="oauth.refresh_token_file")
