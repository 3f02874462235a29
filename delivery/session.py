"""One connection to an SMTP server (RFC 5321), up to the question whether a mail was accepted.

smtplib does the greeting and AUTH; reading is ours, because smtplib takes a reply cut short ("25") for a reply. Here
only a complete reply line ends a question, each reply has one deadline in all, and TLS is verified or nothing is said.
What it never does: decide what a failure means for the mail. That is smtp.py.
"""

import base64
import contextlib
import json
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal, Protocol

from delivery.header import clean_line
from delivery.retry import Stage, Verdict, classify_reply
from delivery.transport import Path

Clock = Callable[[], float]
"""Seconds that only grow."""

_BAD_CREDENTIALS = 535
_GO_ON = 334
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
_LONGEST_REPLY = 64 * 1024
SHOWN = 500


class AccessTokens(Protocol):
    """Where access tokens come from; what it raises that is no OSError passes unchanged."""

    def token(self) -> str:
        """An access token."""
        ...

    def after_refusal(self, refused: str) -> str | None:
        """Another token instead of the one the server refused, or None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to connect; times in seconds. Raises ValueError for a password that would travel in the clear.

    A user comes with either a password or tokens.
    """

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str | None
    password: Callable[[], str] | None
    """Asked at each login: a token may have been renewed."""
    ca_file: str | None
    """PEM file of the authorities to trust; None for the system's."""
    hostname: str
    """Our own name, for EHLO."""
    connect_timeout: float = 30
    reply_timeout: float = 60
    dot_timeout: float = 600
    """RFC 5321 section 4.5.3.2.6: a client that waits less gets its mail delivered twice."""
    max_mails: int = 100
    max_seconds: float = 60
    tokens: AccessTokens | None = None

    def __post_init__(self) -> None:
        """Refuse half a login, and a login that anybody on the way could read."""
        sources = (self.password is not None) + (self.tokens is not None)
        if sources != (self.user is not None):
            raise ValueError("smtp: a user and one password or source of tokens are given together or not at all")
        if self.user is not None and self.tls == "none" and not _is_loopback(self.host):
            raise ValueError(
                f"smtp: a password goes to {self.host} only by tls or starttls, tls = none is for loopback"
            )


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):  # a name, no address
        return ip_address(host).is_loopback
    return host == "localhost"


