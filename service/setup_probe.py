"""What init finds out by itself: how a server is encrypted, at which port, and whether a login is taken."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from delivery.session import SmtpServer
from delivery.trial import RelayFault, trial
from desk.errors import UserError
from intake.login import connect, hang_up, session
from intake.mailbox import Account, Folder, MailboxError
from service.notation import is_loopback, read_host, read_host_port

IMAP_PORTS = ((993, "tls"), (143, "starttls"))
SMTP_PORTS = ((465, "tls"), (587, "starttls"), (25, "starttls"))
PLAIN_PORTS = {143, 25}
_SECONDS = 10.0

Server = Mapping[str, Any]
"""host, port, tls, ca_file as in the answers."""


class Unreachable(UserError):
    """No way to the server was found; certificate: there is one, but its certificate is not believed."""

    def __init__(self, words: str, *, certificate: bool) -> None:
        super().__init__(words)
        self.certificate = certificate


def find_imap(place: str, ca_file: str | None) -> Server:
    """The IMAP server at host or host:port, by the safest way it offers. Raises Unreachable, ValueError."""
    return _first(place, ca_file, IMAP_PORTS, _try_imap)


def find_smtp(place: str, ca_file: str | None) -> Server:
    """The SMTP server at host or host:port, by the safest way it offers. Raises Unreachable, ValueError."""
    return _first(place, ca_file, SMTP_PORTS, lambda server: _trial(server, None, None))


def imap_offers(server: Server, user: str, password: str) -> frozenset[str]:
    """What the server offers who logs in so. Raises MailboxError."""
    with closing(Folder.open(_account(server, user, password), "INBOX")) as folder:
        return folder.capabilities()


def relay_takes(server: Server, user: str | None, password: str | None) -> None:
    """The relay lets log in so. Raises RelayFault."""
    _trial(server, user, password)


def _first(
    place: str, ca_file: str | None, usual: tuple[tuple[int, str], ...], attempt: Callable[[Server], None]
) -> Server:
    faults: list[Exception] = []
    for server in _candidates(place, ca_file, usual):
        try:
            attempt(server)
        except (MailboxError, RelayFault) as fault:  # no mail is in hand: nothing runs yet
            if _distrusted(fault):
                raise Unreachable(str(fault), certificate=True) from None
            faults.append(fault)
        else:
            return server
    raise Unreachable(str(faults[0]), certificate=False)


def _candidates(place: str, ca_file: str | None, usual: tuple[tuple[int, str], ...]) -> Iterator[Server]:
    """The safest first; plain text only on this machine, and last."""
    host, ports = _ports(place, usual)
    plain = [(port, "none") for port, _ in ports if port in PLAIN_PORTS or len({one for one, _ in ports}) == 1]
    for port, tls in [*ports, *(dict.fromkeys(plain) if is_loopback(host) else ())]:
        yield {"host": host, "port": port, "tls": tls} | ({"ca_file": ca_file} if ca_file else {})


def _ports(place: str, usual: tuple[tuple[int, str], ...]) -> tuple[str, list[tuple[int, str]]]:
    try:
        return read_host(place), list(usual)
    except ValueError:  # host:port, or nothing that can be meant: that raises again
        found = read_host_port(place)
        return found.host, [(found.port, "tls"), (found.port, "starttls")]


def _distrusted(fault: Exception) -> bool:
    return "CERTIFICATE_VERIFY" in str(fault)


def _account(server: Server, user: str, password: str) -> Account:
    return Account(
        host=server["host"],
        port=server["port"],
        tls=server["tls"],
        user=user,
        password=lambda: password,
        ca_file=server.get("ca_file"),
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
    )


def _try_imap(server: Server) -> None:
    hang_up(session(connect(_account(server, "", ""))))


def _trial(server: Server, user: str | None, password: str | None) -> None:
    trial(
        SmtpServer(
            host=server["host"],
            port=server["port"],
            tls=server["tls"],
            user=user,
            password=None if password is None else lambda: password,
            ca_file=server.get("ca_file"),
            hostname=socket.getfqdn(),
            connect_timeout=_SECONDS,
            reply_timeout=_SECONDS,
        ),
        [],
    )
