"""How a connection to an IMAP server begins: TLS, login, the folder.

TLS is always verified and never given up: a server that refuses STARTTLS is not talked to. The password or token is
asked for at each login and kept nowhere. In every failure here the mails are on the server, unread and unmarked.
"""

import imaplib
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import imapclient
from imapclient.exceptions import LoginError

from intake.trouble import (
    AccessRefused,
    FolderMissing,
    LoginRefused,
    MailboxError,
    ServerUnreachable,
    is_passing,
    telling,
    told_as,
    words_of,
)


class AccessTokens(Protocol):
    """Where access tokens come from; whatever it raises passes unchanged."""

    def token(self) -> str:
        """An access token."""
        ...

    def after_refusal(self, refused: str) -> str | None:
        """Another token instead of the one the server refused, or None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom to log in; timeouts in seconds. Raises ValueError, see below.

    Either a password or tokens. Plain text ("none") is for this machine only.
    """

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str
    password: Callable[[], str] | None = field(default=None, repr=False)
    tokens: AccessTokens | None = field(default=None, repr=False, kw_only=True)
    ca_file: str | None = None
    """PEM file of an authority trusted beside the system's."""
    connect_timeout: float = 30.0
    read_timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.tls == "none" and not _is_loopback(self.host):
            raise ValueError(f"tls = none is for this machine only, not for {self.host}")
        if (self.password is None) == (self.tokens is None):
            raise ValueError("either a password or tokens")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, not an address; no mail is involved yet
        return host == "localhost"


def connect(account: Account) -> Any:
    """A connected imapclient.IMAPClient, not logged in, encrypted as the account says. Raises ServerUnreachable."""
    with told_as(ServerUnreachable):
        context = ssl.create_default_context()
        if account.ca_file is not None:
            context.load_verify_locations(account.ca_file)
        client = imapclient.IMAPClient(
            account.host,
            account.port,
            ssl=account.tls == "tls",
            ssl_context=context,
            timeout=imapclient.SocketTimeout(account.connect_timeout, account.read_timeout),
        )
    imap = session(client)
    imap.debug = 0  # imapclient sets 5: each mail would be formatted for a log nobody reads (7 times the CPU)
    try:
        with told_as(ServerUnreachable):
            _keep_alive(imap.sock)
            if account.tls == "starttls":
                client.starttls(context)
    except ServerUnreachable:  # nothing was read yet
        hang_up(imap)
        raise
    return client


def session(client: Any) -> imaplib.IMAP4:
    """The imaplib object inside an IMAPClient: IDLE, quiet logs and answer-by-answer FETCH need it."""
    imap: imaplib.IMAP4 = client._imap  # noqa: SLF001 - imapclient has no public way to it
    return imap


