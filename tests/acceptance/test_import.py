"""`deskbell ledger import` against a real server: only what is old enough and not too old, once, and untouched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, mailbox
from tests.servers.letters import letter

pytestmark = [pytest.mark.server, pytest.mark.slow]

USER = "import-help"
NOW = datetime.now(UTC)


def day(before: int) -> str:
    return f"{NOW - timedelta(days=before):%Y-%m-%d}"


def test_old_mail_becomes_history_and_a_reply_to_it_threads(dovecot: Dovecot, tmp_path: Path):
    """Of three old mails two are young enough; again they are not taken in again; new mail is not touched by it."""
    ancient, older, old = (letter(f"From {days} days ago") for days in (40, 20, 10))
    for mail, days in ((ancient, 40), (older, 20), (old, 10)):
        dovecot.append(USER, mail.raw, date=NOW - timedelta(days=days))
    config = mailbox("help@corp.example", dovecot, user=USER) + '[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path, config) as desk:
        early = desk.deskbell("ledger", "import", "--since", day(30))
        assert (early.returncode, early.stdout) == (2, "")
        desk.start()
        dovecot.deliver(f"{USER}@corp.example", letter("New").raw)
        until(lambda: len(desk.json("ledger", "list", "--fate", "opened")) == 1, seconds=PATIENCE)
        counts = {"mailbox": "help@corp.example", "folder": "INBOX", "found": 2}
        assert desk.json("ledger", "import", "help@corp.example", "--since", day(30)) == [counts | {"taken": 2}]
        until(lambda: len(desk.json("ledger", "list", "--fate", "backfilled")) == 2, seconds=PATIENCE)
        assert desk.json("ledger", "import", "--since", day(30)) == [counts | {"taken": 0}]
        reply = letter("Re: From 10 days ago", fields={"In-Reply-To": old.message_id})
        dovecot.deliver(f"{USER}@corp.example", reply.raw)
        row = desk.settled(reply.message_id)[0]
        assert (row["fate"], row["request_number"]) == ("appended", desk.settled(old.message_id)[0]["request_number"])
        assert desk.rows("SELECT count(*) FROM outbox WHERE kind = 'receipt'") == [(1,)]
        assert [one["missing"] for one in desk.json("ledger", "reconcile")] == [[]]
        assert desk.rows("SELECT count(*) FROM arrival WHERE message_id = ?", ancient.message_id) == [(0,)]
    assert dovecot.flags(USER, 2) == dovecot.flags(USER, 3) == frozenset()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--since"),
        (("--since", "last week"), "last week"),
        (("--since", "2026-01-01", "nobody@corp.example"), "'nobody@corp.example' is no mailbox"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, words: tuple[str, ...], says: str):
    """And nothing is asked of any server."""
    with Installation(tmp_path, mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n') as desk:
        done = desk.deskbell("ledger", "import", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
