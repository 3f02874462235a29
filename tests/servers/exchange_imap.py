"""The IMAP side of a scripted Exchange Online: mailboxes in memory, one thread for each connection. See exchange.py."""

import base64
import json
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from imaplib import Internaldate2tuple
from time import mktime

CAPABILITIES = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE"
KEPT = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
LAST = 2**32 - 1
_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|\(([^)]*)\)|([^\s()"]+)')


@dataclass
class Stored:
    """A mail in a folder; fetched counts how often its text was handed over."""

    raw: bytes
    date: datetime
    flags: set[str] = field(default_factory=set)
    fetched: int = 0

    @property
    def told_size(self) -> int:
        """What RFC822.SIZE says: Exchange estimates it."""
        return len(self.raw) + len(self.raw) // 40 + 23

    def rendered(self) -> bytes:
        """The text, made anew from parts each time: its bytes are those that came in at the first time only."""
        self.fetched += 1
        if self.fetched == 1:
            return self.raw
        header, blank, body = self.raw.partition(b"\r\n\r\n")
        fields = re.split(rb"\r\n(?![ \t])", header)
        raw = b"\r\n".join([*fields[1:], fields[0]]) + b" " + blank + body.rstrip() + b"\r\n\r\n"
        boundary = re.search(rb'boundary="([^"]+)"', header)
        return raw.replace(boundary[1], b"_%03d_%s" % (self.fetched, boundary[1])) if boundary else raw


@dataclass
class Box:
    """A folder."""

    uidvalidity: int
    uidnext: int = 1
    mails: dict[int, Stored] = field(default_factory=dict)

    def put(self, mail: Stored) -> int:
        self.mails[self.uidnext] = mail
        self.uidnext += 1
        return self.uidnext - 1


class Over(Exception):
    """The connection ends here."""


class Listener(socketserver.ThreadingTCPServer):
    """One port: plain with STARTTLS, or TLS from the first octet."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, exchange, *, tls: bool) -> None:
        super().__init__(("127.0.0.1", port), Dialogue)
        self.exchange = exchange
        self.tls = tls
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error."""


class Dialogue(socketserver.BaseRequestHandler):
    def setup(self) -> None:
        self.exchange = self.server.exchange
        self.connection = self.request
        self.unread = b""
        self.user = ""
        self.box: Box | None = None
        self.known: list[int] = []
        self.encrypted = self.server.tls

    def handle(self) -> None:
        with suppress(Over, OSError, ssl.SSLError):
            if self.encrypted:
                self.encrypt()
            self.exchange.opened(self)
            self.say("* OK The Microsoft Exchange IMAP4 service is ready.")
            while True:
                self.command(self.line())
        self.exchange.closed(self)
        self.connection.close()

    def command(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        name, _, arguments = rest.partition(b" ")
        if name.upper() == b"UID":
            name, _, arguments = arguments.partition(b" ")
        self.tag, verb = tag.decode(), name.decode().upper()
        if scripted := self.exchange.scripted(verb):
            return self.done(scripted)
        answer = getattr(self, f"do_{verb.lower()}", None)
        reply = answer(arguments) if answer else "BAD Command Error. 12"
        if self.exchange.loses(verb):
            raise Over
        return self.done(reply)

    def done(self, reply: str) -> None:
        if reply:
            self.say(f"{self.tag} {reply}")

    def do_capability(self, _: bytes) -> str:
        self.say(f"* CAPABILITY {CAPABILITIES}{'' if self.encrypted else ' STARTTLS'}")
        return "OK CAPABILITY completed."

    def do_starttls(self, _: bytes) -> str:
        self.done("OK Begin TLS negotiation now.")
        self.encrypt()
        return ""

    def do_login(self, arguments: bytes) -> str:
        user, password = words(arguments)
        return self.let_in(user, known=password == self.exchange.password)

    def do_authenticate(self, arguments: bytes) -> str:
        said = base64.b64decode(self.asked(b""))
        if arguments.upper() == b"PLAIN":
            _, user, password = said.decode().split("\0")
            return self.let_in(user, known=password == self.exchange.password)
        user, _, token = said.decode().rstrip("\1").removeprefix("user=").partition("\1auth=Bearer ")
        if self.exchange.takes(token):
            return self.let_in(user, known=True)
        told = {"status": "401", "schemes": "bearer", "scope": "https://outlook.office365.com/IMAP.AccessAsUser.All"}
        assert self.asked(json.dumps(told).encode()) == b"", "the error challenge takes an empty answer"
        return "NO AUTHENTICATE failed."

    def let_in(self, user: str, *, known: bool) -> str:
        self.exchange.logins.append(known)
        if not known:
            return "NO LOGIN failed."
        self.user = user
        return "OK completed."

    def do_select(self, arguments: bytes) -> str:
        with self.exchange.changed:
            self.box = self.exchange.folders(self.user).get(words(arguments)[0])
            if self.box is None:
                return "NO Folder does not exist."
            self.known = sorted(self.box.mails)
            self.say(f"* {len(self.known)} EXISTS\r\n* 0 RECENT\r\n* FLAGS ({' '.join(KEPT)} $MDNSent)")
            self.say(f"* OK [PERMANENTFLAGS ({' '.join(KEPT)} $MDNSent)] Permanent flags")
            self.say(f"* OK [UIDVALIDITY {self.box.uidvalidity}] UIDVALIDITY value")
            self.say(f"* OK [UIDNEXT {self.box.uidnext}] The next unique identifier value")
        return "OK [READ-WRITE] SELECT completed."

    do_examine = do_select

    def do_list(self, arguments: bytes) -> str:
        wanted = words(arguments)[1]
        if wanted in self.exchange.folders(self.user):
            self.say(f'* LIST (\\HasNoChildren) "/" "{wanted}"')
        return "OK LIST completed."

    def do_create(self, arguments: bytes) -> str:
        with self.exchange.changed:
            self.exchange.make(self.user, words(arguments)[0])
        return "OK CREATE completed."

    def do_append(self, arguments: bytes) -> str:
        head, _, size = arguments.rpartition(b"{")
        self.say("+ Ready for additional command text.")
        raw = self.octets(int(size[:-1]))
        self.line()
        name = words(head)[0]
        told = Internaldate2tuple(b'INTERNALDATE "' + head.rpartition(b'"')[0].rpartition(b'"')[2] + b'"')
        date = datetime.fromtimestamp(mktime(told), UTC) if told else datetime.now(UTC)
        with self.exchange.changed:
            self.exchange.make(self.user, name).put(Stored(raw, date))
            self.exchange.changed.notify_all()
        return "OK APPEND completed."

    def do_search(self, arguments: bytes) -> str:
        found = " ".join(map(str, self.chosen(arguments.split()[1])))
        self.say(f"* SEARCH {found}".rstrip())
        return "OK SEARCH completed."

    def do_fetch(self, arguments: bytes) -> str:
        numbers, _, items = arguments.partition(b" ")
        with self.exchange.changed:
            for uid in self.chosen(numbers):
                mail = self.box.mails[uid]
                self.connection.sendall(b"* %d FETCH (UID %d %s)\r\n" % (self.place(uid), uid, told(mail, items)))
        return "OK FETCH completed."

    def do_store(self, arguments: bytes) -> str:
        numbers, _, rest = arguments.partition(b" ")
        asked = rest.partition(b"(")[2].rstrip(b")").decode().split()
        with self.exchange.changed:
            for uid in self.chosen(numbers):
                # A keyword is taken with an OK and not kept.
                self.box.mails[uid].flags |= {flag for flag in KEPT if flag in asked}
        return "OK STORE completed."

    def do_expunge(self, _: bytes) -> str:
        with self.exchange.changed:
            for uid in [uid for uid, mail in self.box.mails.items() if "\\Deleted" in mail.flags]:
                del self.box.mails[uid]
            self.exchange.changed.notify_all()
            self.tell_news()
        return "OK EXPUNGE completed."

    def do_move(self, arguments: bytes) -> str:
        numbers, name = words(arguments)
        with self.exchange.changed:
            there = self.exchange.folders(self.user).get(name)
            if there is None:
                return "NO [TRYCREATE] The requested folder could not be found."
            uids = self.chosen(numbers.encode())
            new = [there.put(self.box.mails.pop(uid)) for uid in uids]
            if uids:
                self.say(f"* OK [COPYUID {there.uidvalidity} {numbered(uids)} {numbered(new)}]")
            self.exchange.changed.notify_all()
            self.tell_news()
        return "OK MOVE completed."

    def do_noop(self, _: bytes) -> str:
        with self.exchange.changed:
            self.tell_news()
        return "OK NOOP completed."

    def do_idle(self, _: bytes) -> str:
        """Until DONE; a second thread tells what is new, and drops the connection where the script says so."""
        self.say("+ IDLE accepted, awaiting DONE command.")
        over = threading.Event()
        teller = threading.Thread(target=self.tell_until, args=(over,), daemon=True)
        teller.start()
        try:
            self.line()
        finally:
            with self.exchange.changed:
                over.set()
                self.exchange.changed.notify_all()
            teller.join()
        return "OK IDLE completed."

    def tell_until(self, over: threading.Event) -> None:
        with suppress(OSError), self.exchange.changed:
            while not over.is_set():
                self.tell_news()
                limit = self.exchange.idle_seconds
                if not self.exchange.changed.wait(limit) and limit is not None:
                    self.say("* BYE Session timed out.")
                    self.exchange.hang_up(self)
                    return

    def do_logout(self, _: bytes) -> str:
        self.say("* BYE Microsoft Exchange Server IMAP4 server signing off.")
        self.done("OK LOGOUT completed.")
        raise Over

    def tell_news(self) -> None:
        """EXPUNGE of what is gone, from behind, and EXISTS where mail came."""
        there = sorted(self.box.mails) if self.box else []
        for uid in [uid for uid in reversed(self.known) if uid not in there]:
            self.say(f"* {self.place(uid)} EXPUNGE")
            self.known.remove(uid)
        if len(there) > len(self.known):
            self.known = there
            self.say(f"* {len(there)} EXISTS")

    def place(self, uid: int) -> int:
        return self.known.index(uid) + 1 if uid in self.known else len(self.known) + 1

    def chosen(self, numbers: bytes) -> list[int]:
        there = sorted(self.box.mails)
        return [uid for uid in there if any(low <= uid <= high for low, high in spans(numbers, top=max(there)))]

    def asked(self, challenge: bytes) -> bytes:
        self.say(f"+ {base64.b64encode(challenge).decode()}")
        return self.line()

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def line(self) -> bytes:
        while b"\r\n" not in self.unread:
            self.receive()
        line, _, self.unread = self.unread.partition(b"\r\n")
        return line

    def octets(self, size: int) -> bytes:
        while len(self.unread) < size:
            self.receive()
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def receive(self) -> None:
        received = self.connection.recv(65536)
        if not received:
            raise Over
        self.unread += received

    def encrypt(self) -> None:
        self.connection = self.exchange.secured(self.connection)
        self.encrypted = True


def told(mail: Stored, items: bytes) -> bytes:
    """What FETCH answers behind the UID."""
    if b"BODY.PEEK[]" in items:
        return literal(b"BODY[]", mail.rendered())
    if b"BODY.PEEK[HEADER]" in items:
        return literal(b"BODY[HEADER]<0>", mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    if asked := re.search(rb"BODY\.PEEK\[(HEADER\.FIELDS \(([\w-]+)\))\]", items):
        header = mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n"
        field = re.search(rb"^%s:.*?\r\n(?![ \t])" % asked[2], header, re.IGNORECASE | re.MULTILINE | re.DOTALL)
        return literal(b"BODY[%s]" % asked[1].upper(), (field[0] if field else b"") + b"\r\n")
    date = mail.date.strftime("%d-%b-%Y %H:%M:%S +0000")
    flags = " ".join(sorted(mail.flags))
    return f'RFC822.SIZE {mail.told_size} INTERNALDATE "{date}" FLAGS ({flags})'.encode()


def literal(name: bytes, octets: bytes) -> bytes:
    return b"%s {%d}\r\n%s" % (name, len(octets), octets)


def words(arguments: bytes) -> list[str]:
    """The arguments of a command, quotes taken off."""
    found = _ARGUMENT.findall(arguments)
    return [
        re.sub(rb"\\(.)", rb"\1", quoted).decode() if quoted else (listed or atom).decode()
        for quoted, listed, atom in found
    ]


def spans(numbers: bytes, *, top: int) -> Iterator[tuple[int, int]]:
    """The ranges of a set of UIDs (RFC 3501 section 9, sequence-set)."""
    for span in numbers.decode().split(","):
        low, _, high = (top if end == "*" else end for end in span.partition(":"))
        ends = sorted((int(low), int(high or low)))
        yield ends[0], ends[1]


def numbered(uids: list[int]) -> str:
    return ",".join(map(str, uids))
