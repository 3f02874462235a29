"""The IMAP adapter against a scripted server that lies, stalls, splits and breaks off."""

import imaplib
import inspect
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import imapclient.exceptions
import pytest

from intake.fetched import BODY_OCTETS, Fetched, Outline, batches
from intake.idle import MAX_LINE, MAX_LITERAL, Wire
from intake.mailbox import (
    Account,
    CommandRefused,
    ConnectionLost,
    Folder,
    FolderMissing,
    LoginRefused,
    MailboxError,
    ServerUnreachable,
    _ranges,
)
from intake.trouble import _FAULTS, told_as
from tests.servers.dovecot import certify, until

SELECTED = (
    b"* 0 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] yes\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n"
    b"%t OK [READ-WRITE] done\r\n"
)
OUTLINE = b'* 1 FETCH (UID 5 RFC822.SIZE 4 INTERNALDATE "01-Mar-2026 09:30:00 +0200" FLAGS (\\Seen 2026))\r\n'
BODY = b"* 1 FETCH (UID 5 BODY[] {4}\r\na: b)\r\n"
OK = b"%t OK done\r\n"
END = b""
"""In a script: the connection is closed instead of an answer."""
DEFAULTS = {
    "greeting": b"* OK hello\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n" + OK,
    "SELECT": SELECTED,
    "IDLE": b"+ idling\r\n",
}


class Scripted:
    """An IMAP server for one test: each command has its answer (%t is the tag), or one answer after the other."""

    def __init__(
        self,
        script: dict[str, bytes | list[bytes]],
        context: ssl.SSLContext | None = None,
        *,
        octets: int = 10_000_000,
    ) -> None:
        answers = DEFAULTS | script
        self._answers = {name: list(said) if isinstance(said, list) else said for name, said in answers.items()}
        self._context = context
        self._octets = octets
        self.lines: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer = self._server.accept()[0]
                with suppress(OSError), self._secured(peer) as secured:
                    self._talk(secured)

    def _secured(self, peer: socket.socket) -> socket.socket:
        return self._context.wrap_socket(peer, server_side=True) if self._context else peer

    def _talk(self, peer: socket.socket) -> None:
        self._send(peer, self._next("greeting"))
        tag = b""
        with peer.makefile("rb") as heard:
            for line in heard:
                self.lines.append(line.rstrip())
                words = line.split()
                tag = tag if words == [b"DONE"] else words[0]
                answer = self._next(
                    (words[2] if words[1:2] == [b"UID"] else words[-1 if len(words) == 1 else 1]).decode()
                )
                if answer == END:
                    return
                self._send(peer, answer.replace(b"%t", tag))

    def _send(self, peer: socket.socket, answer: bytes) -> None:
        """After `octets` in all the connection is cut."""
        peer.sendall(answer[: self._octets])
        self._octets -= len(answer)
        if self._octets <= 0:
            raise ConnectionAbortedError

    def _next(self, name: str) -> bytes:
        answer = self._answers.get(name, OK)
        if isinstance(answer, list):
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer


