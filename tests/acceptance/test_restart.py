"""Whatever ends and comes back, in whatever moment: no mail is lost, and nothing is done twice that need not be."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, free_port, mailbox, smtp
from tests.servers.letters import Letter, letter, read
from tests.servers.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.slow]

HOLD = 60.0
"""Seconds after which a mail that was perhaps sent goes out again, and some more."""
STREAM = 30


@pytest.fixture
def server(dovecot: Dovecot) -> Iterator[Dovecot]:
    """A server of one's own, that can be stopped."""
    del dovecot  # where it cannot run, neither can this one
    with Dovecot() as mine:
        yield mine


def employees(count: int) -> list[Letter]:
    """One mail each of so many colleagues."""
    return [letter(f"Matter {number}", sender=f"person{number}@corp.example") for number in range(count)]


def receipts(sink: Sink, mails: Sequence[Letter]) -> list[list[bytes]]:
    """For each mail the receipts that were taken."""
    ids = {mail.message_id: [] for mail in mails}
    for one in list(sink.taken):
        if one.recipients[0].startswith("person"):
            ids[read(one.content)["In-Reply-To"]].append(one.content)
    return list(ids.values())


def fates(desk: Installation, mails: Sequence[Letter]) -> Counter[tuple[str, str]]:
    """Message-ID and fate of each arrival, counted."""
    ids = {mail.message_id for mail in mails}
    return Counter(row for row in desk.rows("SELECT message_id, fate FROM arrival") if row[0] in ids)


def count(desk: Installation, table: str, condition: str = "1") -> int:
    return desk.rows(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]


def test_no_mail_is_lost_or_opened_twice_when_the_daemon_is_killed_in_the_middle(dovecot: Dovecot, tmp_path: Path):
    """SIGKILL in five moments of a stream of 30: each mail has one request and at least one receipt.

    Twice while mail comes in, three times while receipts go out. A second receipt is only possible where the first was
    perhaps not taken; then it is the same mail octet by octet.
    """
    mails, port, chance = employees(STREAM), free_port(), random.Random()
    config = mailbox("help@corp.example", dovecot, user="restart-help") + smtp(port)
    with Installation(tmp_path, config) as desk:
        desk.start()
        for mail in mails:
            dovecot.deliver("restart-help@corp.example", mail.raw)
        rows, settled = chance.randint(1, STREAM), chance.randint(1, STREAM)
        kill_once(desk, lambda: count(desk, "arrival") >= rows)
        kill_once(desk, lambda: count(desk, "arrival", "fate != 'received'") >= settled)
        until(lambda: count(desk, "arrival", "fate = 'opened'") == STREAM, seconds=PATIENCE)
        desk.kill()
        with Sink(port=port) as sink:
            desk.launch()
            for _ in range(2):
                heard = len(sink.commands) + chance.randint(1, 60)
                kill_once(desk, lambda heard=heard: len(sink.commands) >= heard)
            kill_once(desk, lambda: count(desk, "outbox", "phase = 'dot'") > 0)
            desk.wait_until_quiet(STREAM, seconds=HOLD)
            assert fates(desk, mails) == {(mail.message_id, "opened"): 1 for mail in mails}
            assert count(desk, "request") == STREAM
            for copies in receipts(sink, mails):
                assert 1 <= len(copies) <= 4
                assert len(set(copies)) == 1


def kill_once(desk: Installation, reached: Callable[[], bool]) -> None:
    """The daemon was killed in that moment and started again."""
    until(reached, seconds=PATIENCE)
    desk.kill()
    desk.launch()


