"""`oauth = {...}`: what is taken, what follows from the provider, how a refusal reads, and that no secret is shown."""

from datetime import date
from pathlib import Path

import pytest

from service.oauth import OAuth
from service.settings import SettingsError, describe, load

HEAD = """
[[mailbox]]
address = "help@corp.example"
[mailbox.imap]
host = "outlook.office365.com"
user = "help@corp.example"
"""
TAIL = '\n[maildir]\npath = "out"\n'
M365 = 'provider = "m365", tenant = "corp.onmicrosoft.com", client_id = "app"'
SECRET = 'client_secret_env = "S"'
TENANT = "https://login.microsoftonline.com/corp.onmicrosoft.com/oauth2/v2.0/token"


@pytest.fixture
def written(tmp_path: Path):
    """The settings of an account with these words between the braces of oauth."""

    def write(inner: str, *, account: str = "") -> Path:
        path = tmp_path / "config.toml"
        path.write_text(f"{HEAD}{account}\noauth = {{ {inner} }}{TAIL}", encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def oauth(written):
    def read(inner: str) -> OAuth:
        found = load(written(inner)).mailbox[0].imap.oauth
        assert found is not None
        return found

    return read


@pytest.fixture
def refusal(written):
    def refuse(inner: str, account: str = "") -> str:
        path = written(inner, account=account)
        with pytest.raises(SettingsError) as caught:
            load(path)
        return str(caught.value).replace(f"{path}: mailbox[1].imap.", "").replace(" (help@corp.example)", "")

    return refuse


@pytest.mark.parametrize(
    ("inner", "endpoint", "scope"),
    [
        (f"{M365}, {SECRET}", TENANT, "https://outlook.office365.com/.default"),
        (f'{M365}, {SECRET}, scope = "own"', TENANT, "own"),
        (f'{M365}, refresh_token_file = "r"', TENANT, None),
        (
            f'provider = "google", client_id = "app", {SECRET}, refresh_token_file = "r"',
            "https://oauth2.googleapis.com/token",
            None,
        ),
        (f'client_id = "app", {SECRET}, token_url = "https://id.corp.example/t"', "https://id.corp.example/t", None),
        (
            f'provider = "m365", client_id = "app", {SECRET}, token_url = "http://127.0.0.1:8080/t"',
            "http://127.0.0.1:8080/t",
            "https://outlook.office365.com/.default",
        ),
        ('token_command = "mail-token help"', "", None),
    ],
)
def test_endpoint_and_scope_follow_from_the_provider(oauth, inner: str, endpoint: str, scope: str | None) -> None:
    found = oauth(inner)
    assert (found.endpoint, found.asked_scope) == (endpoint, scope)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ('client_secret = "hunter2"', "in the file (hidden)"),
        ('client_secret_env = "S"', "env S"),
        ('client_secret_file = "/run/s"', "file /run/s"),
        ('client_secret_command = "pass show s"', "command pass"),
    ],
)
def test_the_client_secret_has_the_sources_of_a_password(oauth, line: str, source: str) -> None:
    assert oauth(f"{M365}, {line}").secret.source == source


def test_a_day_is_written_as_toml_writes_days(oauth) -> None:
    assert oauth(f"{M365}, {SECRET}, secret_expires = 2027-03-01").secret_expires == date(2027, 3, 1)


def test_no_secret_and_no_argument_of_a_command_is_shown(written) -> None:
    config = load(written(f'{M365}, client_secret = "hunter2"'))
    assert "hunter2" not in repr(config) + repr(describe(config))
    assert "hunter2" not in repr(describe(load(written('token_command = "mail-token hunter2"'))))


def test_what_is_shown_names_each_source(written) -> None:
    rows = {row.key: row.value for row in describe(load(written(f'{M365}, client_secret_file = "/run/s"')))}
    assert rows["mailbox[1].imap.oauth.client_secret"] == "file /run/s"
    assert rows["mailbox[1].imap.password"] == ""
    rows = {row.key: row.value for row in describe(load(written('token_command = "mail-token x"')))}
    assert rows["mailbox[1].imap.oauth.token_command"] == "command mail-token"


