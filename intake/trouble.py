"""Why a mailbox cannot be read now: each situation with the words a person sees.

In every one of them the mails are on the server, unread and unmarked.
"""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager


class MailboxError(Exception):
    """The mailbox cannot be read."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{type(self).__doc__} ({detail})")
        self.detail = detail


class LoginRefused(MailboxError):
    """The mail server refused the user name or the password."""


class AccessRefused(LoginRefused):
    """The mail server refused the access token, or its right to this mailbox."""


class FolderMissing(MailboxError):
    """The folder is not there, or may not be opened for reading and marking."""


class ServerUnreachable(MailboxError):
    """The mail server cannot be reached safely now."""


class Throttled(ServerUnreachable):
    """The mail server asks us to slow down."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        told = _BACKOFF.search(detail)
        self.seconds = int(told[1]) / 1000 if told else 0.0
        """How long, if the server said so; else 0."""


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
_SLOW_DOWN = re.compile(r"throttl|backoff|rate limit|too many simultaneous|bandwidth limit", re.IGNORECASE)
"""How Exchange Online and Gmail say so, under NO and under BAD."""
_BACKOFF = re.compile(r"backoff time: (\d{1,8}) ?milliseconds", re.IGNORECASE)


@contextmanager
def told_as(situation: type[MailboxError]) -> Iterator[None]:
    """Whatever goes wrong inside, in the libraries or the network, is raised as that situation."""
    try:
        yield
    except _FAULTS as fault:  # the mails are on the server, and are found again by UID
        raise telling(words_of(fault), situation) from fault


@contextmanager
def refusable(command: str) -> Iterator[None]:
    """A NO inside is raised as CommandRefused: the connection stands, and the mails are where they were."""
    try:
        yield
    except imaplib.IMAP4.abort:  # the connection broke: a new one finds what is left
        raise
    except imaplib.IMAP4.error as refusal:  # the mails are where they were
        raise telling(f"{command}: {words_of(refusal)}", CommandRefused) from None


def telling(words: str, situation: type[MailboxError]) -> MailboxError:
    """The situation in the server's words; Throttled where these ask us to slow down."""
    return (Throttled if _SLOW_DOWN.search(words) else situation)(words)


def words_of(fault: Exception) -> str:
    """The fault in one printable line of at most 300 characters: part of it was written by the server."""
    text = " ".join(f"{type(fault).__name__}: {fault}".split())
    return "".join(letter if letter.isprintable() else "?" for letter in text[:300])


def is_passing(refusal: Exception) -> bool:
    """Whether the server says "later"."""
    return any(code in str(refusal).upper() for code in _PASSING) or bool(_SLOW_DOWN.search(str(refusal)))
