"""Tries a relay without handing it a mail: connection, encryption, login, and may we send as each address?"""

import contextlib
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass

from delivery.header import UnsendableAddress, clean_line, sendable
from delivery.retry import Stage
from delivery.session import SHOWN, Session, SmtpServer


class RelayFault(Exception):
    """The relay cannot be used: at which stage, and in which words."""

    def __init__(self, stage: Stage, words: str, *, certificate: bool) -> None:
        super().__init__(words)
        self.stage = stage
        self.certificate = certificate
        """The relay's certificate was not believed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the relay offers, and the senders it refuses with its words."""

    features: frozenset[str]
    refused: tuple[tuple[str, str], ...]


def trial(server: SmtpServer, senders: Iterable[str]) -> Trial:
    """The relay was greeted, logged in to, and asked about each sender; nothing was sent. Raises RelayFault.

    What server.password raises passes unchanged.
    """
    session = Session(server, time.monotonic)
    try:
        context = None if server.tls == "none" else ssl.create_default_context(cafile=server.ca_file)
        session.start(context)
        refused = [(sender, words) for sender in senders if (words := _refusal(session, sender))]
        session.docmd("QUIT")
    except (OSError, UnicodeEncodeError) as fault:  # no mail is in hand
        certificate = isinstance(fault, ssl.SSLCertVerificationError)
        words = clean_line(f"{type(fault).__name__}: {fault}", SHOWN)
        raise RelayFault(session.stage, words, certificate=certificate) from fault
    finally:
        with contextlib.suppress(OSError):  # it is closed either way
            session.close()
    return Trial(frozenset(name.upper() for name in session.esmtp_features), tuple(refused))


def _refusal(session: Session, sender: str) -> str:
    """Why the relay takes nothing from this sender; empty where it does. RFC 5321 section 4.1.1.5: RSET ends it."""
    session.stage = Stage.MAIL
    try:
        code, text = session.docmd(f"MAIL FROM:<{sendable(sender)}>")
    except UnsendableAddress as error:  # nothing was said to anybody
        return str(error)
    session.docmd("RSET")
    accepted = 200 <= code < 300  # noqa: PLR2004 - RFC 5321 section 4.2.1: success
    return "" if accepted else clean_line(f"{code} {text.decode('ascii', 'replace')}", SHOWN)