@pytest.mark.parametrize(("mode", "exposed"), [(0o644, True), (0o600, False)])
def test_a_client_secret_in_a_file_that_everybody_reads_is_exposed(written, mode: int, exposed: bool) -> None:
    path = written(f'{M365}, client_secret = "hunter2"')
    path.chmod(mode)
    assert load(path).exposes_passwords is exposed


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("", "oauth.client_id: found none; accepted: the application's id, or token_command alone"),
        (M365, "oauth.client_secret: found none; accepted: exactly one of client_secret | client_secret_env | "),
        (f'{M365}, {SECRET}, client_secret_file = "x"', "found client_secret_env, client_secret_file; accepted: exa"),
        (f'provider = "m365", client_id = "app", {SECRET}', "oauth.tenant: found none; accepted: the tenant with"),
        (f'{M365}, {SECRET}, token_url = "https://h/t"', 'oauth.tenant: found "corp.onmicrosoft.com"; accepted: th'),
        (f'tenant = "a", client_id = "app", {SECRET}', 'oauth.tenant: found "a"; accepted: the tenant with provider'),
        (f'client_id = "app", {SECRET}', "oauth.token_url: found none; accepted: the URL of the token endpoint, or"),
        (f'provider = "google", client_id = "app", {SECRET}', "oauth.refresh_token_file: found none; accepted: the"),
        (f'token_command = "x", client_id = "app", {SECRET}', "oauth.token_command: found token_command and client_"),
        (f'{M365}, client_secret = ""', "oauth.client_secret: found a value (hidden); accepted: a secret of at least"),
        (
            f'{M365}, {SECRET}, secret_expires = "soon"',
            'secret_expires: found "soon"; accepted: a day such as 2027-03',
        ),
        (
            f"{M365}, {SECRET}, secret_expires = 2027-03-01T10:00:00",
            "secret_expires: found 2027-03-01 10:00:00; accepted",
        ),
        (f'{M365}, {SECRET}, colour = "hunter2"', "oauth.colour: unknown setting; accepted: provider, tenant"),
        (f'provider = "yahoo", {SECRET}', 'oauth.provider: found "yahoo"; accepted: "m365", "google" or "generic"'),
    ],
)
def test_a_refusal_says_what_would_be_accepted(refusal, inner: str, words: str) -> None:
    said = refusal(inner)
    assert words in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://id.corp.example/t",
        "http://localhost/t",
        "ftp://127.0.0.1:1/t",
        "https://",
        "https://user:hunter2@h/t",
        "https://h/t?secret=x",
        "https://h/t#x",
        "https://h:port/t",
        "id.corp.example/t",
    ],
)
def test_a_token_url_that_would_show_the_secret_is_refused(refusal, url: str) -> None:
    """A port is asked of http, because it is for trying out alone."""
    said = refusal(f'client_id = "app", {SECRET}, token_url = "{url}"')
    assert "oauth.token_url: found " in said
    assert "accepted: an https URL" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("account", "found"), [('password_env = "P"', "found 2; "), ('password = "a"\npassword_env = "P"', "found 3; ")]
)
def test_a_password_beside_oauth_is_refused(refusal, account: str, found: str) -> None:
    assert f"password: {found}accepted: exactly one of password | password_env" in refusal(f"{M365}, {SECRET}", account)


def test_a_text_instead_of_the_table_is_not_repeated(tmp_path: Path) -> None:
    """It may well be the token."""
    path = tmp_path / "config.toml"
    path.write_text(f'{HEAD}oauth = "hunter2"{TAIL}', encoding="utf-8")
    with pytest.raises(SettingsError, match="found a value") as caught:
        load(path)
    assert "hunter2" not in str(caught.value)
