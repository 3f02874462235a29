"""`deskbell init` as a new admin types it, with a real IMAP server and a relay that delivers."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.installation import Installation, deskbell, free_port
from tests.servers.letters import letter
from tests.servers.postman import Postman

pytestmark = [pytest.mark.server, pytest.mark.slow]
_numbers = itertools.count(1)


@pytest.fixture
def user():
    """A mailbox on the server that no other test uses."""
    return f"init-{next(_numbers)}"


@pytest.fixture
def relay(dovecot: Dovecot):
    """A relay that delivers to the mailboxes."""
    with Postman(dovecot) as relay:
        yield relay


@pytest.fixture
def answers(tmp_path: Path, dovecot: Dovecot, user: str, relay: Postman):
    """Write answers.toml for one mailbox; its path."""

    def write(*, password: str = PASSWORD, port: int = relay.port) -> str:
        path = tmp_path / "answers.toml"
        path.write_text(
            f'[imap]\nhost = "127.0.0.1"\nport = {dovecot.imaps}\nca_file = "{dovecot.ca_file}"\n'
            f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nlogin = false\n'
            f'[[mailbox]]\naddress = "{user}@corp.example"\npassword = "{password}"\n'
        )
        return str(path)

    return write


def init(folder: Path, *more: str, said: str = ""):
    return deskbell("init", "--folder", str(folder), *more, stdin=said.encode())


def existing(folder: Path) -> Installation:
    """The installation that init made, as it stands."""
    config = (folder / "config.toml").read_text()
    return Installation(folder, config)


def floors(folder: Path) -> list[tuple]:
    with closing(sqlite3.connect(folder / "deskbell.db")) as database:
        return database.execute("SELECT mailbox, name, floor_uid FROM folder").fetchall()


def test_from_answers_to_a_running_desk_that_doctor_finds_well(tmp_path, dovecot, user, relay, answers):
    """What lay in the folder is left alone; what comes after init is served, though run was not started yet."""
    folder, address = tmp_path / "desk", f"{user}@corp.example"
    dovecot.deliver(address, letter("Before").raw)
    done = init(folder, "--from", answers())
    assert (done.returncode, done.stdout) == (0, ""), done
    assert f"written: {folder / 'config.toml'}" in done.stderr
    assert floors(folder) == [(address, "INBOX", 1)]
    assert dovecot.flags(user, 1) == frozenset()
    after = letter("After")
    dovecot.deliver(address, after.raw)
    with existing(folder) as desk:
        desk.start()
        assert desk.settled(after.message_id)[0]["receipt"] == "never: mailbox-observes"
        doctor = desk.deskbell("doctor")
        assert doctor.returncode == 0, doctor.stdout
        assert "bad " not in doctor.stdout
        desk.wait_until_quiet(2)
        assert desk.rows("SELECT fate FROM arrival ORDER BY id") == [("opened",), ("filed",)]
        assert len(relay.taken) == 1


@pytest.mark.parametrize("trouble", ["password", "relay"])
def test_where_a_server_does_not_do_what_it_must_nothing_is_written(tmp_path, answers, trouble):
    folder = tmp_path / "desk"
    file = answers(password="wrong") if trouble == "password" else answers(port=free_port())
    done = init(folder, "--from", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert "bad  " in done.stderr
    assert "nothing was written" in done.stderr
    assert not folder.exists()


def test_unchecked_asks_no_server_and_records_no_floor(tmp_path, answers):
    folder = tmp_path / "desk"
    assert init(folder, "--from", answers(password="wrong"), "--unchecked").returncode == 0
    assert floors(folder) == []


def test_a_second_init_is_refused_and_changes_nothing(tmp_path, answers):
    folder, file = tmp_path / "desk", answers()
    init(folder, "--from", file, "--unchecked")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = init(folder, "--from", file, "--unchecked")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{folder / 'config.toml'}" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--provider", "aol"), "'aol' is no provider: accepted are m365, google, generic"),
        (("--unchecked",), "--unchecked goes with --from"),
        (("--from", "none.toml"), "none.toml: cannot be read"),
    ],
)
def test_wrong_usage_is_one_sentence_and_nothing_is_written(tmp_path, options, words):
    done = init(tmp_path / "desk", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (tmp_path / "desk").exists()


@pytest.mark.parametrize(
    ("provider", "command"),
    [
        ("m365", "Add-MailboxPermission -Identity {address} -User $object -AccessRights FullAccess"),
        ("google", "#    {address}"),
        ("generic", "#   {address} {address}"),
    ],
)
def test_a_provider_is_told_what_to_type_even_where_something_is_lacking(tmp_path, user, answers, provider, command):
    done = init(tmp_path / "desk", "--from", answers(), "--provider", provider, "--unchecked")
    assert command.format(address=f"{user}@corp.example") in done.stdout
    assert done.returncode == (2 if provider == "m365" else 0)
    assert ("oauth: is missing" in done.stderr) is (provider == "m365")


def test_questions_lead_to_the_same_and_a_wrong_answer_is_asked_again(tmp_path, dovecot, user, relay):
    """A bad address, a closed port, the authority of the server, a wrong password, a department that would loop."""
    folder, address = tmp_path / "desk", f"{user}@corp.example"
    lines = [
        *("nobody", address),
        *(f"127.0.0.1:{free_port()}", f"127.0.0.1:{dovecot.imaps}", "nowhere.pem", f"{dovecot.ca_file}"),
        *("", "wrong", "", PASSWORD),
        *("sales", "it"),
        "",
        *(f"127.0.0.1:{relay.port}", "maybe", "n"),
        *(address, "it-team@corp.example", "", "", ""),
        *(address, "boss@corp.example"),
        *("XX", "pl"),
    ]
    done = init(folder, said="\n".join([*lines, ""]))
    assert done.returncode == 0, done.stderr
    for words in ("accepted: one bare address", "refused the user name", "logged in; the server offers IDLE"):
        assert words in done.stderr
    assert (folder / f"{address}.password").read_text() == f"{PASSWORD}\n"
    assert 'mode = "observe"' in (folder / "config.toml").read_text()
    assert 'admins = ["boss@corp.example"]' in (folder / "config.toml").read_text()
    assert 'address = "it-team@corp.example"' in (folder / "routing.toml").read_text()
    assert floors(folder) == [(address, "INBOX", 0)]
    assert deskbell("config", "show", "--config", str(folder / "config.toml")).returncode == 0


def test_microsoft_shows_what_to_type_and_lets_one_come_back(tmp_path, user):
    done = init(tmp_path / "desk", "--provider", "m365", said=f"{user}@corp.example\n\n")
    assert done.returncode == 1
    assert f"Set-CASMailbox -Identity {user}@corp.example -ImapEnabled $true" in done.stdout
    assert "do the above, then run deskbell init again" in done.stderr
    assert not (tmp_path / "desk").exists()


def test_questions_that_end_early_leave_nothing(tmp_path, user):
    done = init(tmp_path / "desk", said=f"{user}@corp.example\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the questions ended too early: nothing was written" in done.stderr
    assert not (tmp_path / "desk").exists()


def test_the_same_wrong_answer_is_not_asked_for_ever(tmp_path):
    done = init(tmp_path / "desk", said="nobody\n" * 20)
    assert done.returncode == 1
    assert done.stderr.count("accepted: one bare address") == 5
