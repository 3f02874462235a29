"""An SMTP server for tests that does what a script says, mail by mail, and keeps what it took.

    with Sink(script=["r451 4.7.1 greylisted", "ok", "cut"]) as sink:
        ...
        assert [taken.recipients for taken in sink.wait_for(2, deadline=5)] == [...]

The n-th transaction (counted at MAIL) follows the n-th word of the script, later ones "ok":

    ok          the mail is taken
    451 words   the reply to the dot (any code); the mail is not taken
    cut rst     the mail is taken, the reply lost: the connection ends (FIN, or a reset)
    half        the mail is taken, of the reply only "25" is said
    stall       the mail is taken, the reply never comes; the connection stays until the client leaves
    m550 words  the reply to MAIL; r... to RCPT, d... to DATA. So also mcut, rrst, dhalf, rstall ...

`greetings` scripts connections likewise ("ok", "421 busy", "cut", "stall"). Threads end with the context.
"""

import base64
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

HERE = Path(__file__).parent
AUTHORITY = HERE / "authority.pem"
"""Signed the certificate of the sink, which is made out to the name localhost and to nothing else."""
CERTIFICATE = HERE / "localhost.pem"

_REFUSED = b'{"status":"401","schemes":"bearer"}'
_ENDINGS = frozenset({"cut", "rst", "half", "stall"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail as it came: envelope, and content with the dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Manner:
    """What the server offers. With account (user, password) it takes mail only after AUTH PLAIN."""

    tls: Literal["tls", "starttls", "none"] = "none"
    pipelining: bool = True
    account: tuple[str, str] | None = None
    takes_token: Callable[[str], bool] | None = None
    """Offers AUTH XOAUTH2 alone, and takes mail only after it."""
    accepts: Callable[["Taken", int], tuple["Taken", str]] | None = None
    """What becomes of the n-th mail, and the reply to its dot."""


class Sink:
    """Listens on that port of 127.0.0.1 (0: a free one) while the context is open."""

    def __init__(
        self, script: Sequence[str] = (), *, greetings: Sequence[str] = (), manner: Manner = Manner(), port: int = 0
    ) -> None:
        self.manner = manner
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        """Each command line as it came, over all connections."""
        self.connections = 0
        self.script = list(script)
        self._greetings = list(greetings)
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._closing = False
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._closing = True
        self.hang_up()
        self._server.server_close()

    def hang_up(self) -> None:
        """Every connection ends, as after an idle time; new ones are still taken."""
        with self._changed:
            for connection in self._open:
                _shut(connection)

    def wait_for(self, count: int, deadline: float) -> list[Taken]:
        """The mails once there are so many; AssertionError after deadline seconds."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.taken) >= count, deadline)
            assert enough, f"{len(self.taken)} of {count} mails came within {deadline} s"
            return list(self.taken)

    def keep(self, taken: Taken) -> None:
        with self._changed:
            self.taken.append(taken)
            self._changed.notify_all()

    def heard(self, command: str) -> None:
        with self._changed:
            self.commands.append(command)

    def next_greeting(self, connection: socket.socket) -> str:
        self.remember(connection)
        with self._changed:
            self.connections += 1
            return self._greetings.pop(0) if self._greetings else "ok"

    def next_action(self) -> str:
        with self._changed:
            return self.script.pop(0) if self.script else "ok"

    def remember(self, connection: socket.socket) -> None:
        with self._changed:
            if self._closing:
                raise _Over
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], sink: Sink) -> None:
        super().__init__(address, _Dialogue)
        self.sink = sink

    def shutdown_request(self, request) -> None:
        self.close_request(request)  # no shutdown first: "rst" must not begin with a FIN


class _Over(Exception):
    """The connection ends here."""


class _Dialogue(socketserver.BaseRequestHandler):
    def setup(self) -> None:
        self.sink: Sink = self.server.sink
        self.connection: socket.socket = self.request
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        self.encrypted = False
        self.known = self.sink.manner.account is None and self.sink.manner.takes_token is None
        self.reset()

    def handle(self) -> None:
        try:
            self.converse()
        except (_Over, OSError):
            pass
        finally:
            self.sink.forget(self.connection)
            self.connection.close()

    def converse(self) -> None:
        greeting = self.sink.next_greeting(self.connection)
        if self.sink.manner.tls == "tls":
            self.encrypt()
        self.act(greeting, default="220 sink ESMTP")
        while True:
            line = self.line().decode("latin-1")
            self.sink.heard(line)
            verb, _, argument = line.partition(" ")
            answer = getattr(self, f"do_{verb.lower()}", None)
            answer(argument) if answer else self.say("502 5.5.2 what?")

    def do_ehlo(self, _argument: str) -> None:
        manner = self.sink.manner
        offers = ["sink", "8BITMIME", "ENHANCEDSTATUSCODES"]
        offers += ["PIPELINING"] * manner.pipelining
        offers += ["STARTTLS"] * (manner.tls == "starttls" and not self.encrypted)
        offers += ["AUTH PLAIN"] * (manner.account is not None)
        offers += ["AUTH LOGIN XOAUTH2"] * (manner.takes_token is not None)
        self.say("\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"]))

    def do_starttls(self, _argument: str) -> None:
        self.say("220 2.0.0 go ahead")
        self.encrypt()

    def do_auth(self, argument: str) -> None:
        if argument.upper() == "XOAUTH2":
            return self.by_token()
        user, password = self.sink.manner.account or ("", "")
        wanted = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.known = argument == f"PLAIN {wanted}"
        return self.say("235 2.7.0 welcome" if self.known else "535 5.7.8 no such account")

    def by_token(self) -> None:
        self.say("334 ")
        _, _, token = base64.b64decode(self.line()).decode().rstrip("\1").partition("\1auth=Bearer ")
        self.known = self.sink.manner.takes_token(token)
        if self.known:
            return self.say("235 2.7.0 Authentication successful")
        self.say(f"334 {base64.b64encode(_REFUSED).decode()}")
        assert self.line() == b"", "the error challenge takes an empty answer"
        return self.say("535 5.7.3 Authentication unsuccessful [AM0PR04MB0001.eurprd04.prod.outlook.com]")

    def do_mail(self, argument: str) -> None:
        self.reset()
        if not self.known:
            return self.say("530 5.7.0 authentication required")
        self.action = self.sink.next_action()
        self.sender = argument[len("FROM:<") :].partition(">")[0]
        return self.act(self.action, prefix="m", default="250 2.1.0 ok")

    def do_rcpt(self, argument: str) -> None:
        if self.act(self.action, prefix="r", default="250 2.1.5 ok"):
            self.recipients.append(argument[len("TO:<") :].partition(">")[0])

    def do_data(self, _argument: str) -> None:
        if not self.recipients:
            return self.say("554 5.5.1 no valid recipients")
        if not self.act(self.action, prefix="d", default="354 go ahead"):
            return self.reset()
        lines = []
        while (line := self.line()) != b".":
            lines.append(line.removeprefix(b".") + b"\r\n")
        taken = Taken(self.sender, tuple(self.recipients), b"".join(lines))
        reply = "250 2.0.0 taken"
        if self.action[0] not in "45":
            if self.sink.manner.accepts is not None:
                taken, reply = self.sink.manner.accepts(taken, len(self.sink.taken) + 1)
            self.sink.keep(taken)
        self.act(self.action, default=reply)
        return self.reset()

    def do_rset(self, _argument: str) -> None:
        self.reset()
        self.say("250 2.0.0 ok")

    def do_quit(self, _argument: str) -> None:
        self.say("221 2.0.0 bye")
        raise _Over

    def act(self, action: str, *, default: str, prefix: str = "") -> bool:
        """Do what the script says here; True if that was the default, because it says nothing for this stage."""
        if prefix and not (action.startswith(prefix) and action[1:2] != ""):
            return self.say_default(default)
        action = action.removeprefix(prefix) if prefix else action
        if action in _ENDINGS:
            self.end(action)
        if not action[0].isdigit():
            return self.say_default(default)
        self.say(action if " " in action else f"{action} as the script says")
        if action.startswith("421"):
            raise _Over
        return False

    def say_default(self, default: str) -> bool:
        self.say(default)
        return True

    def end(self, manner: str) -> None:
        if manner == "half":
            self.connection.sendall(b"25")
        if manner == "stall":
            while self.connection.recv(4096):
                pass
        if manner == "rst":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Over

    def encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        plain = self.connection
        self.sink.forget(plain)
        self.connection = context.wrap_socket(plain, server_side=True)
        self.sink.remember(self.connection)
        self.encrypted = True

    def reset(self) -> None:
        self.action = "ok"
        self.sender = ""
        self.recipients: list[str] = []

    def say(self, reply: str) -> None:
        self.connection.sendall(reply.encode() + b"\r\n")

    def line(self) -> bytes:
        while b"\r\n" not in self.unread:
            received = self.connection.recv(65536)
            if not received:
                raise _Over
            self.unread += received
        line, _, self.unread = self.unread.partition(b"\r\n")
        return line


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it ended by itself
        connection.shutdown(socket.SHUT_RDWR)
