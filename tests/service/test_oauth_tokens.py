"""Access tokens: asked for once, kept until shortly before their end, renewed after a refusal, and never shown."""

import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service import oauth_tokens
from service.oauth import OAuth
from service.oauth_grant import TokenRefused, TokenUnavailable
from service.oauth_tokens import RENEWALS_APART, GrantedTokens, TokenSources, post_form, write_secret
from service.secrets import SecretError
from tests.servers.installation import free_port
from tests.servers.tokens import TokenEndpoint


class Clock:
    """The time as a test sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoint():
    with TokenEndpoint() as running:
        yield running


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "client.secret"
    path.write_text("hunter2\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def refresh(tmp_path: Path) -> Path:
    path = tmp_path / "refresh.token"
    path.write_text("refresh-0\n")
    path.chmod(0o600)
    return path


def application(endpoint: TokenEndpoint, **known) -> OAuth:
    return OAuth.model_construct(provider="generic", token_url=endpoint.url, client_id="app", **known)


def test_a_token_is_asked_for_once_and_renewed_two_minutes_before_its_end(endpoint, secret, clock) -> None:
    tokens = GrantedTokens(application(endpoint, client_secret_file=secret), clock)
    assert [tokens.token(), tokens.token()] == ["token-1", "token-1"]
    clock.now += timedelta(seconds=3479)
    assert tokens.token() == "token-1"
    clock.now += timedelta(seconds=1)
    assert tokens.token() == "token-2"
    assert [asked["client_secret"] for asked in endpoint.asked] == ["hunter2", "hunter2"]


def test_twenty_connections_that_need_a_token_at_once_ask_once(endpoint, secret, clock) -> None:
    sources = TokenSources(clock)
    oauth = application(endpoint, client_secret_file=secret)
    same = oauth.model_copy()
    got: list[str] = []
    everybody = threading.Barrier(20)

    def connect(source) -> None:
        everybody.wait(10)
        got.append(source.token())

    threads = [threading.Thread(target=connect, args=(sources.of((oauth, same)[n % 2]),)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == ["token-1"] * 20
    assert len(endpoint.asked) == 1


def test_a_refused_token_is_renewed_once_for_all_who_used_it(endpoint, secret, clock) -> None:
    tokens = GrantedTokens(application(endpoint, client_secret_file=secret), clock)
    tokens.token()
    assert [tokens.after_refusal("token-1"), tokens.after_refusal("token-1")] == ["token-2", "token-2"]
    assert tokens.token() == "token-2"


def test_a_token_renewed_just_now_is_not_renewed_again_until_five_minutes_later(endpoint, secret, clock) -> None:
    """The right to the mailbox is missing then, and each login would ask for two more tokens."""
    tokens = GrantedTokens(application(endpoint, client_secret_file=secret), clock)
    assert tokens.after_refusal(tokens.token()) == "token-2"
    clock.now += RENEWALS_APART - timedelta(seconds=1)
    assert tokens.after_refusal("token-2") is None
    clock.now += timedelta(seconds=1)
    assert tokens.after_refusal("token-2") == "token-3"


def test_a_changed_client_secret_needs_no_restart(endpoint, secret, clock) -> None:
    tokens = GrantedTokens(application(endpoint, client_secret_file=secret), clock)
    tokens.token()
    secret.write_text("sesame\n")
    tokens.after_refusal("token-1")
    assert [asked["client_secret"] for asked in endpoint.asked] == ["hunter2", "sesame"]


def test_a_failure_is_not_remembered_as_a_token(secret, clock) -> None:
    with TokenEndpoint([(503, {}), (401, {"error": "invalid_client"})]) as endpoint:
        tokens = GrantedTokens(application(endpoint, client_secret_file=secret), clock)
        with pytest.raises(TokenUnavailable):
            tokens.token()
        with pytest.raises(TokenRefused):
            tokens.token()
        assert tokens.token() == "token-3"


def test_an_endpoint_that_cannot_be_reached_is_named_without_the_secret(secret, clock) -> None:
    oauth = OAuth.model_construct(
        provider="generic", token_url=f"http://127.0.0.1:{free_port()}/t", client_id="app", client_secret_file=secret
    )
    with pytest.raises(TokenUnavailable, match="cannot be reached: ConnectionRefusedError") as caught:
        GrantedTokens(oauth, clock).token()
    assert "hunter2" not in str(caught.value)


def test_a_redirect_is_not_followed(secret, clock) -> None:
    """The secret is for the one who was configured."""
    with TokenEndpoint() as thief:
        with TokenEndpoint([(307, {"location": thief.url}), (302, {"location": thief.url})]) as endpoint:
            for _ in range(2):
                with pytest.raises(TokenUnavailable):
                    GrantedTokens(application(endpoint, client_secret_file=secret), clock).token()
        assert thief.asked == []


def test_a_proxy_never_sees_a_secret_in_plain_text(endpoint, secret, clock, monkeypatch) -> None:
    with TokenEndpoint() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert GrantedTokens(application(endpoint, client_secret_file=secret), clock).token() == "token-1"
        assert (proxy.asked, len(endpoint.asked)) == ([], 1)


def test_a_rotated_refresh_token_replaces_the_one_in_its_file(refresh, clock) -> None:
    with TokenEndpoint(rotates=True) as endpoint:
        tokens = GrantedTokens(application(endpoint, refresh_token_file=refresh), clock)
        tokens.token()
        assert refresh.read_text() == "refresh-1\n"
        assert refresh.stat().st_mode & 0o777 == 0o600
        GrantedTokens(application(endpoint, refresh_token_file=refresh), clock).token()
    assert [asked["refresh_token"] for asked in endpoint.asked] == ["refresh-0", "refresh-1"]
    assert [path.name for path in refresh.parent.iterdir()] == ["refresh.token"]


def test_an_unrotated_refresh_token_leaves_its_file_alone(endpoint, refresh, clock) -> None:
    before = refresh.stat()
    GrantedTokens(application(endpoint, refresh_token_file=refresh), clock).token()
    assert (refresh.stat().st_ino, refresh.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_two_accounts_with_one_refresh_token_take_the_new_one_from_each_other(refresh, clock) -> None:
    """IMAP and SMTP with a scope each: what one got, the other uses."""
    with TokenEndpoint(rotates=True) as endpoint:
        sources = TokenSources(clock)
        for scope in ("imap", "smtp"):
            sources.of(application(endpoint, refresh_token_file=refresh, scope=scope)).token()
    assert [(asked["scope"], asked["refresh_token"]) for asked in endpoint.asked] == [
        ("imap", "refresh-0"),
        ("smtp", "refresh-1"),
    ]


def test_a_refresh_token_that_cannot_be_written_is_used_from_memory_and_written_later(
    refresh, clock, monkeypatch, caplog
) -> None:
    def full(_path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    with TokenEndpoint(rotates=True) as endpoint:
        tokens = GrantedTokens(application(endpoint, refresh_token_file=refresh), clock)
        with monkeypatch.context() as disk:
            disk.setattr(oauth_tokens, "write_secret", full)
            assert tokens.token() == "token-1"
        assert refresh.read_text() == "refresh-0\n"
        tokens.after_refusal("token-1")
    assert [asked["refresh_token"] for asked in endpoint.asked] == ["refresh-0", "refresh-1"]
    assert refresh.read_text() == "refresh-2\n"
    assert f"cannot be written to {refresh} (No space left on device)" in caplog.text
    assert "refresh-1" not in caplog.text


def test_a_refresh_token_written_by_hand_wins_over_one_in_memory(refresh, clock, monkeypatch) -> None:
    """Somebody consented anew while the disk was full."""
    with TokenEndpoint(rotates=True) as endpoint:
        tokens = GrantedTokens(application(endpoint, refresh_token_file=refresh), clock)
        with monkeypatch.context() as disk:
            disk.setattr(oauth_tokens, "write_secret", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
            tokens.token()
        refresh.write_text("consented-anew\n")
        tokens.after_refusal("token-1")
    assert endpoint.asked[1]["refresh_token"] == "consented-anew"


def test_a_refresh_token_that_others_may_read_is_refused(endpoint, refresh, clock) -> None:
    refresh.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        GrantedTokens(application(endpoint, refresh_token_file=refresh), clock).token()
    assert endpoint.asked == []


def test_a_secret_is_written_through_a_link_and_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "secret")
    write_secret(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "secret").read_text() == "new\n"
    assert (tmp_path / "there" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_written_leaves_the_old_one_and_no_other_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "secret"
    path.write_text("old\n")

    def broken(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(oauth_tokens.os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        write_secret(path, "new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("secret", "old\n")]


def test_a_program_gives_a_token_at_each_login(clock, tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = f"import pathlib; p = pathlib.Path({str(count)!r}); p.open('a').write('x'); "
    program += "print('token-%d' % len(p.read_text()))"
    tokens = TokenSources(clock).of(OAuth.model_construct(token_command=(sys.executable, "-c", program)))
    assert [tokens.token(), tokens.token()] == ["token-1", "token-2"]
    assert tokens.after_refusal("token-2") == "token-3"
    assert tokens.after_refusal("token-4") is None


@pytest.mark.parametrize("printed", ["two words", "zażółć", "a\\x01b"])
def test_what_cannot_be_a_token_is_not_shown(clock, printed: str) -> None:
    tokens = TokenSources(clock).of(OAuth.model_construct(token_command=(sys.executable, "-c", f"print('{printed}')")))
    with pytest.raises(SecretError, match="printed something that is no access token") as caught:
        tokens.token()
    assert printed not in str(caught.value)


def test_an_answer_without_end_is_read_in_part() -> None:
    with TokenEndpoint([(200, {"access_token": "t" * 1_000_000})]) as endpoint:
        status, body = post_form(endpoint.url, b"a=b")
    assert (status, len(body)) == (200, 256 * 1024)