Serve = Callable[..., Scripted]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts scripted servers and ends them with the test."""
    servers: list[Scripted] = []

    def begin(context: ssl.SSLContext | None = None, **script: bytes | list[bytes]) -> Scripted:
        servers.append(Scripted(script, context))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def opened(server: Scripted, **changed: Any) -> Folder:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "tls": "none", "user": "help"}
    values |= {"password": lambda: "x", "connect_timeout": 5.0, "read_timeout": 5.0}
    return Folder.open(Account(**values | changed), "INBOX")


def fetched(server: Scripted, *uids: int, max_octets: int = 1000) -> list[Fetched]:
    with closing(opened(server)) as folder:
        return [mail for batch in folder.fetch(uids or [5], max_octets=max_octets) for mail in batch]


def waited(server: Scripted, *, seconds: float = 20) -> bool:
    with closing(opened(server)) as folder:
        return folder.wait(seconds, None)


# What is heard


def test_an_exists_behind_the_idle_greeting_is_seen(serve: Serve) -> None:
    assert waited(serve(IDLE=b"+ idling\r\n* 1 EXISTS\r\n", DONE=OK))


def test_an_exists_before_the_idle_greeting_is_seen(serve: Serve) -> None:
    assert waited(serve(IDLE=b"* 1 EXISTS\r\n+ idling\r\n", DONE=OK))


def test_an_expunge_is_news(serve: Serve) -> None:
    assert waited(serve(IDLE=b"+ idling\r\n* 1 EXPUNGE\r\n", DONE=OK))


def test_flags_a_greeting_and_a_number_told_again_are_no_news(serve: Serve) -> None:
    said = b"+ idling\r\n* OK Still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 0 EXISTS\r\n"
    assert not waited(serve(IDLE=said, DONE=OK), seconds=0.05)


def test_a_line_split_by_the_end_of_idle_is_joined(serve: Serve) -> None:
    """The wake comes while half a line is there; the rest of it stands before the answer to DONE."""
    ours, theirs = socket.socketpair()
    server = serve(IDLE=b"+ idling\r\n* 1 EXI", DONE=b"STS\r\n" + OK)
    with ours, theirs, closing(opened(server)) as folder:
        theirs.send(b"!")
        assert folder.wait(20, ours)
        assert folder.uids_above(0) == []


def test_bye_in_idle_is_a_lost_connection(serve: Serve) -> None:
    with pytest.raises(ConnectionLost, match="BYE"):
        waited(serve(IDLE=b"+ idling\r\n* BYE going down\r\n"))


def test_the_end_of_the_stream_in_idle_is_a_lost_connection(serve: Serve) -> None:
    with pytest.raises(ConnectionLost):
        waited(serve(IDLE=END))


def test_half_a_line_and_silence_after_done_is_a_lost_connection(serve: Serve) -> None:
    with closing(opened(serve(DONE=b"* 1 EXI"), read_timeout=0.1)) as folder, pytest.raises(ConnectionLost):
        folder.wait(0, None)


def test_a_server_that_ends_idle_by_itself_is_asked_by_noop_not_idled_again(serve: Serve) -> None:
    server = serve(IDLE=b"+ idling\r\n" + OK)
    assert not waited(server, seconds=0.05)
    until(lambda: server.lines[-1].endswith(b"LOGOUT"))
    assert [line.split()[1] for line in server.lines[-3:-1]] == [b"IDLE", b"NOOP"]


def test_a_server_that_refuses_idle_is_asked_by_noop(serve: Serve) -> None:
    assert waited(serve(IDLE=b"%t NO not now\r\n", NOOP=b"* 1 EXISTS\r\n" + OK), seconds=0.01)


def test_a_server_without_idle_is_asked_by_noop_when_the_time_is_over(serve: Serve) -> None:
    server = serve(CAPABILITY=b"* CAPABILITY IMAP4rev1\r\n" + OK, NOOP=b"* 1 EXISTS\r\n" + OK)
    assert waited(server, seconds=0.01)
    assert not any(b"IDLE" in line for line in server.lines)


def test_without_idle_the_wake_socket_ends_the_wait_without_a_word_to_the_server(serve: Serve) -> None:
    server = serve(CAPABILITY=b"* CAPABILITY IMAP4rev1\r\n" + OK, NOOP=END)
    ours, theirs = socket.socketpair()
    with ours, theirs, closing(opened(server)) as folder:
        theirs.send(b"!")
        assert not folder.wait(20, ours)


def test_an_exists_told_after_a_search_leads_to_another_search(serve: Serve) -> None:
    with closing(opened(serve(SEARCH=b"* SEARCH\r\n* 1 EXISTS\r\n" + OK))) as folder:
        assert folder.uids_above(0) == []
        assert folder.wait(20, None)


def test_a_server_that_repeats_exists_after_each_command_does_not_keep_us_searching(serve: Serve) -> None:
    with closing(opened(serve(SEARCH=b"* SEARCH 8\r\n* 0 EXISTS\r\n" + OK, DONE=OK))) as folder:
        assert folder.uids_above(0) == [8]
        assert not folder.wait(0.01, None)


def test_what_comes_unasked_does_not_pile_up(serve: Serve) -> None:
    with closing(opened(serve(NOOP=b"* 1 FETCH (FLAGS ())\r\n* 3 RECENT\r\n" * 50 + OK))) as folder:
        folder.noop()
        assert folder._imap.untagged_responses == {}


# What is read


def test_a_mail_is_read_as_the_server_has_it(serve: Serve) -> None:
    moment = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    expected = Fetched(5, moment, 4, b"a: b", frozenset({"\\Seen", "2026"}), complete=True)
    assert fetched(serve(FETCH=[OUTLINE + OK, BODY + OK])) == [expected]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"* 1 FETCH (UID 5 FLAGS ())\r\n",
        b"* 1 FETCH (UID 5 BODY[] NIL)\r\n",
        b"* 1 FETCH (BODY[] {4}\r\na: b)\r\n",
        b"* 5 FETCH (UID 6 BODY[] {4}\r\na: b)\r\n",
    ],
    ids=["nothing", "only flags", "NIL", "no UID", "another UID"],
)
def test_an_answer_without_body_or_without_our_uid_is_left_out(serve: Serve, answer: bytes) -> None:
    assert fetched(serve(FETCH=[OUTLINE + OK, answer + OK])) == []


def test_unsolicited_answers_are_not_mixed_into_the_mail(serve: Serve) -> None:
    stray = b"* 5 FETCH (FLAGS (\\Deleted))\r\n* 1 FETCH (UID 6 FLAGS (\\Draft) BODY[] {1}\r\nz)\r\n"
    server = serve(FETCH=[stray + OUTLINE + stray + OK, stray + BODY + b"* 1 EXPUNGE\r\n" + stray + OK])
    [mail] = fetched(server)
    assert (mail.raw, mail.flags) == (b"a: b", frozenset({"\\Seen", "2026"}))


def test_an_expunge_inside_a_fetch_does_not_join_two_mails(serve: Serve) -> None:
    other = OUTLINE.replace(b"UID 5", b"UID 6")
    bodies = BODY + b"* 1 EXPUNGE\r\n" + b"* 1 FETCH (UID 6 BODY[] {2}\r\nc:)\r\n"
    server = serve(FETCH=[OUTLINE + b"* 1 EXPUNGE\r\n" + other + OK, bodies + OK])
    assert [(mail.uid, mail.raw) for mail in fetched(server, 5, 6)] == [(5, b"a: b"), (6, b"c:")]


@pytest.mark.parametrize("told", [b"RFC822.SIZE 1", b"RFC822.SIZE 999", b"RFC822.SIZE NIL", b"RFC822.SIZE x"])
def test_the_size_is_that_of_the_bytes_not_the_one_told(serve: Serve, told: bytes) -> None:
    [mail] = fetched(serve(FETCH=[OUTLINE.replace(b"RFC822.SIZE 4", told) + OK, BODY + OK]))
    assert (mail.size, mail.complete) == (4, True)


def test_a_mail_larger_than_told_and_than_allowed_is_cut_to_its_header(serve: Serve) -> None:
    body = b"* 1 FETCH (UID 5 BODY[] {20}\r\na: b\r\n\r\n0123456789ab)\r\n"
    [mail] = fetched(serve(FETCH=[OUTLINE + OK, body + OK]), max_octets=10)
    assert (mail.raw, mail.size, mail.complete) == (b"a: b", 20, False)


@pytest.mark.parametrize("name", [b"BODY[HEADER]<0>", b"BODY[HEADER]", b"body[header]<0>"])
def test_only_the_header_of_a_large_mail_is_asked_for(serve: Serve, name: bytes) -> None:
    large = OUTLINE.replace(b"RFC822.SIZE 4", b"RFC822.SIZE 5000")
    server = serve(FETCH=[large + OK, b"* 1 FETCH (UID 5 " + name + b" {8}\r\na: b\r\n\r\n)\r\n" + OK])
    [mail] = fetched(server)
    assert (mail.raw, mail.size, mail.complete) == (b"a: b\r\n\r\n", 5000, False)
    assert not any(b"BODY.PEEK[]" in line for line in server.lines)


@pytest.mark.parametrize("date", [b'"-0000"', b'"99-Foo-2026 77:00:00 +0000"', b"NIL", b'"31-Dec-9999 23:59:59 -1200"'])
def test_a_mail_with_an_impossible_internaldate_is_read_with_the_moment_of_reading(serve: Serve, date: bytes) -> None:
    outline = OUTLINE.replace(b'"01-Mar-2026 09:30:00 +0200"', date)
    before = datetime.now(UTC)
    [mail] = fetched(serve(FETCH=[outline + OK, BODY + OK]))
    assert before <= mail.internal_date <= datetime.now(UTC)


def test_an_internaldate_without_zone_is_utc(serve: Serve) -> None:
    [mail] = fetched(serve(FETCH=[OUTLINE.replace(b"+0200", b"-0000") + OK, BODY + OK]))
    assert mail.internal_date == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 5 BODY[] {4}\r\na:",
        b"* 1 FETCH (UID 5 BODY[] {4",
        b"* 1 FETCH (UID 5 BODY[] {4}\r\na: b",
    ],
    ids=["in the literal", "in the line", "behind the literal"],
)
def test_a_mail_that_breaks_off_is_a_lost_connection_not_a_short_mail(serve: Serve, answer: bytes) -> None:
    server = serve(FETCH=[OUTLINE + OK, answer])
    with closing(opened(server, read_timeout=0.2)) as folder, pytest.raises(ConnectionLost):
        list(folder.fetch([5], max_octets=1000))


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 5 BODY[] {99999999999999999999}\r\n",
        b"* 1 FETCH (UID 5 BODY[] {%d}\r\n" % (MAX_LITERAL + 1),
        b"* 1 FETCH (UID)\r\n" + OK,
        b"* 1 FETCH " + b"(" * 20_000 + b"\r\n" + OK,
        b"* 1 FETCH 7\r\n" + OK,
        b'* 1 FETCH (UID 5 FLAGS "\r\n' + OK,
        b"* 1 FETCH (5 UID)\r\n" + OK,
        b"%t BAD what\r\n",
        b"\xff\xfe\r\n",
        b"nonsense OK\r\n",
        b"* BYE\r\n",
        b"x" * (MAX_LINE + 10),
        END,
    ],
    ids=range(13),
)
def test_an_answer_against_the_protocol_is_a_lost_connection_and_the_folder_is_closed(
    serve: Serve, answer: bytes
) -> None:
    with closing(opened(serve(FETCH=answer))) as folder:
        with pytest.raises(ConnectionLost):
            list(folder.fetch([5], max_octets=1000))
        with pytest.raises(ConnectionLost):
            folder.noop()


@pytest.mark.parametrize("octets", range(1, 470, 9))
def test_a_stream_cut_anywhere_gives_the_whole_mail_or_a_mailbox_error(octets: int) -> None:
    script: dict[str, bytes | list[bytes]] = {"FETCH": [OUTLINE + OK, BODY + OK]}
    with closing(Scripted(script, octets=octets)) as server:
        try:
            read = [(mail.uid, mail.raw) for mail in fetched(server)]
        except MailboxError:
            read = []
    assert read in ([], [(5, b"a: b")])


def test_a_refusal_with_the_mails_that_are_left_counts_as_their_answer(serve: Serve) -> None:
    server = serve(FETCH=[OUTLINE + b"%t NO some are gone\r\n", BODY + b"%t NO some are gone\r\n"])
    assert [mail.uid for mail in fetched(server, 4, 5)] == [5]


@pytest.mark.parametrize("command", ["FETCH", "SEARCH", "STORE"])
def test_a_refused_command_leaves_the_connection_standing(serve: Serve, command: str) -> None:
    with closing(opened(serve(**{command: b"%t NO not today\r\n"}))) as folder:
        ways: dict[str, Callable[[], object]] = {
            "FETCH": lambda: list(folder.fetch([5], max_octets=1)),
            "SEARCH": lambda: folder.uids_above(0),
            "STORE": lambda: folder.add_flags([5], "deskbell"),
        }
        with pytest.raises(CommandRefused, match="not today"):
            ways[command]()
        folder.noop()


def test_a_refused_mark_is_refused_whatever_comes_unasked_with_it(serve: Serve) -> None:
    server = serve(STORE=b"* 1 FETCH (FLAGS ())\r\n%t NO read-only\r\n")
    with closing(opened(server)) as folder, pytest.raises(CommandRefused):
        folder.add_flags([5], "deskbell")


def test_a_search_answered_in_several_lines_is_read_whole(serve: Serve) -> None:
    with closing(opened(serve(SEARCH=b"* SEARCH 3 1\r\n* SEARCH\r\n* SEARCH 7 (MODSEQ 12)\r\n" + OK))) as folder:
        assert folder.uids_above(1) == [3, 7]


def test_uidnext_is_found_out_where_select_does_not_tell_it(serve: Serve) -> None:
    select = SELECTED.replace(b"* OK [UIDNEXT 9] ok\r\n", b"")
    with closing(opened(serve(SELECT=select, SEARCH=b"* SEARCH 41\r\n" + OK))) as folder:
        assert folder.state.uidnext == 42
    with closing(opened(serve(SELECT=select, SEARCH=b"* SEARCH\r\n" + OK))) as folder:
        assert folder.state.uidnext == 1


def test_a_folder_that_keeps_no_keywords_says_so(serve: Serve) -> None:
    with closing(opened(serve(SELECT=SELECTED.replace(b" \\*", b"")))) as folder:
        assert not folder.state.keywords


# How much is asked for at once


@pytest.mark.parametrize(
    ("first", "last", "known", "exists", "expected"),
    [
        (1, 2**32 - 1, 0, 0, ["1:*"]),
        (5, 2**32 - 1, 4_000_000_000, 50_000, ["5:*"]),
        (1, 2**32 - 1, 100_001, 100_001, ["1:50000", "50001:100000", "100001:100001", "100002:*"]),
        (1, 2**32 - 1, 50_000, None, ["1:50000", "50001:*"]),
        (1, 60_000, 100_001, 100_001, ["1:50000", "50001:60000"]),
        (1, 200_000, 60_000, 60_000, ["1:50000", "50001:60000", "60001:200000"]),
        (90, 2**32 - 1, 80, 100_001, ["90:*"]),
        (6, 5, 80, 3, []),
        (2**32, 2**32 - 1, 80, 100_001, []),
    ],
)
def test_no_search_can_be_answered_by_more_than_fifty_thousand_known_mails(
    first: int, last: int, known: int, exists: int | None, expected: list[str]
) -> None:
    assert list(_ranges(first, last, known=known, exists=exists)) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1] * 51, [(True, 50), (True, 1)]),
        ([BODY_OCTETS, 1], [(True, 1), (True, 1)]),
        ([BODY_OCTETS - 1, 1, 1], [(True, 2), (True, 1)]),
        ([1, 10**7, 1], [(True, 1), (False, 1), (True, 1)]),
        ([10**7] * 31, [(False, 30), (False, 1)]),
    ],
)
def test_a_batch_holds_fifty_mails_or_eight_megabytes(sizes: list[int], expected: list[tuple[bool, int]]) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    outlines = [Outline(uid, size, now, frozenset()) for uid, size in enumerate(sizes)]
    assert [(whole, len(batch)) for whole, batch in batches(outlines, 9_000_000)] == expected


# How it begins


@pytest.mark.parametrize(
    ("script", "situation"),
    [
        ({"greeting": b"* BYE too busy\r\n"}, ServerUnreachable),
        ({"greeting": b"SSH-2.0-OpenSSH\r\n"}, ServerUnreachable),
        ({"CAPABILITY": END}, ServerUnreachable),
        ({"CAPABILITY": b"* CAPABILITY \xff\r\n" + OK}, ServerUnreachable),
        ({"LOGIN": b"%t NO [AUTHENTICATIONFAILED] no\r\n"}, LoginRefused),
        ({"LOGIN": b"%t NO [UNAVAILABLE] later\r\n"}, ServerUnreachable),
        ({"LOGIN": b"%t BAD what\r\n"}, LoginRefused),
        ({"LOGIN": END}, ServerUnreachable),
        ({"LOGIN": b"* BYE\r\n"}, ServerUnreachable),
        ({"SELECT": b"%t NO [NONEXISTENT] no such\r\n"}, FolderMissing),
        ({"SELECT": b"%t NO [UNAVAILABLE] later\r\n"}, ServerUnreachable),
        ({"SELECT": SELECTED.replace(b"READ-WRITE", b"READ-ONLY")}, FolderMissing),
        ({"SELECT": SELECTED.replace(b"UIDVALIDITY 7", b"X")}, FolderMissing),
        ({"SELECT": SELECTED.replace(b"UIDNEXT 9", b"UIDNEXT x")}, ServerUnreachable),
        ({"SELECT": SELECTED.replace(b" (\\Seen \\*)", b"")}, ServerUnreachable),
        ({"SELECT": END}, ServerUnreachable),
    ],
)
def test_each_way_of_not_beginning_has_its_name(
    serve: Serve, script: dict[str, bytes], situation: type[MailboxError]
) -> None:
    with pytest.raises(MailboxError) as raised:
        opened(serve(**script))
    assert type(raised.value) is situation


def test_a_greeting_that_never_comes_ends_in_time() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    where = Account("127.0.0.1", silent.getsockname()[1], "none", "help", lambda: "x", connect_timeout=0.1)
    with silent, pytest.raises(ServerUnreachable, match="TimeoutError"):
        Folder.open(where, "INBOX")


def test_a_server_without_starttls_never_sees_the_password(serve: Serve) -> None:
    server = serve()
    with pytest.raises(ServerUnreachable, match="STARTTLS"):
        opened(server, tls="starttls")
    assert [line.split()[1] for line in server.lines] in ([b"CAPABILITY"], [b"CAPABILITY", b"LOGOUT"])


def test_a_refused_starttls_never_sees_the_password(serve: Serve) -> None:
    server = serve(CAPABILITY=b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + OK, STARTTLS=b"%t NO not now\r\n")
    with pytest.raises(ServerUnreachable):
        opened(server, tls="starttls")
    assert not any(b"LOGIN" in line for line in server.lines)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="not run: the openssl program is not installed")
def test_a_certificate_for_another_name_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    certify(tmp_path, names="DNS:other.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with pytest.raises(ServerUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        opened(serve(context), tls="tls", ca_file=str(tmp_path / "ca.pem"))


def test_login_without_plain_refuses_letters_it_cannot_carry(serve: Serve) -> None:
    server = serve()
    with pytest.raises(LoginRefused, match="ASCII") as refused:
        opened(server, password=lambda: "hasło")
    assert "hasło" not in str(refused.value)
    assert not any(b"LOGIN" in line for line in server.lines)


@pytest.mark.parametrize("host", ["mail.corp.example", "10.0.0.1", "0.0.0.0", "2001:db8::1"])
def test_plain_text_is_refused_beyond_this_machine(host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        Account(host, 143, "none", "help", lambda: "x")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_plain_text_is_possible_on_this_machine(host: str) -> None:
    assert Account(host, 143, "none", "help", lambda: "x").host == host


def test_a_host_nobody_knows_is_unreachable() -> None:
    with pytest.raises(ServerUnreachable):
        Folder.open(Account("nobody.invalid", 993, "tls", "help", lambda: "x"), "INBOX")


# What a person is told


def raisable(*modules: object) -> set[type[Exception]]:
    found = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    # An underscore marks one that never leaves its module (socket.sendfile's note to itself).
    return {kind for kind in found if issubclass(kind, Exception) and not kind.__name__.startswith("_")}


@pytest.mark.parametrize(
    "kind",
    sorted(
        raisable(imaplib, imaplib.IMAP4, imapclient.exceptions, imapclient.IMAPClient, ssl, socket),
        key=str,
    ),
)
def test_every_exception_of_the_libraries_below_becomes_ours(kind: type[Exception]) -> None:
    assert issubclass(kind, _FAULTS)
    with pytest.raises(ConnectionLost), told_as(ConnectionLost):
        raise kind


def test_a_message_is_one_short_printable_line_that_begins_with_what_happened() -> None:
    with pytest.raises(ConnectionLost) as raised, told_as(ConnectionLost):
        raise OSError("bad\r\n\x1b[31m" + "x" * 10_000)
    words = str(raised.value)
    assert words.startswith("The connection to the mail server broke")
    assert words.isprintable()
    assert len(words) < 400


# The wire itself


class Below:
    """What Wire needs of imaplib."""

    abort = imaplib.IMAP4.abort

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock


@pytest.fixture
def wired() -> Iterator[tuple[Wire, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(Below(ours), read_timeout=5), theirs  # type: ignore[arg-type]


def test_half_a_line_is_not_heard_until_it_is_whole(wired: tuple[Wire, socket.socket]) -> None:
    wire, theirs = wired
    for piece in (b"", b"* 1 EX", b"ISTS", b"\r"):
        theirs.send(piece)
        assert not wire.hears()
    theirs.send(b"\n* 2")
    assert wire.hears()
    assert wire.readline() == b"* 1 EXISTS\r\n"
    assert not wire.hears()


def test_octets_fed_one_by_one_are_the_same_lines_and_literals(wired: tuple[Wire, socket.socket]) -> None:
    wire, theirs = wired
    for octet in b"* 1 FETCH {3}\r\nabc)\r\n":
        theirs.send(bytes([octet]))
        wire.hears()
    assert [wire.readline(), wire.read(3), wire.readline()] == [b"* 1 FETCH {3}\r\n", b"abc", b")\r\n"]


def test_a_closed_stream_is_never_mere_silence(wired: tuple[Wire, socket.socket]) -> None:
    wire, theirs = wired
    theirs.send(b"* 1 EXI")
    theirs.close()
    with pytest.raises(imaplib.IMAP4.abort):
        wire.hears()
    assert wire.readline() == b"* 1 EXI"
    assert wire.read(5) == b""


def test_a_dripping_server_does_not_outlast_the_deadline(wired: tuple[Wire, socket.socket]) -> None:
    wire, theirs = wired
    theirs.send(b"drip")
    with wire.within(0.02), pytest.raises(TimeoutError):
        wire.readline()
