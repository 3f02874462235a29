"""The IMAP adapter against a real Dovecot and a scripted Exchange: every way in, what is read, marked and heard."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import pytest

from intake.mailbox import (
    Account,
    ConnectionLost,
    Folder,
    FolderMissing,
    LoginRefused,
    ServerUnreachable,
)
from tests.servers.dovecot import PASSWORD, Dovecot, certify, until
from tests.servers.exchange import Exchange

Tls = Literal["tls", "starttls", "none"]
Server = Dovecot | Exchange
MAX = 1_000_000


def account(server: Server, user: str, *, tls: Tls = "none", **changed: Any) -> Account:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.imaps if tls == "tls" else server.imap,
        "tls": tls,
        "user": user,
        "password": lambda: PASSWORD,
        "ca_file": str(server.ca_file),
        "connect_timeout": 10.0,
        "read_timeout": 10.0,
    }
    return Account(**values | changed)


def mail(number: int, *, octets: int = 0) -> bytes:
    return b"Subject: printer %d\r\nFrom: Anna <anna@corp.example>\r\n\r\n" % number + b"x" * octets + b"\r\n"


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Runs something beside the test, and ends with it."""
    threads: list[Thread] = []

    def begin(work: Callable[[], object]) -> None:
        threads.append(Thread(target=work))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join(timeout=10)


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
def test_a_mail_is_found_read_and_marked_by_every_way_in(server: Server, tls: Tls) -> None:
    user = f"ways-{tls}"
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    server.append(user, mail(1), date=moment)
    with closing(Folder.open(account(server, user, tls=tls), "INBOX")) as folder:
        [[read]] = list(folder.fetch(folder.uids_above(0), max_octets=MAX))
        folder.add_flags([read.uid], server.mark)
    assert (read.uid, read.raw, read.size, read.complete) == (1, mail(1), len(mail(1)), True)
    assert read.internal_date == moment
    assert read.internal_date.tzinfo is UTC
    assert server.flags(user, 1) == {server.mark}


def test_reading_marks_nothing(server: Server) -> None:
    server.append("unmarked", mail(1))
    with closing(Folder.open(account(server, "unmarked"), "INBOX")) as folder:
        assert len(list(folder.fetch([1], max_octets=10))) == 1
        assert len(list(folder.fetch([1], max_octets=MAX))) == 1
    assert server.flags("unmarked", 1) == frozenset()


def test_flags_are_read(server: Server) -> None:
    server.append("flags", mail(1))
    with closing(Folder.open(account(server, "flags"), "INBOX")) as folder:
        folder.add_flags([1], r"\Seen")
        folder.add_flags([1, 999], server.mark)
        [[read]] = list(folder.fetch([1], max_octets=MAX))
    assert read.flags >= {r"\Seen", server.mark}


def test_the_state_tells_what_select_told(server: Server) -> None:
    server.append("state", mail(1))
    server.append("state", mail(2))
    server.expunge("state", 2)
    with closing(Folder.open(account(server, "state"), "INBOX")) as folder:
        assert (folder.state.uidnext, folder.state.exists, folder.state.keywords) == (3, 1, server.keywords)
        assert folder.state.uidvalidity > 0


@pytest.mark.parametrize(
    ("floor", "below", "expected"),
    [
        (0, None, [1, 2, 4, 5]),
        (2, None, [4, 5]),
        (4, None, [5]),
        (5, None, []),
        (900, None, []),
        (2**32, None, []),
        (0, 5, [1, 2, 4]),
        (1, 3, [2]),
        (2, 3, []),
        (5, 2, []),
    ],
)
def test_only_uids_above_the_floor_and_below_the_limit_are_told(
    server: Server, floor: int, below: int | None, expected: list[int]
) -> None:
    if "search" not in server.users:
        for number in range(5):
            server.append("search", mail(number))
        server.expunge("search", 3)
    with closing(Folder.open(account(server, "search"), "INBOX")) as folder:
        assert folder.uids_above(floor, below=below) == expected


def test_an_empty_folder_has_no_uids_and_no_mails(server: Server) -> None:
    with closing(Folder.open(account(server, "empty"), "INBOX")) as folder:
        assert folder.uids_above(0) == []
        assert list(folder.fetch([], max_octets=MAX)) == []
        assert list(folder.fetch([1, 2], max_octets=MAX)) == []
        folder.add_flags([], server.mark)


