"""The command line keeps what it promises to people and to scripts."""

import json
import re
import smtplib
from collections.abc import Iterator

import pytest
from typer.main import get_command

import cli
from tests.servers.installation import Installation, deskbell, free_port, mailbox
from tests.servers.letters import letter

pytestmark = pytest.mark.slow


def leaves(words: tuple[str, ...], command) -> Iterator[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield words
    for name, one in (inner or {}).items():
        yield from leaves((*words, name), one)


COMMANDS = list(leaves((), get_command(cli.app)))


def words_of(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that had one mail and is stopped."""
    port = free_port()
    config = mailbox("help@corp.example") + f'[listener]\nsmtp = "127.0.0.1:{port}"\n[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path_factory.mktemp("cli"), config) as desk:
        desk.start()
        mail = letter("The \x1b[31mred\x1b[0m \u202eprinter")
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
        desk.settled(mail.message_id)
        assert desk.stop() == 0
        yield desk


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]):
    """--help shows a line that can be typed."""
    done = deskbell(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"Example: .*deskbell {' '.join(words)}\b", done.stdout), done.stdout


def test_without_a_command_the_commands_are_shown():
    """Whoever types the bare name learns what there is; as nothing was done, it is a usage error."""
    done = deskbell()
    assert done.returncode == 2
    assert all(words[0] in done.stdout + done.stderr for words in COMMANDS)


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        (("requests", "list"), list, "R-1001"),
        (("requests", "show", "R-1001"), dict, "The printer on the third floor"),
        (("ledger", "list"), list, "send: own-person"),
        (("ledger", "show", "1"), dict, "<letter."),
        (("config", "show"), list, "mailbox[1].address"),
    ],
    ids=words_of,
)
def test_json_is_an_array_for_lists_and_an_object_for_show(
    desk: Installation, words: tuple[str, ...], kind: type, says: str
):
    """Each in ASCII, so that no terminal or pipe can spoil it, and alone on stdout; without --json it is a table.

    A table cannot command the terminal: what a stranger wrote has lost its escapes and its changes of direction.
    """
    done, table = desk.deskbell(*words, "--json"), desk.deskbell(*words)
    assert (done.returncode, done.stderr) == (table.returncode, table.stderr) == (0, "")
    assert done.stdout.isascii()
    assert type(json.loads(done.stdout)) is kind
    assert says.lower() in table.stdout.lower()
    assert not {"\x1b", "\u202e"} & set(table.stdout)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("requests", "show", "R-9999"), 1, "there is no request R-9999"),
        (("requests", "show", "1042"), 2, "'1042' is no reference"),
        (("ledger", "show", "999"), 1, "there is no arrival 999"),
        (("ledger", "list", "--fate", "lost"), 2, "'lost' is no fate: accepted are received, opened,"),
        (("ledger", "list", "--fate", ""), 2, "'' is no fate: accepted are received, opened,"),
        (("ledger", "list", "--mailbox", "hlep@corp.example"), 2, "is no mailbox: accepted are help@corp.example\n"),
        (("requests", "list", "--state", "lost"), 2, "'lost' is no state: accepted are new, answered, open"),
        (("requests", "list", "--department", "nowhere"), 2, "'nowhere' is no department: accepted are it, "),
        (("requests", "show", "R-1001", "--department", "nowhere"), 2, "'nowhere' is no department"),
        (("requests", "show", "R-1001", "--department", "hr"), 1, "R-1001 is of department it, not of hr"),
        (("requests", "search", "printer", "--department", "nowhere"), 2, "'nowhere' is no department"),
        (("outbox", "list", "--state", "lost"), 2, "'lost' is no state: accepted are due, sending,"),
        (("outbox", "list", "--department", "nowhere"), 2, "'nowhere' is no department"),
        (("rules", "list", "--department", "nowhere"), 2, "'nowhere' is no department: accepted are it, "),
        (("rules", "test", "--text", "toner", "--mailbox", "nobody@corp.example"), 2, "there are help@corp.example\n"),
        (("rules", "test", "--last", "1", "--sender", "anna@corp.example"), 2, "--subject or --text"),
        (("mode", "nobody@corp.example"), 2, "there are help@corp.example\n"),
        (("ledger", "reconcile", "nobody@corp.example"), 2, "accepted are help@corp.example\n"),
        (("ledger", "import", "--since", "2026-01-01", "x@corp.example"), 2, "accepted are help@corp.example\n"),
    ],
    ids=words_of,
)
def test_an_error_goes_to_stderr_with_its_exit_code(desk: Installation, words: tuple[str, ...], code: int, says: str):
    """1 is refused for a stated reason, 2 is usage; stdout stays empty, and there is no traceback."""
    done = desk.deskbell(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("requests", "list", "--department", "it", "--state", "new"), 1),
        (("requests", "list", "--department", "hr"), 0),
        (("requests", "search", "printer", "--department", "it"), 1),
        (("ledger", "list", "--mailbox", "help@corp.example", "--fate", "quarantined"), 0),
        (("ledger", "list", "--mailbox", "HELP@corp.example"), 1),
    ],
    ids=words_of,
)
def test_a_list_can_be_narrowed_down(desk: Installation, words: tuple[str, ...], count: int):
    """What is left out by a filter is not there; an empty list is an empty array."""
    assert len(desk.json(*words)) == count


def test_a_password_is_never_shown(tmp_path):
    """The command says where each setting comes from, and of a password only that."""
    config = '[[mailbox]]\naddress = "help@corp.example"\n[mailbox.imap]\nhost = "127.0.0.1"\ntls = "none"\n'
    config += 'user = "help"\npassword = "hunter2"\n[maildir]\npath = "outgoing"\n'
    with Installation(tmp_path, config) as desk:
        shown = desk.json("config", "show")
    rows = {row["key"]: row for row in shown}
    assert rows["mailbox[1].imap.password"]["origin"] == "file"
    assert rows["mailbox[1].imap.port"] == {"key": "mailbox[1].imap.port", "value": "143", "origin": "default"}
    assert "hunter2" not in str(shown)
