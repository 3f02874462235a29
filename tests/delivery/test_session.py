"""What the SMTP dialogue takes for a reply, against a server that speaks in pieces and out of turn."""

import socket
import threading
from contextlib import suppress

import pytest

from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Ambiguous, Deferred, Outgoing, Refused, Scope, Sent
from tests.servers.sink import AUTHORITY

ANN = Outgoing("<1@desk>", "help@corp.example", "ann@corp.example", b"Message-ID: <1@desk>\r\n\r\nhello\r\n")


def yes():
    """Say yes to everything, as a courier does."""


def transport_to(server, **other):
    known = {"host": "127.0.0.1", "tls": "none", "user": None, "password": None, "ca_file": None, "hostname": "desk"}
    times = {"connect_timeout": 5, "reply_timeout": 5, "dot_timeout": 5}
    return SmtpTransport(SmtpServer(port=server.port, **(known | times | other)))


class Scripted:
    """Greets, then says each reply once what it heard ends as awaited; then keeps what it still hears."""

    def __init__(self, turns):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._turns = turns
        self._rest = b""
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()

    def rest(self):
        """What the client still said after the last reply, once it has hung up."""
        self._thread.join()
        return self._rest

    def _serve(self):
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(OSError):
            for awaited, *pieces in self._turns:
                heard = b""
                while not heard.endswith(awaited):
                    heard += connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            while octets := connection.recv(65536):
                self._rest += octets


def octets(reply):
    return [reply[place : place + 1] for place in range(len(reply))]


HELLO = ((b"", b"220 x\r\n"), (b"\r\n", b"250 x\r\n"))
ENVELOPE = ((b"\r\n", b"250 ok\r\n"), (b"\r\n", b"250 ok\r\n"))
DATA = (*HELLO, *ENVELOPE, (b"DATA\r\n", b"354 go\r\n"))


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"250 ok\r\n", Sent("250 ok")),
        (b"250\r\n", Sent("250")),
        (b"250-2.0.0 taken\r\n250 2.0.0 as 4711\r\n", Sent("250 2.0.0 taken 2.0.0 as 4711")),
        (b"550-5.6.0 no\r\n550 5.6.0 really\r\n", Refused("550 5.6.0 no 5.6.0 really", Scope.RECIPIENT)),
    ],
)
def test_a_reply_in_pieces_is_read_whole(reply, outcome):
    with Scripted((*DATA, (b"\r\n.\r\n", *octets(reply)))) as server:
        transport = transport_to(server)
        assert transport.send(ANN, yes) == outcome
        transport.close()


@pytest.mark.parametrize(
    "reply", [b"2", b"25", b"250", b"250 ok", b"250 ok\r", b"250 ok\n", b"250-ok\r\n", b"5", b"550 no", b"what\r\n"]
)
def test_a_reply_to_the_dot_that_is_not_complete_is_ambiguous(reply):
    with Scripted((*DATA, (b"\r\n.\r\n", *octets(reply)))) as server:
        assert isinstance(transport_to(server).send(ANN, yes), Ambiguous)


@pytest.mark.parametrize("reply", [b"354 go\r\n250 ok\r\n", b"x" * 70_000])
def test_a_server_that_says_too_much_before_the_dot_gets_no_dot(reply):
    with Scripted((*HELLO, *ENVELOPE, (b"DATA\r\n", reply))) as server:
        assert isinstance(transport_to(server).send(ANN, yes), Deferred)
        assert b"\r\n.\r\n" not in server.rest()


def test_with_pipelining_a_server_that_wants_content_for_nobody_gets_none():
    offer = (b"\r\n", b"250-x\r\n250 PIPELINING\r\n")
    with Scripted((HELLO[0], offer, (b"DATA\r\n", b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n"))) as server:
        transport = transport_to(server)
        assert isinstance(transport.send(ANN, yes), Refused)
        assert server.rest() == b""


def test_words_slipped_in_before_tls_end_the_connection():
    offer = (b"\r\n", b"250-x\r\n250 STARTTLS\r\n")
    with Scripted((HELLO[0], offer, (b"STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n"))) as server:
        transport = transport_to(server, host="localhost", tls="starttls", ca_file=str(AUTHORITY))
        outcome = transport.send(ANN, yes)
        assert isinstance(outcome, Deferred)
        assert "between STARTTLS and TLS" in outcome.reason