def test_mails_come_in_batches_of_fifty_in_ascending_order(server: Server) -> None:
    with server.session("batches") as imap:
        for number in range(120):
            imap.append("INBOX", "", "", mail(number))
    with closing(Folder.open(account(server, "batches"), "INBOX")) as folder:
        read = list(folder.fetch(reversed(folder.uids_above(0)), max_octets=MAX))
    assert [len(batch) for batch in read] == [50, 50, 20]
    assert [mail.uid for batch in read for mail in batch] == list(range(1, 121))


def test_a_mail_above_the_limit_is_read_to_the_end_of_its_header(server: Server) -> None:
    server.append("large", mail(1))
    server.append("large", mail(2, octets=50_000))
    server.append("large", mail(3))
    with closing(Folder.open(account(server, "large"), "INBOX")) as folder:
        [[first], [large], [last]] = list(folder.fetch([1, 2, 3], max_octets=10_000))
    assert (first.complete, large.complete, last.complete) == (True, False, True)
    assert large.raw == mail(2)[: -len(b"\r\n")]
    assert abs(large.size - len(mail(2, octets=50_000))) <= server.slack


def test_a_mail_that_is_gone_meanwhile_is_left_out(server: Server) -> None:
    for number in (1, 2, 3):
        server.append("gone", mail(number))
    with closing(Folder.open(account(server, "gone"), "INBOX")) as folder:
        server.expunge("gone", 2)
        [read] = list(folder.fetch([1, 2, 3], max_octets=MAX))
    assert [mail.uid for mail in read] == [1, 3]


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
def test_a_mail_that_comes_during_idle_ends_it(
    server: Server, tls: Tls, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    user = f"idle-{tls}"
    with closing(Folder.open(account(server, user, tls=tls), "INBOX")) as folder:
        assert folder.uids_above(0) == []
        meanwhile(lambda: server.deliver(f"{user}@corp.example", mail(1)))
        assert folder.wait(30, None)
        assert folder.uids_above(0) == [1]


@pytest.mark.parametrize("tls", ["none", "tls"])
def test_a_mail_that_came_before_idle_ends_it(server: Server, tls: Tls) -> None:
    user = f"early-{tls}"
    with closing(Folder.open(account(server, user, tls=tls), "INBOX")) as folder:
        server.deliver(user, mail(1))
        assert folder.wait(30, None)
        assert not folder.wait(0, None)


def test_a_mail_announced_by_another_command_is_not_forgotten(server: Server) -> None:
    with closing(Folder.open(account(server, "between"), "INBOX")) as folder:
        server.deliver("between", mail(1))
        folder.noop()
        assert folder.wait(30, None)


def test_the_wake_socket_ends_the_wait_and_is_emptied(server: Server) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, closing(Folder.open(account(server, "wake"), "INBOX")) as folder:
        theirs.send(b"!!")
        assert not folder.wait(30, ours)
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(1)


def test_a_session_ended_by_the_server_during_idle_is_a_lost_connection(
    server: Server, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    with closing(Folder.open(account(server, "kicked"), "INBOX")) as folder:
        meanwhile(server.kick)
        with pytest.raises(ConnectionLost):
            folder.wait(30, None)


@pytest.mark.parametrize("tls", ["none", "tls"])
def test_a_stopped_server_is_a_lost_connection_then_unreachable_then_found_again(
    server: Server, tls: Tls, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    where = account(server, "outage", tls=tls)
    with closing(Folder.open(where, "INBOX")) as folder:
        meanwhile(server.stop)
        with pytest.raises(ConnectionLost):
            folder.wait(30, None)
        with pytest.raises(ConnectionLost):
            folder.uids_above(0)
    until(lambda: not server.running)
    try:
        with pytest.raises(ServerUnreachable):
            Folder.open(where, "INBOX")
    finally:
        server.start()
    Folder.open(where, "INBOX").close()


def test_mails_are_moved_once_to_a_folder_that_is_made(server: Server) -> None:
    for number in (1, 2, 3):
        server.append("moved", mail(number))
    with closing(Folder.open(account(server, "moved"), "INBOX")) as folder:
        assert folder.state.moves
        for _ in range(2):
            folder.move([1, 3, 99], "Deskbell")
        folder.move([], "Deskbell")
        assert folder.uids_above(0) == [2]
    with closing(Folder.open(account(server, "moved"), "Deskbell")) as folder:
        [read] = list(folder.fetch(folder.uids_above(0), max_octets=MAX))
    assert [each.raw for each in read] == [mail(1), mail(3)]


def test_one_header_field_of_many_mails_is_read_as_it_stands(server: Server) -> None:
    """A folded one whole, an empty one of a mail that has none; one that is gone is left out."""
    fields = [b"Message-ID: <1@corp.example>\r\n", b"", b"MESSAGE-id:\r\n <3@corp.example>\r\n"]
    for field in fields:
        server.append("fields", b"Subject: x\r\n%sX-Message-ID: <no@corp.example>\r\n\r\nMessage-ID: <no>\r\n" % field)
    with closing(Folder.examine(account(server, "fields"), "INBOX")) as folder:
        read = list(folder.fields([1, 2, 3, 99], "Message-ID"))
    assert [one.strip().lower() for one in read] == [field.strip().lower() for field in fields]


def test_a_wrong_password_is_refused_by_name(server: Server) -> None:
    with pytest.raises(LoginRefused, match="user name or the password") as refused:
        Folder.open(account(server, "help", password=lambda: "sesame"), "INBOX")
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("password", ["hasło", "x\r\nA1 DELETE INBOX", "\udcff"])
def test_a_password_that_is_not_ascii_or_cannot_be_sent_is_refused(server: Server, password: str) -> None:
    with pytest.raises(LoginRefused):
        Folder.open(account(server, "help", password=lambda: password), "INBOX")


def test_the_password_is_asked_at_each_login(server: Server) -> None:
    asked = iter(["wrong", PASSWORD])
    where = account(server, "help", password=lambda: next(asked))
    with pytest.raises(LoginRefused):
        Folder.open(where, "INBOX")
    Folder.open(where, "INBOX").close()


def test_what_the_password_callable_raises_passes_unchanged(server: Server) -> None:
    def locked() -> str:
        raise PermissionError("keyring is locked")

    with pytest.raises(PermissionError):
        Folder.open(account(server, "help", password=locked), "INBOX")


def test_a_missing_folder_is_named(server: Server) -> None:
    with pytest.raises(FolderMissing, match="Zgłoszenia"):
        Folder.open(account(server, "help"), "Zgłoszenia")


def test_a_folder_name_in_any_script_is_opened(server: Server) -> None:
    server.create("names", "Zg&AUI-oszenia & &ZeVnLIqe-".replace(" & ", " &- "))
    server.append("names", mail(1), folder="Zg&AUI-oszenia &- &ZeVnLIqe-")
    with closing(Folder.open(account(server, "names"), "Zgłoszenia & 日本語")) as folder:
        assert folder.uids_above(0) == [1]


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_not_trusted(server: Server, tmp_path: Path, tls: Tls) -> None:
    certify(tmp_path)
    for ca_file in (None, str(tmp_path / "ca.pem")):
        with pytest.raises(ServerUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
            Folder.open(account(server, "help", tls=tls, ca_file=ca_file), "INBOX")


def test_the_certificate_is_checked_for_the_name_that_was_configured(server: Server) -> None:
    """127.1 is the same machine (inet_aton(3)), and a name that the certificate does not have."""
    with closing(Folder.open(account(server, "named", tls="tls", host="localhost"), "INBOX")) as folder:
        assert folder.uids_above(0) == []
    with pytest.raises(ServerUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        Folder.open(account(server, "named", tls="tls", host="127.1"), "INBOX")


def test_an_authority_file_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(ServerUnreachable, match="FileNotFoundError"):
        Folder.open(account(server, "help", tls="tls", ca_file="missing.pem"), "INBOX")


def test_closing_twice_and_after_a_loss_is_silent(server: Server) -> None:
    folder = Folder.open(account(server, "closing"), "INBOX")
    folder.close()
    folder.close()
    with pytest.raises(ConnectionLost):
        folder.noop()


def test_the_connection_is_kept_alive_by_the_system(server: Server) -> None:
    with closing(Folder.open(account(server, "alive"), "INBOX")) as folder:
        assert folder._imap.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_no_line_is_formatted_for_a_log(server: Server) -> None:
    with closing(Folder.open(account(server, "quiet"), "INBOX")) as folder:
        assert folder._imap.debug == 0
