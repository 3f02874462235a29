"""Watching over it: what an admin sees and changes beside a running daemon."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import HR, Office
from tests.servers.dovecot import until
from tests.servers.installation import PATIENCE, Installation, free_port, mailbox, smtp
from tests.servers.letters import letter
from tests.servers.sink import Sink

pytestmark = pytest.mark.slow

KEYS_OF_OUTBOX = [
    *("id", "kind", "recipient", "message_id", "aliases", "state", "phase", "attempts", "next_attempt", "last_reply"),
]


@pytest.mark.server
def test_every_mail_of_a_watched_folder_is_in_the_ledger(office: Office):
    """While the daemon runs; what lay there before it was watched is not counted."""
    office.put(letter())
    found = {one["mailbox"]: one for one in office.desk.json("ledger", "reconcile")}
    assert list(found) == ["help@corp.example", "hr@corp.example"]
    one = found["help@corp.example"]
    assert list(one) == ["mailbox", "folder", "on_server", "in_ledger", "fates", "missing", "surplus"]
    assert one["missing"] == []
    assert one["on_server"] >= 1
    assert sum(one["fates"].values()) == one["in_ledger"]


@pytest.mark.server
def test_a_mail_that_the_ledger_lost_is_found_missing_and_nothing_is_marked(office: Office, tmp_path: Path):
    """The exit code says so; the folder was opened read-only."""
    mail = letter()
    office.put(mail, user=HR)
    uid = office.desk.rows("SELECT max(uid) FROM arrival WHERE mailbox = 'hr@corp.example'")[0][0]
    office.wait_for_flag("$Deskbell", HR, uid)
    with office.dovecot.session(HR) as imap:
        imap.select("INBOX")
        imap.uid("STORE", str(uid), "-FLAGS", r"($Deskbell)")
    before = office.dovecot.flags(HR, uid)
    with Installation(tmp_path, office.desk.config.read_text()) as copy:
        database = office.desk.rows("VACUUM INTO ?", str(copy.database))
        assert database == []
        copy.change("UPDATE arrival SET uid = NULL WHERE mailbox = 'hr@corp.example' AND uid = ?", uid)
        done = copy.deskbell("ledger", "reconcile", "hr@corp.example", "--wait", "0", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["missing"] == [uid]
    assert done.stderr == "deskbell: 1 on the server are not in the ledger\n"
    assert office.dovecot.flags(HR, uid) == before


@pytest.mark.server
def test_a_server_that_is_away_is_told_and_is_no_success(office: Office, tmp_path: Path):
    """Nothing can be said about it, and 0 would say that all is well."""
    config = office.desk.config.read_text().replace(f"port = {office.dovecot.imap}", f"port = {free_port()}")
    with Installation(tmp_path, config) as copy:
        office.desk.rows("VACUUM INTO ?", str(copy.database))
        done = copy.deskbell("ledger", "reconcile", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, [])
    assert "help@corp.example INBOX: not compared: The mail server cannot be reached" in done.stderr


@pytest.fixture
def stranded(tmp_path: Path) -> Iterator[tuple[Installation, int, int]]:
    """A running deskbell with a door whose relay is away; the ports of both."""
    door, relay = free_port(), free_port()
    config = mailbox("help@corp.example") + f'[listener]\nsmtp = "127.0.0.1:{door}"\n' + smtp(relay)
    with Installation(tmp_path, config) as desk:
        desk.start()
        yield desk, door, relay


def send(port: int, *mails) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for mail in mails:
            client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)


def test_held_mail_waits_beside_a_running_daemon_until_it_is_released(stranded):
    """The notification goes out, the held receipt does not; released it follows within seconds."""
    desk, door, relay = stranded
    mail = letter()
    send(door, mail)
    desk.settled(mail.message_id)
    receipt = next(one for one in desk.json("outbox", "list") if one["kind"] == "receipt")
    assert list(receipt) == KEYS_OF_OUTBOX
    until(lambda: desk.deskbell("outbox", "hold", str(receipt["id"])).returncode == 0, seconds=PATIENCE)
    with Sink(port=relay) as sink:
        until(lambda: len(sink.taken) == 1, seconds=PATIENCE)
        assert sink.taken[0].recipients[0] == "it@corp.example"
        assert [one["id"] for one in desk.json("outbox", "list", "--state", "held")] == [receipt["id"]]
        done = desk.deskbell("outbox", "release", str(receipt["id"]))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"deskbell: released: {receipt['id']}\n")
        until(lambda: len(sink.taken) == 2, seconds=PATIENCE)
        desk.wait_until_quiet()
    assert {one["state"] for one in desk.json("outbox", "list")} == {"sent"}
    refused = desk.deskbell("outbox", "hold", str(receipt["id"]))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"deskbell: {receipt['id']} was sent already; nothing was changed\n"


def test_a_quarantined_mail_is_listed_shown_tried_again_and_dropped(stranded):
    """Beside a running daemon; its bytes come out as they came in."""
    desk, door, _ = stranded
    mail, other = letter("A strange one"), letter("Nonsense")
    send(door, mail, other)
    first, second = desk.settled(mail.message_id)[0]["id"], desk.settled(other.message_id)[0]["id"]
    desk.change("UPDATE arrival SET fate = 'quarantined', reason = 'failed 3 times', content_key = NULL")
    listed = desk.json("quarantine", "list")
    assert [(one["id"], one["reason"], one["subject"]) for one in listed] == [
        (first, "failed 3 times", "A strange one"),
        (second, "failed 3 times", "Nonsense"),
    ]
    assert desk.bytes_of("quarantine", "show", str(first), "--raw") == mail.raw
    assert f"deskbell quarantine show {first} --raw" in desk.deskbell("quarantine", "show", str(first)).stdout
    assert desk.deskbell("quarantine", "drop", str(second), "--reason", "spam").returncode == 0
    assert desk.deskbell("quarantine", "release", str(first)).returncode == 0
    until(lambda: desk.json("ledger", "show", str(first))["fate"] == "opened", seconds=PATIENCE)
    assert desk.json("quarantine", "list") == []
    assert desk.json("ledger", "show", str(second))["reason"] == "dropped"
