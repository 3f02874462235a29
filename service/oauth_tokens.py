"""Access tokens for mail servers: asked for once, shared by all who use the account, renewed shortly before their end.

Trusted: the token endpoint, by its certificate, and the person who wrote config.toml. Tokens stand in memory only, and
in no log or error. A refresh token that the endpoint replaces is on the disk before the access token is used.
"""

import logging
import os
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Protocol
from urllib.error import HTTPError

from service.oauth import OAuth
from service.oauth_grant import Token, TokenUnavailable, question, token_in
from service.secrets import CommandSecret, FileSecret, SecretError

log = logging.getLogger("deskbell.oauth")

RENEWALS_APART = timedelta(minutes=5)
"""A token that the mail server refuses is renewed at most this often: the token is seldom what is wrong."""
PATIENCE_SECONDS = 10.0
"""Without a word from the endpoint."""
_LONGEST_ANSWER = 256 * 1024


class AccessTokens(Protocol):
    """What a login asks (intake.login and delivery.session declare the same)."""

    def token(self) -> str:
        """An access token. Raises SecretError."""

    def after_refusal(self, refused: str) -> str | None:
        """Another token instead of the one the server refused, or None where there is none. Raises SecretError."""


class TokenSources:
    """The tokens of an installation: one source for each `oauth`, however many connections use it."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or partial(datetime.now, UTC)
        self._sources: dict[OAuth, AccessTokens] = {}
        self._locks: dict[Hashable, threading.Lock] = {}

    def of(self, oauth: OAuth) -> AccessTokens:
        """The source for these settings; equal settings have the same one."""
        if oauth not in self._sources:
            # Two accounts with one refresh token take turns: each may replace it.
            lock = self._locks.setdefault(oauth.refresh_token_file or oauth, threading.Lock())
            self._sources[oauth] = _source(oauth, self._now, lock)
        return self._sources[oauth]


def _source(oauth: OAuth, now: Callable[[], datetime], lock: threading.Lock) -> AccessTokens:
    if oauth.token_command is not None:
        return CommandTokens(CommandSecret(oauth.token_command))
    return GrantedTokens(oauth, now, lock)


class CommandTokens:
    """Tokens that a program prints: it runs at each login, because only it knows how long one lasts."""

    def __init__(self, command: CommandSecret) -> None:
        self._command = command

    def token(self) -> str:
        """The token as printed; SecretError where it cannot be one."""
        token = self._command.reveal()
        if not token.isascii() or not token.isprintable() or " " in token:
            raise SecretError(f"{self._command.source} printed something that is no access token")
        return token

    def after_refusal(self, refused: str) -> str | None:
        """What the program prints now, if it is another token."""
        token = self.token()
        return None if token == refused else token


class GrantedTokens:
    """Tokens of a token endpoint; used by many threads, of which one asks and the others wait for its answer."""

    def __init__(
        self, oauth: OAuth, now: Callable[[], datetime], lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._oauth = oauth
        self._now = now
        self._lock = lock or threading.Lock()
        self._token: Token | None = None
        self._renewed: datetime | None = None
        self._unwritten: tuple[str, str] | None = None
        """The refresh token in the file and the one that should stand there, after a write that failed."""

    def token(self) -> str:
        """The token in use, or a new one where that ends soon."""
        with self._lock:
            if self._token is None or self._now() >= self._token.usable_until:
                self._token = self._asked()
            return self._token.text

    def after_refusal(self, refused: str) -> str | None:
        """A new token, or the one that another thread got meanwhile; None if one was renewed for this just now."""
        with self._lock:
            if self._token is None or self._token.text == refused:
                now = self._now()
                if self._renewed is not None and now - self._renewed < RENEWALS_APART:
                    return None
                self._token = self._asked()
                self._renewed = now
            return self._token.text

    def _asked(self) -> Token:
        oauth = self._oauth
        secret = oauth.secret.reveal() if oauth.secret else None
        refresh = self._refresh_token(oauth.refresh_token_file) if oauth.refresh_token_file else None
        form = question(oauth, secret=secret, refresh_token=refresh)
        try:
            status, body = post_form(oauth.endpoint, form)
        except (OSError, HTTPException) as error:  # no mail is in hand: the caller logs in later
            reason = getattr(error, "reason", None) or error
            raise TokenUnavailable(
                f"the token endpoint {oauth.endpoint} cannot be reached: {type(reason).__name__}"
            ) from None
        token = token_in(oauth, status, body, now=self._now())
        if oauth.refresh_token_file and token.refresh_token not in {None, refresh}:
            self._keep(oauth.refresh_token_file, token.refresh_token or "")
        return token

    def _refresh_token(self, path: Path) -> str:
        stands = FileSecret(path).reveal().strip()
        if self._unwritten is None or self._unwritten[0] != stands:
            self._unwritten = None
            return stands
        newer = self._unwritten[1]
        self._keep(path, newer)
        return newer

    def _keep(self, path: Path, refresh: str) -> None:
        """The refresh token stands in the file, or is kept in memory and written at the next occasion."""
        try:
            write_secret(path, refresh)
        except OSError as error:  # no mail is in hand; the token of now works all the same
            log.error(  # noqa: TRY400 - the words say it all
                "the new refresh token cannot be written to %s (%s); it is lost with the next restart",
                path,
                error.strerror,
            )
            with suppress(SecretError):  # it is gone: there is nothing to compare with
                self._unwritten = FileSecret(path).reveal().strip(), refresh
        else:
            self._unwritten = None


def write_secret(path: Path, text: str) -> None:
    """The file holds the text, for its owner alone, and is on the disk; or nothing changed. Raises OSError."""
    real = path.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(real)
    except BaseException:  # no mail is in hand; the file is as it was
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(real.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the secret to somebody else."""

    def redirect_request(
        self,
        _request: urllib.request.Request,
        _file: IO[bytes],
        _code: int,
        _message: str,
        _headers: HTTPMessage,
        _url: str,
    ) -> None:
        """Never followed: its status is the answer."""


def post_form(url: str, form: bytes) -> tuple[int, bytes]:
    """Status and body of the answer, whatever the status. Raises OSError, http.client's HTTPException."""
    headers = {"Accept": "application/json", "User-Agent": "deskbell"}
    request = urllib.request.Request(url, form, headers)  # noqa: S310 - settings take https, and http on loopback
    try:
        with _opener().open(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read(_LONGEST_ANSWER)
    except HTTPError as refusal:  # an answer too; no mail is in hand
        with refusal:
            return refusal.code, refusal.read(_LONGEST_ANSWER)


def _opener() -> urllib.request.OpenerDirector:
    """The system's proxy sees https alone, which it cannot read: http is for this machine, and stays on it."""
    proxies = {scheme: proxy for scheme, proxy in urllib.request.getproxies().items() if scheme == "https"}
    return urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler(proxies))
