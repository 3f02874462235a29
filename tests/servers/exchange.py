r"""A scripted Exchange Online for tests: IMAP and SMTP on 127.0.0.1, with what is special about the real one.

It keeps no keywords (STORE says OK all the same), estimates RFC822.SIZE, makes the text of a mail anew at each FETCH,
drops IDLE after a while, throttles, takes XOAUTH2 with tokens that end, and gives each mail it sends a Message-ID of
its own, named in the 250 reply, with X-Microsoft-Original-Message-ID in the mail.

Its face is that of Dovecot (dovecot.py), so that one suite runs against both:

    with Exchange() as exchange:
        exchange.script["FETCH"] = ["NO [THROTTLED] Backoff due to request rate limits."]
        exchange.lost = ["MOVE"]          # done, and its answer lost

Threads end with the context.
"""

import re
import shutil
import socket
import ssl
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.servers.dovecot import PASSWORD, Client, certify, free_ports
from tests.servers.exchange_imap import Box, Dialogue, Listener, Stored
from tests.servers.sink import Manner, Sink, Taken
from tests.servers.tokens import TokenEndpoint

SENT_DOMAIN = "EURPRD04.prod.outlook.com"
THROTTLED = "BAD Request is throttled. Suggested Backoff Time: 4500 milliseconds"
QUOTA = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message"


class Exchange(Client):
    """A running server as a context manager; ports in `imap` (plain and STARTTLS) and `imaps`."""

    keywords = False
    mark = "\\Flagged"
    """A flag that is kept."""
    slack = 2_000
    """How far RFC822.SIZE may be from the truth in the tests' mails."""

    def __init__(self, *, tokens: TokenEndpoint | None = None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="exchange-"))
        self.imap, self.imaps = free_ports(2)
        self.ca_file = self.root / "ca.pem"
        self.password = PASSWORD
        self.tokens = tokens
        self.changed = threading.Condition(threading.RLock())
        self.script: dict[str, list[str]] = {}
        """By command: replies to be said instead of doing it, each once."""
        self.lost: list[str] = []
        """Commands that are done and whose answer is lost, each once."""
        self.idle_seconds: float | None = None
        """How long IDLE lasts at most without news."""
        self.logins: list[bool] = []
        """Each login, and whether it was let in."""
        self._accounts: dict[str, dict[str, Box]] = {}
        self._boxes = 0
        self._listeners: list[Listener] = []
        self._open: set[Dialogue] = set()

    def __enter__(self) -> Self:
        certify(self.root)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """The server answers on both ports."""
        self._listeners = [Listener(self.imap, self, tls=False), Listener(self.imaps, self, tls=True)]

    def stop(self) -> None:
        """The server is gone, all its connections are closed."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.end()
        self.kick()

    @property
    def running(self) -> bool:
        return bool(self._listeners)

    def kick(self) -> None:
        """Each open session is ended by the server."""
        with self.changed:
            for dialogue in self._open:
                self.hang_up(dialogue)

    @property
    def users(self) -> list[str]:
        return sorted(self._accounts)

    def deliver(self, recipient: str, raw: bytes) -> None:
        """The mail came in."""
        with self.changed:
            self.folders(recipient)["INBOX"].put(Stored(raw, datetime.now(UTC).replace(microsecond=0)))
            self.changed.notify_all()

    def renumber(self, user: str) -> None:
        """The INBOX was made anew with the mails it had: another UIDVALIDITY, UIDs from 1 on."""
        with self.changed:
            old = self.folders(user)["INBOX"]
            self._boxes += 1
            new = self.folders(user)["INBOX"] = Box(uidvalidity=1_000 + self._boxes)
            for mail in old.mails.values():
                new.put(mail)

    def raws(self, user: str, folder: str) -> list[bytes]:
        """The mails of a folder as they came in; none where there is no such folder."""
        with self.changed:
            box = self.folders(user).get(folder)
            return [mail.raw for mail in box.mails.values()] if box else []

    # What the dialogues ask.

    def folders(self, user: str) -> dict[str, Box]:
        with self.changed:
            name = user.partition("@")[0].partition("+")[0].lower()
            if name not in self._accounts:
                self._accounts[name] = {}
                self.make(name, "INBOX")
            return self._accounts[name]

    def make(self, user: str, folder: str) -> Box:
        folders = self.folders(user)
        if folder not in folders:
            self._boxes += 1
            folders[folder] = Box(uidvalidity=1_000 + self._boxes)
        return folders[folder]

    def takes(self, token: str) -> bool:
        return self.tokens is not None and token in self.tokens.good

    def scripted(self, verb: str) -> str | None:
        with self.changed:
            replies = self.script.get(verb)
            return replies.pop(0) if replies else None

    def loses(self, verb: str) -> bool:
        with self.changed:
            if verb not in self.lost:
                return False
            self.lost.remove(verb)
            return True

    def opened(self, dialogue: Dialogue) -> None:
        with self.changed:
            self._open.add(dialogue)

    def closed(self, dialogue: Dialogue) -> None:
        with self.changed:
            self._open.discard(dialogue)

    def hang_up(self, dialogue: Dialogue) -> None:
        with suppress(OSError):  # it ended by itself
            dialogue.connection.shutdown(socket.SHUT_RDWR)

    def secured(self, plain: socket.socket) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root / "server.pem", self.root / "server.key")
        return context.wrap_socket(plain, server_side=True)


class Submission(Sink):
    """The SMTP side: a Sink that rewrites the Message-ID, and takes tokens of the endpoint where one is given."""

    def __init__(self, script=(), *, tokens: TokenEndpoint | None = None, home: Exchange | None = None, port=0) -> None:
        takes = (lambda token: token in tokens.good) if tokens else None
        super().__init__(script, manner=Manner(takes_token=takes, accepts=self._accepted), port=port)
        self._home = home

    def _accepted(self, taken: Taken, number: int) -> tuple[Taken, str]:
        """The mail as it goes on, and the reply that names its new Message-ID."""
        new = f"<AM0PR04MB{number:04}@AM0PR04MB0001.{SENT_DOMAIN}>"
        old = re.search(rb"(?im)^message-id:[ \t]*(?:\r\n[ \t]+)?(<[^>]*>)", taken.content)
        content = taken.content
        if old:
            content = content.replace(old[0], f"Message-ID: {new}".encode(), 1)
            content = b"X-Microsoft-Original-Message-ID: " + old[1] + b"\r\n" + content
        if self._home is not None:
            for recipient in taken.recipients:
                self._home.deliver(recipient, content)
        changed = Taken(taken.sender, taken.recipients, content)
        return changed, f"250 2.0.0 OK {new} [Hostname=AM0PR04MB0001.eurprd04.prod.outlook.com]"