def _told_in(challenge: bytes) -> bytes:
    """The status that the error challenge of XOAUTH2 names, never the rest."""
    try:
        answer = json.loads(base64.b64decode(challenge))
    except (ValueError, RecursionError):  # in the outbox only; the reply that follows speaks for itself
        return b""
    status = answer.get("status") if isinstance(answer, dict) else None
    return f" (status {status})".encode() if isinstance(status, str) and re.fullmatch(r"\d{3}", status) else b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply: the stage it answers, its code, its text with LF between lines."""

    stage: Stage
    code: int
    text: str

    @property
    def verdict(self) -> Verdict:
        """What it says about the mail."""
        enhanced = _ENHANCED.match(self.text)
        return classify_reply(self.code, enhanced[1] if enhanced else "", stage=self.stage, text=self.text)

    @property
    def shown(self) -> str:
        """Code and text as one bounded line."""
        return clean_line(f"{self.code} {self.text}", SHOWN)


class Session(smtplib.SMTP):
    """One connection. Each method raises OSError (smtplib's exceptions are such) when it is of no more use."""

    def __init__(self, server: SmtpServer, clock: Clock) -> None:
        super().__init__(local_hostname=server.hostname)
        self.stage = Stage.CONNECT
        self.opened_at = clock()
        self.mails = 0
        self.in_step = True
        """False where replies and commands no longer pair: fit only to be closed."""
        self._server = server
        self._clock = clock
        self._unread = b""

    def start(self, context: ssl.SSLContext | None) -> None:
        """Connected, greeted, encrypted as configured, logged in. Raises OSError; stage then says how far it came."""
        server = self._server
        self.sock = socket.create_connection((server.host, server.port), server.connect_timeout)
        # The dot follows its mail as a packet of its own, and must not wait for an acknowledgement of that.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context and server.tls == "tls":
            self.sock = context.wrap_socket(self.sock, server_hostname=server.host)
        self._insist(*self.getreply())
        self.stage = Stage.HELLO
        self.ehlo_or_helo_if_needed()
        if context and server.tls == "starttls":
            self._encrypt(context)
        if server.user is not None:
            self.stage = Stage.AUTH
            self._authenticate(server.user)

    def _authenticate(self, user: str) -> None:
        if self._server.tokens is not None:
            self._by_token(user, self._server.tokens)
        elif self._server.password is not None:
            self.login(user, self._server.password())

    def _by_token(self, user: str, tokens: AccessTokens) -> None:
        """Logged in, with a new token where the first one was refused: it may have been withdrawn before its end."""
        if "XOAUTH2" not in self.esmtp_features.get("auth", "").upper().split():
            raise smtplib.SMTPNotSupportedError("the server offers no AUTH XOAUTH2")
        token = tokens.token()
        code, text = self._present(user, token)
        if code == _BAD_CREDENTIALS and (another := tokens.after_refusal(token)) is not None:
            code, text = self._present(user, another)
        self._insist(code, text)

    def _present(self, user: str, token: str) -> tuple[int, bytes]:
        """The reply to XOAUTH2; a 334 instead of one tells the failure, and takes an empty line before its 535.

        The token goes on a line of its own: one behind AUTH is longer than some servers read (RFC 4954 section 4).
        """
        code, text = self.docmd("AUTH", "XOAUTH2")
        if code == _GO_ON:
            said = f"user={user}\1auth=Bearer {token}\1\1".encode()
            code, text = self.docmd(base64.b64encode(said).decode("ascii"))
        if code == _GO_ON:
            told = _told_in(text)
            code, text = self.docmd("")
            text += told
        return code, text

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.stage = Stage.STARTTLS
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS; nothing is sent in the clear")
        self._insist(*self.docmd("STARTTLS"))
        if self._unread:
            raise smtplib.SMTPException("the server spoke between STARTTLS and TLS; somebody may be in between")
        assert self.sock is not None
        self.sock = context.wrap_socket(self.sock, server_hostname=self._server.host)
        # What was said before counts no more (RFC 3207 section 4.2).
        self.esmtp_features.clear()
        self.stage = Stage.HELLO
        code, text = self.ehlo()
        self._insist(code, text)

    def _insist(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:  # noqa: PLR2004 - RFC 5321 section 4.2.1: success
            raise smtplib.SMTPResponseException(code, text.decode("ascii", "replace"))

    def begin(self, path: Path) -> Reply | None:
        """None where the server now waits for the content, else the first reply that said no."""
        commands = (
            (Stage.MAIL, f"MAIL FROM:<{path.sender}>"),
            (Stage.RCPT, f"RCPT TO:<{path.recipient}>"),
            (Stage.DATA, "DATA"),
        )
        if self.has_extn("pipelining"):
            return self._at_once(commands)
        for self.stage, command in commands:
            self.putcmd(command)
            reply = self.read()
            if reply.verdict is not Verdict.ACCEPTED:
                return reply
        return None

    def _at_once(self, commands: tuple[tuple[Stage, str], ...]) -> Reply | None:
        """As begin, in one write (RFC 2920 section 3.1)."""
        self.write("".join(f"{command}\r\n" for _, command in commands).encode("ascii"))
        refusal = None
        for self.stage, _ in commands:
            try:
                reply = self.read()
            except OSError:
                if refusal is None:
                    raise
                self.in_step = False  # it hung up behind its refusal, which stands
                return refusal
            if reply.verdict is not Verdict.ACCEPTED:
                refusal = refusal or reply
        # It wants a mail for nobody: hanging up is the one answer that cannot deliver anything.
        self.in_step = refusal is None or reply.verdict is not Verdict.ACCEPTED
        return refusal

    def content(self, content: bytes) -> None:
        """All of the mail is written, dots stuffed (RFC 5321 section 4.5.2), but not the final dot."""
        lines = _LINE_END.sub(b"\r\n", content)
        if not lines.endswith(b"\r\n"):
            lines += b"\r\n"
        stuffed = (b"\r\n" + lines).replace(b"\r\n.", b"\r\n..")[2:]
        self.write(stuffed, self._server.dot_timeout)
        if self._unread:
            raise smtplib.SMTPException("the server spoke before the dot")

    def dot(self) -> Reply:
        """The reply to the final dot. An OSError from here on leaves open who owns the mail."""
        self.stage = Stage.DOT
        self.write(b".\r\n")
        return self.read(self._server.dot_timeout)

    def read(self, timeout: float | None = None) -> Reply:
        """The next complete reply, within the time."""
        code, text = self._reply(self._server.reply_timeout if timeout is None else timeout)
        return Reply(self.stage, code, text.decode("ascii", "replace"))

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, but a reply cut short is none."""
        return self._reply(self._server.reply_timeout)

    def send(self, s: Any) -> None:
        """As smtplib's: whatever it wants to say to the server, in full and within the time."""
        self.write(s.encode("ascii") if isinstance(s, str) else s)

    def write(self, octets: bytes, timeout: float | None = None) -> None:
        """The octets are with the network, within the time."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        self.sock.settimeout(self._server.reply_timeout if timeout is None else timeout)
        self.sock.sendall(octets)

    def _reply(self, timeout: float) -> tuple[int, bytes]:
        deadline = self._clock() + timeout
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._line(deadline)
            size += len(line)
            if not re.match(rb"\d{3}[ \r-]", line) or size > _LONGEST_REPLY:
                raise smtplib.SMTPServerDisconnected(f"no SMTP reply: {clean_line(repr(line[:80]))}")
            lines.append(line[4:].strip(b"\r\n \t"))
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _line(self, deadline: float) -> bytes:
        while b"\r\n" not in self._unread:
            if len(self._unread) > _LONGEST_REPLY:
                raise smtplib.SMTPServerDisconnected("a reply line without end")
            left = deadline - self._clock()
            if left <= 0 or self.sock is None:
                raise TimeoutError("no complete reply in time")
            self.sock.settimeout(left)
            received = self.sock.recv(8192)
            if not received:
                raise smtplib.SMTPServerDisconnected(f"the server hung up after {self._unread[:80]!r}")
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line + b"\r\n"