def _keep_alive(sock: socket.socket) -> None:
    """A peer that is gone without a word is noticed after 30 + 3 x 10 seconds, where the system lets one say so."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def log_in(client: Any, account: Account) -> None:
    """The client is logged in, by AUTH=XOAUTH2 with a token, else by AUTH=PLAIN or LOGIN.

    Raises LoginRefused, ServerUnreachable. What account.password and account.tokens raise passes unchanged.
    """
    if account.tokens is not None:
        _log_in_by_token(client, account.user, account.tokens)
    elif account.password is not None:
        _log_in_by_password(client, account.user, account.password)


def _log_in_by_password(client: Any, user: str, source: Callable[[], str]) -> None:
    with told_as(ServerUnreachable):
        plain = client.has_capability("AUTH=PLAIN")
    password = source()
    _refuse_unsendable(user + password, plain=plain)
    _try(lambda: (client.plain_login if plain else client.login)(user, password))


def _log_in_by_token(client: Any, user: str, tokens: AccessTokens) -> None:
    """Logged in, with a new token where the first one was refused: it may have been withdrawn before its end."""
    with told_as(ServerUnreachable):
        offered = client.has_capability("AUTH=XOAUTH2")
    if not offered:
        raise AccessRefused("the server takes no AUTH=XOAUTH2")
    token = tokens.token()
    try:
        _present(client, user, token)
    except AccessRefused:  # nothing was read yet
        another = tokens.after_refusal(token)
        if another is None:
            raise
        _present(client, user, another)


def _present(client: Any, user: str, token: str) -> None:
    """Logged in by XOAUTH2. The server tells a failure in a challenge, which takes an empty answer, before its NO."""
    _refuse_unsendable(user + token, plain=True)
    challenges: list[bytes] = []

    def answer(challenge: bytes) -> bytes | None:
        challenges.append(challenge)
        answers = (f"user={user}\1auth=Bearer {token}\1\1".encode(), b"")
        return answers[len(challenges) - 1] if len(challenges) <= len(answers) else None  # None: cancelled

    try:
        _try(lambda: client.sasl_login("XOAUTH2", answer))
    except LoginRefused as refusal:  # nothing was read yet
        told = _told_in(challenges[1]) if len(challenges) > 1 else ""
        raise AccessRefused(f"{refusal.detail}{told}") from None


def _told_in(challenge: bytes) -> str:
    """What the error challenge says that a person can use: status and scope, never the rest."""
    try:
        answer = json.loads(challenge)
    except (ValueError, RecursionError):  # no mail is involved; the server's NO speaks for itself
        return ""
    known = ((name, answer.get(name)) for name in ("status", "scope")) if isinstance(answer, dict) else ()
    return "".join(f", {name} {value:.100}" for name, value in known if isinstance(value, str) and value.isprintable())


def _try(to_log_in: Callable[[], object]) -> None:
    with told_as(ServerUnreachable):
        try:
            to_log_in()
        except imaplib.IMAP4.abort:  # the connection, not the login; nothing was read yet
            raise
        except (LoginError, imaplib.IMAP4.error) as refusal:  # nothing was read yet
            # imapclient calls a connection that broke in mid login a LoginError too: a person must not be told so.
            if isinstance(refusal.__context__, imaplib.IMAP4.abort) or is_passing(refusal):
                raise telling(words_of(refusal), ServerUnreachable) from None
            raise LoginRefused(words_of(refusal)) from None


def _refuse_unsendable(secret: str, *, plain: bool) -> None:
    """A line break would begin a command of its own; LOGIN is ASCII. The words never hold the secret."""
    if any(letter in secret for letter in "\r\n\0"):
        raise LoginRefused("the user name or the password holds a line break or NUL")
    if any("\ud800" <= letter <= "\udfff" for letter in secret):
        raise LoginRefused("the user name or the password is not valid UTF-8")
    if not plain and not secret.isascii():
        raise LoginRefused("the server takes no AUTH=PLAIN, and LOGIN carries ASCII only")


def select(client: Any, name: str) -> dict[bytes, Any]:
    """The answer to SELECT of the folder, opened read-write. Raises FolderMissing, ServerUnreachable."""
    return _opened(lambda: client.select_folder(name), name)


def examine(client: Any, name: str) -> dict[bytes, Any]:
    """The answer to EXAMINE of the folder (RFC 3501 section 6.3.2): nothing in it can change. Raises as select."""
    return _opened(lambda: client.select_folder(name, readonly=True), name)


def _opened(ask: Callable[[], dict[bytes, Any]], name: str) -> dict[bytes, Any]:
    with told_as(ServerUnreachable):
        try:
            answer = ask()
        except imaplib.IMAP4.readonly as refusal:  # nothing was read yet
            raise FolderMissing(f"{name}: {words_of(refusal)}") from refusal
        except imaplib.IMAP4.abort:  # the connection, not the folder; nothing was read yet
            raise
        except imaplib.IMAP4.error as refusal:  # nothing was read yet
            raise _why_not(name, refusal) from refusal
    if b"UIDVALIDITY" not in answer:
        raise FolderMissing(f"{name}: the server gives its mails no lasting numbers (no UIDVALIDITY)")
    return answer


def _why_not(name: str, refusal: Exception) -> MailboxError:
    words = f"{name}: {words_of(refusal)}"
    if "authenticated but not connected" in words.lower():
        # Exchange Online: the token is good, and its application was given no right to this mailbox.
        return AccessRefused(f"{words}; the administrator has to allow the account or application to open this mailbox")
    return telling(words, ServerUnreachable if is_passing(refusal) else FolderMissing)


def hang_up(imap: imaplib.IMAP4) -> None:
    """The connection is closed; never raises, waits for nobody."""
    try:
        imap.shutdown()
    except (OSError, ValueError):  # it was closed already; mails not yet stored are on the server
        imap.sock.close()
