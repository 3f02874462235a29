"""Two daemons on one PostgreSQL: they share the work, and each mail still has one request and one receipt."""

import platform
import signal
import smtplib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.installation import PATIENCE, Installation, free_port, mailbox, smtp
from tests.servers.letters import Letter, letter, read
from tests.servers.postgres import Postgres
from tests.servers.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.slow]

STREAM = 60
TAKEN_OVER = 90.0
"""Seconds for a dead daemon's lease and transactions to end, the hold of a mail that was perhaps sent, and more."""


class Sharing(Installation):
    """One daemon of several on that PostgreSQL database."""

    def __init__(self, folder: Path, config: str, url: str) -> None:
        folder.mkdir()
        self._url = url
        # A stream of mail in a minute is what the limiter's circuit is for: its receipts would wait.
        shared = f'[database]\nurl = "{url}"\n[keys]\nfile = "../deskbell.key"\n[limits]\nenabled = false\n'
        super().__init__(folder, config + shared)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, read by the driver alone."""
        with psycopg.connect(self._url) as witness:
            return witness.execute(query.replace("?", "%s"), values or None).fetchall()

    def freeze(self) -> None:
        """The daemon stands still, as on a machine that sleeps."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The daemon goes on as if nothing had happened."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)


@contextmanager
def two(folder: Path, url: str, configs: Sequence[str]) -> Iterator[list[Sharing]]:
    """Two daemons that were started at the same moment on the same database, the key made by whoever was first."""
    with ExitStack() as both:
        desks = [both.enter_context(Sharing(folder / str(n), config, url)) for n, config in enumerate(configs)]
        for desk in desks:
            desk.launch()
        for desk in desks:
            desk.wait_for("\nready\n")
        yield desks


def employees(count: int) -> list[Letter]:
    return [letter(f"Matter {number}", sender=f"person{number}@corp.example") for number in range(count)]


def receipts(sink: Sink, mails: Sequence[Letter]) -> dict[str, list[bytes]]:
    """For each mail, by its Message-ID, the receipts that were taken."""
    ids: dict[str, list[bytes]] = {mail.message_id: [] for mail in mails}
    for one in list(sink.taken):
        if one.recipients[0].startswith("person"):
            ids[str(read(one.content)["In-Reply-To"])].append(one.content)
    return ids


def check_each_has_one_request_and_one_receipt(desk: Sharing, sink: Sink, mails: Sequence[Letter]) -> None:
    """A second copy is allowed where the first was perhaps not taken: it is the same mail octet by octet."""
    rows = desk.rows("SELECT message_id, fate FROM arrival ORDER BY id")
    assert sorted(rows) == sorted((mail.message_id, "opened") for mail in mails)
    assert desk.rows("SELECT count(*) FROM request") == [(len(mails),)]
    doubtful = dict(
        desk.rows(
            "SELECT arrival.message_id, max(outbox.ambiguous) FROM outbox "
            "JOIN arrival ON arrival.request_number = outbox.request_number WHERE kind = 'receipt' GROUP BY 1"
        )
    )
    for message_id, copies in receipts(sink, mails).items():
        assert 1 <= len(copies) <= 1 + doubtful[message_id], message_id
        assert len(set(copies)) == 1


def test_two_daemons_over_one_mailbox_share_the_work_and_send_each_receipt_once(
    dovecot: Dovecot, postgres: Postgres, tmp_path: Path
) -> None:
    """Both were first starts of an empty database; one watches the folder; who stops gives everything back."""
    mails, url = employees(STREAM), postgres.create()
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="two-help") + smtp(sink.port)
        with two(tmp_path, url, [config, config]) as desks:
            for mail in mails:
                dovecot.deliver("two-help@corp.example", mail.raw)
            desks[0].wait_until_quiet(STREAM, seconds=TAKEN_OVER)
            check_each_has_one_request_and_one_receipt(desks[0], sink, mails)
            assert {len(copies) for copies in receipts(sink, mails).values()} == {1}
            assert desks[0].rows("SELECT count(DISTINCT holder), count(*) FROM lease WHERE name LIKE '%INBOX'") == [
                (1, 1)
            ]
            assert "Traceback" not in desks[0].said + desks[1].said
            daemons = [one for one in desks[0].json("health") if one["check"].startswith("daemon")]
            assert [(one["check"], one["state"]) for one in daemons] == [
                (f"daemon {platform.node()} (start {start})", "ok") for start in (1, 2)
            ]
            assert [desk.stop() for desk in desks] == [0, 0]
            assert desks[0].rows("SELECT count(*) FROM lease") == [(0,)]
    postgres.drop(url)


