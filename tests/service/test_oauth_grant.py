"""What a token endpoint is asked, and what each of its answers means."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.oauth import OAuth
from service.oauth_grant import TokenRefused, TokenUnavailable, question, token_in

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
APP = OAuth.model_construct(
    provider="m365",
    tenant="corp.example",
    client_id="app",
    client_secret_env="MAIL_SECRET",
    refresh_token_file=None,
    scope=None,
    token_url=None,
)
URL = "https://login.microsoftonline.com/corp.example/oauth2/v2.0/token"


def answer(**values: object) -> bytes:
    return json.dumps(values).encode()


def test_an_application_asks_for_itself() -> None:
    assert parse_qs(question(APP, secret="s&cr=t", refresh_token=None).decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": ["s&cr=t"],
        "scope": ["https://outlook.office365.com/.default"],
    }


def test_a_refresh_token_asks_for_what_was_consented_to() -> None:
    delegated = APP.model_copy(update={"refresh_token_file": "r"})
    assert parse_qs(question(delegated, secret=None, refresh_token="r-1").decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["app"],
        "refresh_token": ["r-1"],
    }


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (3600, 3480),
        ("3599", 3479),
        (300, 180),
        (240, 120),
        (100, 50),
        (2, 1),
        (None, 180),
        (0, 180),
        (-5, 180),
        ("soon", 180),
        (True, 180),
        (1.5, 180),
        ([], 180),
        (10**30, 86_280),
    ],
)
def test_a_token_is_given_up_shortly_before_its_end(told: object, seconds: int) -> None:
    token = token_in(APP, 200, answer(access_token="t", expires_in=told), now=NOON)
    assert token.usable_until == NOON + timedelta(seconds=seconds)


def test_a_new_refresh_token_comes_with_the_token() -> None:
    token = token_in(APP, 200, answer(access_token="t", refresh_token="r-2"), now=NOON)
    assert (token.text, token.refresh_token) == ("t", "r-2")
    assert token_in(APP, 200, answer(access_token="t", refresh_token="r 2"), now=NOON).refresh_token is None


def test_a_token_is_not_shown() -> None:
    assert "hunter2" not in repr(token_in(APP, 200, answer(access_token="hunter2", refresh_token="hunter2"), now=NOON))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (503, b"<html>later</html>"),
        (429, answer(error="invalid_client")),
        (408, b""),
        (400, answer(error="temporarily_unavailable")),
        (400, answer(error="server_error")),
        (200, b""),
        (200, b"["),
        (200, b"[" * 100_000),
        (200, b"[1]"),
        (200, answer()),
        (200, answer(access_token="")),
        (200, answer(access_token="a\1b")),
        (200, answer(access_token="a b")),
        (200, answer(access_token=7)),
        (302, b""),
    ],
)
def test_an_answer_that_says_nothing_about_us_is_temporary(status: int, body: bytes) -> None:
    with pytest.raises(TokenUnavailable):
        token_in(APP, status, body, now=NOON)


@pytest.mark.parametrize(
    ("status", "values", "words"),
    [
        (401, {"error": "invalid_client"}, "(invalid_client): check client_id app and its secret (secret: env MAIL_"),
        (
            401,
            {"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys ..."},
            "(invalid_client, AADSTS7000222): the client secret has expired: make a new one (application app, secret",
        ),
        (400, {"error": "x", "error_description": "AADSTS90002: Tenant 'x' not found."}, "there is no such tenant"),
        (400, {"error": "invalid_grant"}, "the administrator has to allow application app to read and send mail"),
        (400, {"error": "unauthorized_client"}, "the administrator has to allow application app"),
        (400, {"error": "invalid_scope"}, "check scope (https://outlook.office365.com/.default)"),
        (400, {"error": "Hunter2 hunter2"}, "(status 400): check client_id, its secret, scope and token_url"),
        (404, {}, "(status 404): check client_id"),
        (403, {"error": ["hunter2"]}, "(status 403)"),
        (200, {"error": "invalid_request"}, "(invalid_request)"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, values: dict[str, object], words: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        token_in(APP, status, answer(**values), now=NOON)
    assert str(caught.value).startswith(f"the token endpoint {URL} refuses us (")
    assert words in str(caught.value)


def test_a_consent_that_ended_names_the_file_to_write() -> None:
    delegated = APP.model_copy(update={"refresh_token_file": "/etc/deskbell/refresh.token"})
    with pytest.raises(
        TokenRefused, match=r"consent anew, and write the refresh token to /etc/deskbell/refresh\.token"
    ):
        token_in(delegated, 400, answer(error="invalid_grant"), now=NOON)


@given(
    status=st.sampled_from([200, 302, 400, 401, 403, 500]),
    values=st.dictionaries(
        st.sampled_from(["error", "error_description", "token_type", "expires_in", "refresh_token"]),
        st.sampled_from(["hunter2", "invalid_grant hunter2", "AADSTS7000215: hunter2", "hunter2\r\n", 5, None]),
    ),
)
def test_no_refusal_repeats_what_the_endpoint_wrote_in_free_text(status: int, values: dict[str, object]) -> None:
    """It may be an echo of what we sent."""
    with pytest.raises((TokenRefused, TokenUnavailable)) as caught:
        token_in(APP, status, answer(**values, access_token=None), now=NOON)
    if values.get("error") != "hunter2":
        assert "hunter2" not in str(caught.value)
