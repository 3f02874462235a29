"""`deskbell deliver` as an MTA runs it: beside the daemon, without it, and with everything wrong."""

from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.installation import PATIENCE, Installation, mailbox
from tests.servers.letters import letter

pytestmark = pytest.mark.slow

CONFIG = mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n[limits]\nmessage_octets = 20000\n'
ENVELOPE = ("--mailbox", "help@corp.example", "--sender", "anna@corp.example")


def test_a_mail_from_the_pipe_is_answered_by_the_running_daemon(tmp_path: Path):
    """It is in the database when the command has ended, and nothing is said on either stream."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        mail = letter()
        done = desk.deskbell("deliver", *ENVELOPE, stdin=b"From anna Mon Mar  2 12:00:00 2026\n" + mail.raw)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert desk.rows("SELECT count(*) FROM arrival")[0][0] == 1
        row = desk.settled(mail.message_id)[0]
        assert (row["fate"], row["receipt"]) == ("opened", "send: own-person")
        assert desk.json("ledger", "show", str(row["id"]))["source"] == "pipe"
        until((tmp_path / "outgoing" / "anna@corp.example" / "new").is_dir, seconds=PATIENCE)


def test_mail_that_is_delivered_while_no_daemon_runs_is_settled_by_the_next_start(tmp_path: Path):
    """The same mail again, because the MTA did not see the 0: it is a duplicate."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        assert desk.stop() == 0
        mail = letter()
        for _ in range(2):
            assert desk.deskbell("deliver", *ENVELOPE, stdin=mail.raw).returncode == 0
        desk.start()
        assert [one["fate"] for one in desk.settled(mail.message_id, times=2)] == ["opened", "duplicate"]


def test_deliveries_at_the_same_time_are_all_taken(tmp_path: Path):
    """Each waits for the others and for the daemon."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        mails = [letter(f"Matter {number}", sender=f"p{number}@corp.example") for number in range(8)]
        running = [desk.popen("deliver", *ENVELOPE) for _ in mails]
        for process, mail in zip(running, mails, strict=True):
            process.stdin.write(mail.raw)
            process.stdin.close()
        assert [process.wait(PATIENCE) for process in running] == [0] * len(mails)
        for mail in mails:
            assert desk.settled(mail.message_id)[0]["fate"] == "opened"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--mailbox", "nobody@corp.example"), "4.3.5 'nobody@corp.example' is no mailbox"),
        (("--mailbox",), "--mailbox"),
        ((), "--mailbox"),
        (("--mailbox", "help@corp.example", "--nonsense"), "--nonsense"),
        (("--mailbox", "help@corp.example", "--config", "nowhere.toml"), "4.3.5 "),
        (("--mailbox", "help@corp.example"), "4.3.5 "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_whatever_is_wrong_with_us_the_mta_keeps_the_mail(tmp_path: Path, words: tuple[str, ...], says: str):
    """75 for each: also for a command line that cannot be read, and for a database that is not there yet."""
    with Installation(tmp_path, CONFIG) as desk:
        done = desk.deskbell("deliver", *words, stdin=letter().raw)
    assert (done.returncode, done.stdout) == (75, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sender_that_looks_like_an_option_is_a_sender(tmp_path: Path):
    """A stranger chooses it: master.cf says --sender=${sender}."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        for sender in ("--sender=--config=x@corp.example", "--sender=-"):
            done = desk.deskbell("deliver", "--mailbox=help@corp.example", sender, stdin=letter().raw)
            assert (done.returncode, done.stderr) == (0, "")
        assert desk.rows("SELECT envelope_sender FROM arrival ORDER BY id") == [("--config=x@corp.example",), ("-",)]


def test_who_has_no_folder_to_compare_is_told_so(tmp_path: Path):
    """Nothing is missing where nothing is watched."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        done = desk.deskbell("ledger", "reconcile", "--json")
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr == "deskbell: no folder is watched: all mail comes by a door or a pipe\n"


def test_every_recipient_that_the_mta_names_is_served(tmp_path: Path):
    """Postfix repeats the argument that holds ${recipient}."""
    config = CONFIG + mailbox("hr@corp.example", department="hr")
    with Installation(tmp_path, config) as desk:
        desk.start()
        mail, names = letter(), ("--mailbox=help@corp.example", "--mailbox=hr@corp.example")
        assert desk.deskbell("deliver", *names, "--sender=anna@corp.example", stdin=mail.raw).returncode == 0
        assert [one["mailbox"] for one in desk.settled(mail.message_id, times=2)] == [
            *("help@corp.example", "hr@corp.example"),
        ]


def test_a_mail_too_large_is_returned_and_leaves_nothing(tmp_path: Path):
    """69, and a line that begins with the status code for the bounce."""
    with Installation(tmp_path, CONFIG) as desk:
        desk.start()
        done = desk.deskbell("deliver", *ENVELOPE, stdin=letter(text="x" * 70 + "\n" + "word " * 10_000).raw)
        assert (done.returncode, done.stderr[:6]) == (69, "5.3.4 ")
        assert desk.rows("SELECT count(*) FROM arrival") == [(0,)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not run: needs /dev/full")
def test_an_mta_that_does_not_listen_still_gets_the_code(tmp_path: Path):
    """The reason cannot be written; the code says what matters."""
    with Installation(tmp_path, CONFIG) as desk, Path("/dev/full").open("wb") as full:
        process = desk.popen("deliver", "--mailbox", "nobody@corp.example", stderr=full)
        process.stdin.close()
        assert process.wait(PATIENCE) == 75
