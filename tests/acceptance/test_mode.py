"""Modes and the brake from the command line, while deskbell runs and while it does not."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.servers.installation import Installation, free_port, mailbox
from tests.servers.letters import letter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running deskbell with a door and an admin; help@ begins in mode full."""
    port = free_port()
    config = 'admins = ["admin@corp.example"]\n' + mailbox("help@corp.example") + mailbox("hr@corp.example")
    config += f'[listener]\nsmtp = "127.0.0.1:{port}"\n[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path_factory.mktemp("mode"), config) as desk:
        desk.start()
        desk.port = port  # type: ignore[attr-defined]
        yield desk


def put(desk: Installation) -> str:
    """A mail came in and was settled: what was decided about its receipt."""
    mail = letter()
    with smtplib.SMTP("127.0.0.1", desk.port) as client:  # type: ignore[attr-defined]
        client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
    return str(desk.settled(mail.message_id)[0]["receipt"])


def test_a_running_deskbell_obeys_at_the_next_mail_and_the_list_says_who_gave_the_mode(desk: Installation):
    before = desk.json("mode")
    assert [(one["mailbox"], one["mode"], one["author"]) for one in before] == [
        ("help@corp.example", "full", None),
        ("hr@corp.example", "full", None),
    ]
    assert put(desk) == "send: own-person"
    (given,) = desk.json("mode", "HELP@corp.example", "observe")
    assert (given["mode"], given["configured"]) == ("observe", "full")
    assert given["author"]
    assert datetime.fromisoformat(given["changed"]) <= datetime.now(UTC)
    assert put(desk) == "never: mailbox-observes"
    desk.deskbell("mode", "help@corp.example", "receipts")
    assert put(desk) == "send: own-person"
    assert [one["mode"] for one in desk.json("mode")] == ["receipts", "full"]
    shown = desk.deskbell("mode", "help@corp.example").stdout
    assert "receipts" in shown
    assert "hr@" not in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("elsewhere@corp.example", "full"), "is no mailbox of the configuration: there are help@corp.example, hr@"),
        (("help@corp.example", "loud"), "'loud' is no mode: accepted are observe, receipts, full"),
    ],
)
def test_a_wrong_mailbox_or_mode_is_refused_and_changes_nothing(desk: Installation, words: tuple[str, ...], says: str):
    before = desk.json("mode")
    done = desk.deskbell("mode", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert desk.json("mode") == before


def test_without_a_database_a_mode_cannot_be_given(tmp_path):
    config = mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path, config) as desk:
        done = desk.deskbell("mode", "help@corp.example", "observe")
    assert done.returncode == 2
    assert "there is no database yet" in done.stderr
    assert not (tmp_path / "deskbell.db").exists()


def test_held_receipts_are_counted_and_released(desk: Installation):
    """Nothing is held in an office without an outage."""
    assert desk.json("brake", "status") == {"held": 0}
    assert desk.deskbell("brake", "status").stdout == "nothing is held\n"
    assert desk.json("brake", "release") == {"released": 0}


def test_an_admin_who_is_a_mailbox_is_refused(tmp_path):
    config = 'admins = ["Help@corp.example"]\n' + mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path, config) as desk:
        done = desk.deskbell("mode")
    assert done.returncode == 2
    assert "admins" in done.stderr
    assert "addresses that are no mailbox of deskbell" in done.stderr