def test_a_stopped_daemon_leaves_nothing_half_done(dovecot: Dovecot, tmp_path: Path):
    """SIGTERM in the middle of a stream: it ends in time with 0, holds no mail back, and the rest follows once."""
    mails = employees(10)
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="stop-help") + smtp(sink.port)
        with Installation(tmp_path, config) as desk:
            desk.start()
            for mail in mails:
                dovecot.deliver("stop-help@corp.example", mail.raw)
            sink.wait_for(1, PATIENCE)
            assert desk.stop() == 0
            assert "Traceback" not in desk.said
            assert desk.rows("SELECT count(*) FROM outbox WHERE phase IS NOT NULL AND settled IS NULL") == [(0,)]
            desk.start()
            desk.wait_until_quiet(len(mails), seconds=HOLD)
            assert [len(copies) for copies in receipts(sink, mails)] == [1] * len(mails)
            assert fates(desk, mails) == {(mail.message_id, "opened"): 1 for mail in mails}


def test_a_restart_alone_sends_and_opens_nothing(dovecot: Dovecot, tmp_path: Path):
    """What was settled stays settled."""
    (mail,) = employees(1)
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user="again-help") + smtp(sink.port)
        with Installation(tmp_path, config) as desk:
            desk.start()
            dovecot.deliver("again-help@corp.example", mail.raw)
            until(lambda: desk.rows("SELECT effect FROM arrival") == [("done",)])
            desk.wait_until_quiet(1)
            for end in (desk.stop, desk.kill):
                end()
                desk.start()
            second = letter()
            dovecot.deliver("again-help@corp.example", second.raw)
            desk.settled(second.message_id)
            desk.wait_until_quiet(2)
            assert len(sink.taken) == 4


def test_receipts_wait_for_a_relay_that_is_down_at_the_start(dovecot: Dovecot, tmp_path: Path):
    """The mail is stored and marked meanwhile; when the relay comes, each letter goes out once."""
    (mail,) = employees(1)
    port = free_port()
    config = mailbox("help@corp.example", dovecot, user="relay-help") + smtp(port)
    with Installation(tmp_path, config) as desk:
        desk.start()
        dovecot.deliver("relay-help@corp.example", mail.raw)
        until(lambda: desk.rows("SELECT fate, effect FROM arrival") == [("opened", "done")], seconds=PATIENCE)
        until(lambda: desk.rows("SELECT max(attempts) FROM outbox")[0][0] > 0, seconds=PATIENCE)
        with Sink(port=port) as sink:
            sink.wait_for(2, HOLD)
            desk.wait_until_quiet(1)
            assert len(receipts(sink, [mail])[0]) == 1


def test_mail_that_came_while_the_mail_server_was_away_is_served(server: Dovecot, tmp_path: Path):
    """The daemon stays up, comes back by itself and finds by UID what it missed."""
    before, meanwhile, after = employees(3)
    with Sink() as sink:
        config = mailbox("help@corp.example", server, user="help") + smtp(sink.port)
        with Installation(tmp_path, config) as desk:
            desk.start()
            server.deliver("help@corp.example", before.raw)
            desk.settled(before.message_id)
            server.stop()
            put_into_maildir(server.root / "mail" / "help", meanwhile.raw)
            server.start()
            desk.settled(meanwhile.message_id)
            server.kick()
            server.deliver("help@corp.example", after.raw)
            desk.settled(after.message_id)
            desk.wait_until_quiet(3)
            assert [len(copies) for copies in receipts(sink, [before, meanwhile, after])] == [1, 1, 1]
            assert desk.stop() == 0


def put_into_maildir(maildir: Path, raw: bytes) -> None:
    """The mail lies in the folder as if another program had delivered it."""
    path = maildir / "new" / "1.delivered.meanwhile"
    path.write_bytes(raw)
    shutil.chown(path, maildir.owner(), maildir.group())


def test_the_mail_server_may_be_away_at_the_start(dovecot: Dovecot, tmp_path: Path):
    """The daemon waits for it, and says `ready` only when the folder is open."""
    del dovecot  # where it cannot run, neither can the one below
    server = Dovecot()
    with Installation(tmp_path, mailbox("help@corp.example", server) + smtp(free_port())) as desk:
        desk.launch()
        desk.wait_for("help@corp.example INBOX: ")
        assert "ready" not in desk.said.splitlines()
        with server:
            desk.wait_for("\nready\n")
            desk.kill()
