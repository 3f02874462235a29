"""How a connection to an IMAP server begins, and what a person is told when it fails.

TLS is always verified and never given up: a server that refuses STARTTLS is not talked to. The password is asked for at
each login and kept nowhere. In every failure here the mails are on the server, unread and unmarked.
"""

import imaplib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import imapclient
from imapclient.exceptions import LoginError


class MailboxError(Exception):
    """The mailbox cannot be read."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{type(self).__doc__} ({detail})")


class LoginRefused(MailboxError):
    """The mail server refused the user name or the password."""


class FolderMissing(MailboxError):
    """The folder is not there, or may not be opened for reading and marking."""


class ServerUnreachable(MailboxError):
    """The mail server cannot be reached safely now."""


class ConnectionLost(MailboxError):
    """The connection to the mail server broke and has to be opened again."""


class CommandRefused(MailboxError):
    """The mail server refused a command; the connection stands."""


_FAULTS = (
    imaplib.IMAP4.error,
    OSError,
    EOFError,
    ValueError,  # a number or letter the libraries could not read, or a file already closed
    TypeError,  # the libraries below let these three through on answers they did not foresee
    AttributeError,
    LookupError,
    RecursionError,  # ten thousand opening brackets
)
_PASSING = ("[UNAVAILABLE]", "[LIMIT]", "[INUSE]")
"""Response codes (RFC 5530) that say "later": neither the password nor the folder is at fault."""


@contextmanager
def told_as(situation: type[MailboxError]) -> Iterator[None]:
    """Whatever goes wrong inside, in the libraries or the network, is raised as that situation."""
    try:
        yield
    except _FAULTS as fault:  # the mails are on the server, and are found again by UID
        raise situation(_words(fault)) from fault


def _words(fault: Exception) -> str:
    """The fault in one printable line of at most 300 characters: part of it was written by the server."""
    text = " ".join(f"{type(fault).__name__}: {fault}".split())
    return "".join(letter if letter.isprintable() else "?" for letter in text[:300])


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom to log in; timeouts in seconds. Plain text ("none") is for this machine only (ValueError)."""

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str
    password: Callable[[], str] = field(repr=False)
    ca_file: str | None = None
    """PEM file of an authority trusted beside the system's."""
    connect_timeout: float = 30.0
    read_timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.tls == "none" and not _is_loopback(self.host):
            raise ValueError(f"tls = none is for this machine only, not for {self.host}")


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
    """The client is logged in, by AUTH=PLAIN or else LOGIN. Raises LoginRefused, ServerUnreachable.

    What account.password raises passes unchanged.
    """
    with told_as(ServerUnreachable):
        plain = client.has_capability("AUTH=PLAIN")
    password = account.password()
    _refuse_unsendable(account.user + password, plain=plain)
    with told_as(ServerUnreachable):
        try:
            (client.plain_login if plain else client.login)(account.user, password)
        except LoginError as refusal:  # nothing was read yet
            # imapclient calls a connection that broke in mid login a LoginError too: a person must not be told so.
            if isinstance(refusal.__context__, imaplib.IMAP4.abort) or _is_passing(refusal):
                raise ServerUnreachable(_words(refusal)) from None
            raise LoginRefused(_words(refusal)) from None


def _refuse_unsendable(secret: str, *, plain: bool) -> None:
    """A line break would begin a command of its own; LOGIN is ASCII. The words never hold the secret."""
    if any(letter in secret for letter in "\r\n\0"):
        raise LoginRefused("the user name or the password holds a line break or NUL")
    if any("\ud800" <= letter <= "\udfff" for letter in secret):
        raise LoginRefused("the user name or the password is not valid UTF-8")
    if not plain and not secret.isascii():
        raise LoginRefused("the server takes no AUTH=PLAIN, and LOGIN carries ASCII only")


def _is_passing(refusal: Exception) -> bool:
    return any(code in str(refusal).upper() for code in _PASSING)


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
            raise FolderMissing(f"{name}: {_words(refusal)}") from refusal
        except imaplib.IMAP4.abort:  # the connection, not the folder; nothing was read yet
            raise
        except imaplib.IMAP4.error as refusal:  # nothing was read yet
            situation = ServerUnreachable if _is_passing(refusal) else FolderMissing
            raise situation(f"{name}: {_words(refusal)}") from refusal
    if b"UIDVALIDITY" not in answer:
        raise FolderMissing(f"{name}: the server gives its mails no lasting numbers (no UIDVALIDITY)")
    return answer


def hang_up(imap: imaplib.IMAP4) -> None:
    """The connection is closed; never raises, waits for nobody."""
    try:
        imap.shutdown()
    except (OSError, ValueError):  # it was closed already; mails not yet stored are on the server
        imap.sock.close()
