"""What a token endpoint is asked and what its answer means (RFC 6749 sections 4.4, 5 and 6). Pure: text in, values out.

Nothing of an answer is repeated but error codes of known form: its free text may hold what we sent, and that is secret.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from service.oauth import OAuth
from service.secrets import SecretError

UNKNOWN_LIFETIME = timedelta(minutes=5)
"""How long a token is taken for good whose lifetime was not told."""
LONGEST_LIFETIME = timedelta(days=1)
MARGIN = timedelta(minutes=2)
"""A token is given up this long before its end, or at half its lifetime where that is later."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_CODE = re.compile(r"[a-z_]{1,40}")
_MICROSOFT = re.compile(r"AADSTS\d{4,9}")
_PASSING = ("temporarily_unavailable", "server_error", "slow_down", "authorization_pending")
_TOO_MANY, _TIMEOUT, _SERVER_ERRORS = 429, 408, 500

_MICROSOFT_SAYS = {
    "AADSTS7000222": "the client secret has expired: make a new one",
    "AADSTS7000215": "the client secret is wrong; it must be the secret's value, not its id",
    "AADSTS700016": "the tenant knows no application of this client_id",
    "AADSTS90002": "there is no such tenant",
}


class TokenUnavailable(SecretError):
    """The token endpoint gives no token now; it may do so later."""


class TokenRefused(SecretError):
    """The token endpoint gives no token until a person acts; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with the moment from which a new one is needed, and a new refresh token where one came."""

    text: str = field(repr=False)
    usable_until: datetime
    refresh_token: str | None = field(default=None, repr=False)


def question(oauth: OAuth, *, secret: str | None, refresh_token: str | None) -> bytes:
    """The form to be posted: with a refresh token that grant, else the application's own."""
    asked = {
        "grant_type": "client_credentials" if refresh_token is None else "refresh_token",
        "client_id": oauth.client_id,
        "client_secret": secret,
        "refresh_token": refresh_token,
        "scope": oauth.asked_scope,
    }
    return urlencode({name: value for name, value in asked.items() if value is not None}).encode()


def token_in(oauth: OAuth, status: int, body: bytes, *, now: datetime) -> Token:
    """The token of an answer. Raises TokenUnavailable or TokenRefused."""
    answer = _object(body)
    if status >= _SERVER_ERRORS or status in {_TOO_MANY, _TIMEOUT} or answer.get("error") in _PASSING:
        raise TokenUnavailable(f"the token endpoint {oauth.endpoint} gives no token now (status {status})")
    if "error" in answer or status >= 400:  # noqa: PLR2004 - RFC 9110 section 15: a refusal
        raise TokenRefused(_refusal(oauth, status, answer))
    text = answer.get("access_token")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise TokenUnavailable(f"the answer of {oauth.endpoint} holds no access token (status {status})")
    refresh = answer.get("refresh_token")
    kept = refresh if isinstance(refresh, str) and _TOKEN.fullmatch(refresh) else None
    return Token(text, now + _usable(answer.get("expires_in")), kept)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # no mail is in hand; the status alone speaks
        return {}
    return answer if isinstance(answer, dict) else {}


def _usable(seconds: object) -> timedelta:
    """How long a token is used that lives so many seconds; some endpoints write the number as a text."""
    told = int(seconds) if isinstance(seconds, str) and re.fullmatch(r"\d{1,9}", seconds, re.ASCII) else seconds
    if isinstance(told, bool) or not isinstance(told, int) or told <= 0:
        lifetime = UNKNOWN_LIFETIME
    else:
        lifetime = min(timedelta(seconds=min(told, 10**9)), LONGEST_LIFETIME)
    return max(lifetime - MARGIN, lifetime / 2)


def _refusal(oauth: OAuth, status: int, answer: Mapping[str, object]) -> str:
    error = answer.get("error")
    code = error if isinstance(error, str) and _CODE.fullmatch(error) else f"status {status}"
    description = answer.get("error_description")
    found = _MICROSOFT.search(description) if isinstance(description, str) else None
    number = found[0] if found else ""
    said = f"{code}, {number}" if number else code
    return f"the token endpoint {oauth.endpoint} refuses us ({said}): {_what_to_do(oauth, code, number)}"


def _what_to_do(oauth: OAuth, code: str, number: str) -> str:
    if number in _MICROSOFT_SAYS:
        return f"{_MICROSOFT_SAYS[number]} (application {oauth.client_id}, {_secret_place(oauth)})"
    match code:
        case "invalid_client":
            return f"check client_id {oauth.client_id} and its secret ({_secret_place(oauth)})"
        case "invalid_grant" if oauth.refresh_token_file:
            return f"the consent has ended: consent anew, and write the refresh token to {oauth.refresh_token_file}"
        case "invalid_scope":
            return f"check scope ({oauth.asked_scope or 'none given'})"
        case "unauthorized_client" | "invalid_grant":
            return f"the administrator has to allow application {oauth.client_id} to read and send mail"
    return "check client_id, its secret, scope and token_url"


def _secret_place(oauth: OAuth) -> str:
    return f"secret: {oauth.secret.source}" if oauth.secret else "no secret given"