def test_when_one_daemon_is_killed_the_other_takes_over_what_it_held(
    dovecot: Dovecot, postgres: Postgres, tmp_path: Path
) -> None:
    """The one that watches the folder dies in the middle; what came and what comes is served all the same."""
    mails, url = employees(STREAM), postgres.create()
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="kill-help") + smtp(sink.port)
        with two(tmp_path, url, [config, config]) as desks:
            for mail in mails[: STREAM // 2]:
                dovecot.deliver("kill-help@corp.example", mail.raw)
            sink.wait_for(5, PATIENCE)
            victim = next(number for number, desk in enumerate(desks) if "watched from UID" in desk.said)
            desks[victim].kill()
            for mail in mails[STREAM // 2 :]:
                dovecot.deliver("kill-help@corp.example", mail.raw)
            desks[1 - victim].wait_until_quiet(STREAM, seconds=TAKEN_OVER)
            check_each_has_one_request_and_one_receipt(desks[1 - victim], sink, mails)
    postgres.drop(url)


def test_a_daemon_that_stood_still_does_nothing_over_again_when_it_goes_on(
    dovecot: Dovecot, postgres: Postgres, tmp_path: Path
) -> None:
    """The other has taken over its folder, its arrivals and its mails; the server has ended its transactions."""
    mails, url = employees(STREAM), postgres.create()
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="still-help") + smtp(sink.port)
        with two(tmp_path, url, [config, config]) as desks:
            for mail in mails:
                dovecot.deliver("still-help@corp.example", mail.raw)
            sink.wait_for(10, PATIENCE)
            frozen = next(desk for desk in desks if "watched from UID" in desk.said)
            frozen.freeze()
            desks[0].wait_until_quiet(STREAM, seconds=TAKEN_OVER)
            frozen.thaw()
            after = letter("Afterwards", sender="person100@corp.example")
            dovecot.deliver("still-help@corp.example", after.raw)
            desks[0].wait_until_quiet(STREAM + 1, seconds=TAKEN_OVER)
            check_each_has_one_request_and_one_receipt(desks[0], sink, [*mails, after])
            assert [desk.stop() for desk in desks] == [0, 0]
    postgres.drop(url)


def test_a_restart_of_the_database_loses_and_doubles_nothing(
    dovecot: Dovecot, postgres: Postgres, tmp_path: Path
) -> None:
    """Both daemons come back by themselves, once after an orderly restart and once after a crash of the server."""
    del postgres  # where it cannot run, neither can the one below
    mails = employees(STREAM)
    with Postgres() as server, Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="base-help") + smtp(sink.port)
        with two(tmp_path, server.create(), [config, config]) as desks:
            for part, how in ((mails[:20], server.stop), (mails[20:40], server.crash)):
                heard = len(sink.taken)
                for mail in part:
                    dovecot.deliver("base-help@corp.example", mail.raw)
                sink.wait_for(heard + 5, PATIENCE)
                how()
                server.start()
            for mail in mails[40:]:
                dovecot.deliver("base-help@corp.example", mail.raw)
            desks[0].wait_until_quiet(STREAM, seconds=TAKEN_OVER)
            check_each_has_one_request_and_one_receipt(desks[0], sink, mails)
            assert [desk.stop() for desk in desks] == [0, 0]


def test_doors_of_two_daemons_take_mail_for_one_desk(postgres: Postgres, tmp_path: Path) -> None:
    """The same mail through both doors is one request; what is for one door only is one of its own."""
    mails, url, doors = employees(20), postgres.create(), [free_port(), free_port()]
    with Sink() as sink:
        common = mailbox("help@corp.example") + smtp(sink.port)
        configs = [f'{common}[listener]\nlmtp = "127.0.0.1:{door}"\n' for door in doors]
        with two(tmp_path, url, configs) as desks:
            for number, mail in enumerate(mails):
                for door in doors if number < 5 else [doors[number % 2]]:
                    with smtplib.LMTP("127.0.0.1", door) as lmtp:
                        lmtp.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
            desks[0].wait_until_quiet(25, seconds=TAKEN_OVER)
            assert desks[0].rows("SELECT fate, count(*) FROM arrival GROUP BY fate ORDER BY fate") == [
                ("duplicate", 5),
                ("opened", 20),
            ]
            assert {len(copies) for copies in receipts(sink, mails).values()} == {1}
            assert "Traceback" not in desks[0].said + desks[1].said
    postgres.drop(url)


def test_two_daemons_that_get_a_copy_each_of_a_mail_to_two_mailboxes_open_one_request(
    postgres: Postgres, tmp_path: Path
) -> None:
    """All at once, each copy through the door of another daemon."""
    url, doors = postgres.create(), {"help": free_port(), "hr": free_port()}
    mails = [
        letter("My laptop is broken, and where is my payslip?", sender=one, to="help@corp.example, hr@corp.example")
        for one in (f"person{number}@corp.example" for number in range(20))
    ]
    with Sink() as sink:
        common = mailbox("help@corp.example") + mailbox("hr@corp.example", department="hr") + smtp(sink.port)
        configs = [f'{common}[listener]\nlmtp = "127.0.0.1:{door}"\n' for door in doors.values()]
        with two(tmp_path, url, configs) as desks, ThreadPoolExecutor(2) as clients:
            list(clients.map(lambda to: _deliver(doors[to], f"{to}@corp.example", mails), doors))
            desks[0].wait_until_quiet(40, seconds=TAKEN_OVER)
            fates = "SELECT fate, reason, count(*) FROM arrival GROUP BY 1, 2 ORDER BY 1"
            assert desks[0].rows(fates) == [("duplicate", "other-mailbox", 20), ("opened", "new-request", 20)]
            assert desks[0].rows("SELECT count(*) FROM part WHERE department = 'payroll'") == [(20,)]
            assert {len(copies) for copies in receipts(sink, mails).values()} == {1}
            assert len(sink.taken) == 3 * len(mails)
    postgres.drop(url)


def _deliver(door: int, to: str, mails: Sequence[Letter]) -> None:
    with smtplib.LMTP("127.0.0.1", door) as lmtp:
        for mail in mails:
            lmtp.sendmail("anna@corp.example", [to], mail.raw)


def test_a_second_machine_without_the_key_is_refused_and_makes_none(postgres: Postgres, tmp_path: Path) -> None:
    url, out = postgres.create(), '[maildir]\npath = "out"\n'
    config = mailbox("help@corp.example") + f'{out}[listener]\nlmtp = "127.0.0.1:{free_port()}"\n'
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Sharing(tmp_path / "one" / "desk", config, url) as desk:
        desk.start()
        with Sharing(tmp_path / "two" / "desk", config, url) as other:
            said = other.deskbell("run")
            assert (said.returncode, "copy it from the machine of the first start" in said.stderr) == (2, True)
            assert not (tmp_path / "two" / "deskbell.key").exists()
    postgres.drop(url)
