"""`deskbell doctor` and `deskbell health` as an admin meets them, with a real IMAP server and a relay that delivers."""

import itertools
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, free_port, mailbox, smtp
from tests.servers.postman import Postman, renamed, stripped, unchanged
from tests.servers.sink import Manner, Sink

pytestmark = [pytest.mark.server, pytest.mark.slow]
_numbers = itertools.count(1)
SECRET = "open sesame"


@pytest.fixture
def user():
    """A mailbox on the server that no other test uses."""
    return f"doctor-{next(_numbers)}"


@pytest.fixture
def desk(tmp_path):
    """Make an installation from the text of its config.toml; it is ended after the test."""
    made = []

    def make(config: str) -> Installation:
        tmp_path.chmod(0o700)
        made.append(Installation(tmp_path, config))
        return made[-1]

    yield make
    for one in made:
        one.__exit__(None, None, None)


def doctor(desk: Installation, *more: str, code: int | None = None) -> dict[str, dict]:
    """The rows of doctor by the name of their check, and the exit code as expected."""
    done = desk.deskbell("doctor", "--json", *more)
    rows = json.loads(done.stdout)
    assert done.stderr == ""
    assert done.returncode == (any(row["state"] == "bad" for row in rows) if code is None else code), done
    assert all(row.keys() == {"check", "state", "meaning", "next"} for row in rows)
    assert all(row["meaning"] for row in rows)
    assert all(row["next"] for row in rows if row["state"] in {"warn", "bad"})
    return {row["check"]: row for row in rows}


def bad(rows: dict[str, dict]) -> list[str]:
    return [name for name, row in rows.items() if row["state"] == "bad"]


def address(user: str) -> str:
    return f"{user}@corp.example"


def started_once(desk: Installation) -> None:
    """The installation has its key and its database, and its daemon is stopped."""
    desk.start()
    assert desk.stop() == 0


def test_a_running_desk_is_well_and_files_the_doctors_mail_as_its_own(desk, dovecot: Dovecot, user: str):
    """No request is opened, nobody is written to, and health agrees."""
    with Postman(dovecot) as relay:
        here = desk(mailbox(address(user), dovecot) + smtp(relay.port))
        here.start()
        rows = doctor(here, code=0)
        assert bad(rows) == []
        assert {rows[f"{check} {address(user)}"]["state"] for check in ("login", "round trip", "Message-ID")} == {"ok"}
        assert rows[f"clock {address(user)}"]["state"] == "ok"
        assert rows["daemon"]["meaning"].startswith("runs")
        here.wait_until_quiet(1)
        assert here.rows("SELECT fate, reason, receipt FROM arrival") == [("filed", "report", "never: automatic-mail")]
        assert here.rows("SELECT count(*) FROM request") == [(0,)]
        assert here.rows("SELECT count(*) FROM outbox") == [(0,)]
        assert len(relay.taken) == 1
        health = here.deskbell("health")
        assert (health.returncode, health.stderr) == (0, "")


def test_a_relay_that_renames_mail_is_a_warning_and_its_mail_is_still_filed(desk, dovecot: Dovecot, user: str):
    with Postman(dovecot, renamed) as relay:
        here = desk(mailbox(address(user), dovecot) + smtp(relay.port))
        here.start()
        rows = doctor(here, code=0)
        assert rows[f"Message-ID {address(user)}"]["state"] == "warn"
        here.wait_until_quiet(1)
        assert here.rows("SELECT fate FROM arrival") == [("filed",)]


@pytest.mark.parametrize(("change", "lost"), [(unchanged, True), (stripped, False)], ids=["lost", "stripped"])
def test_a_mail_that_cannot_be_found_again_is_bad(desk, dovecot: Dovecot, user: str, change, lost):
    with Postman(dovecot, change, lost=lost) as relay:
        here = desk(mailbox(address(user), dovecot) + smtp(relay.port))
        started_once(here)
        rows = doctor(here, "--wait", "1", code=1)
        assert bad(rows) == [f"round trip {address(user)}"]
        assert "within 1 seconds" in rows[f"round trip {address(user)}"]["meaning"]


def test_doctor_changes_nothing_before_the_first_start(desk, dovecot: Dovecot, user: str, tmp_path: Path):
    """No database, no key, no floor; what could not be looked at says so."""
    with Postman(dovecot) as relay:
        here = desk(mailbox(address(user), dovecot) + smtp(relay.port))
        rows = doctor(here, code=0)
        assert {rows[check]["state"] for check in ("key", "database", "round trip")} == {"skipped"}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]
        assert relay.taken == []


def test_no_send_sends_nothing_and_send_to_sends_one_more(desk, dovecot: Dovecot, user: str):
    with Postman(dovecot) as relay:
        here = desk(mailbox(address(user), dovecot) + smtp(relay.port))
        started_once(here)
        assert doctor(here, "--no-send")["round trip"]["state"] == "skipped"
        assert relay.taken == []
        rows = doctor(here, "--send-to", f"boss-{user}@corp.example")
        assert rows[f"mail to boss-{user}@corp.example"]["state"] == "ok"
        assert [one.recipients[0] for one in relay.taken] == [address(user), f"boss-{user}@corp.example"]


@pytest.mark.parametrize("options", [("--send-to", "nobody"), ("--send-to", "a@b.example", "--no-send")])
def test_options_that_cannot_be_meant_are_a_usage_error(desk, options):
    done = desk(mailbox("help@corp.example")).deskbell("doctor", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--send-to takes one address" in done.stderr


def test_every_account_in_trouble_is_named_and_no_other_check_is_stopped_by_it(desk, dovecot: Dovecot, user: str):
    """A wrong password, a closed port, a wrong kind of TLS, an unknown authority, a folder that is not there."""
    closed = free_port()
    config = mailbox("password@corp.example", dovecot, password="wrong")
    config += mailbox("closed@corp.example", dovecot).replace(f"port = {dovecot.imap}", f"port = {closed}")
    config += mailbox("plain@corp.example", dovecot, tls="tls").replace(f"{dovecot.imaps}", f"{dovecot.imap}")
    config += mailbox("authority@corp.example", dovecot, tls="tls").partition("ca_file")[0]
    config += mailbox(address(user), dovecot) + 'folders = ["INBOX", "Nowhere"]\n'
    rows = doctor(desk(config + smtp(closed)), "--no-send", code=1)
    troubled = [f"login {one}@corp.example" for one in ("password", "closed", "plain", "authority")]
    assert bad(rows) == [*troubled, f"folder {address(user)} Nowhere", "relay"]
    assert rows[f"login {address(user)}"]["state"] == "ok"
    assert "user and password" in rows[troubled[0]]["next"]
    assert "right place" in rows[troubled[1]]["next"]
    assert "ca_file" in rows[troubled[3]]["next"]
    assert rows["templates"]["state"] == "ok"


def test_a_password_that_cannot_be_had_is_named_by_its_source(desk, dovecot: Dovecot, user: str, tmp_path: Path):
    password = tmp_path / "password"
    config = mailbox(address(user), dovecot).replace('password = "x"', 'password_file = "password"')
    here = desk(config + '[maildir]\npath = "out"\n')
    assert f"{password} cannot be read" in doctor(here, code=1)[f"login {address(user)}"]["meaning"]
    password.write_text("x")
    password.chmod(0o644)
    assert f"chmod 600 {password}" in doctor(here, code=1)[f"login {address(user)}"]["meaning"]
    password.chmod(0o600)
    assert bad(doctor(here)) == []


def test_a_relay_that_refuses_login_sender_or_certificate_is_told_apart(desk, dovecot: Dovecot, user: str):
    config = mailbox(address(user), dovecot)
    account = f'user = "desk"\npassword = "{SECRET}"\n'
    with Sink(manner=Manner(account=("desk", "another"))) as login, Sink(["m550 not you"]) as sender:
        with Sink(manner=Manner(tls="tls")) as strange:
            rows = doctor(desk(config + smtp(login.port) + account), "--no-send", code=1)
            assert "at auth" in rows["relay"]["meaning"]
            assert "smtp.user" in rows["relay"]["next"]
            rows = doctor(desk(config + smtp(sender.port)), "--no-send", code=1)
            assert "550 not you" in rows[f"send as {address(user)}"]["meaning"]
            tls = smtp(strange.port).replace('"none"', '"tls"').replace("127.0.0.1", "localhost")
            assert "ca_file" in doctor(desk(config + tls), "--no-send", code=1)["relay"]["next"]
        assert login.taken == sender.taken == []


def test_a_password_never_shows(desk, dovecot: Dovecot):
    config = mailbox("help@corp.example", dovecot, password=SECRET)
    config += smtp(free_port()) + f'user = "desk"\npassword = "{SECRET}"\n'
    done = desk(config).deskbell("doctor", "--no-send")
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr


def test_a_broken_configuration_is_one_bad_row_for_each_mistake(desk):
    done = desk("colour = 1\nown_domains = 3\n").deskbell("doctor", "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 1
    assert {(row["check"], row["state"]) for row in rows} == {("config", "bad")}
    assert len(rows) > 2


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path, desk):
    done = desk("").deskbell("doctor", "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 1
    assert "none.toml: cannot be read" in done.stdout


def damaged(path: Path) -> None:
    """A page in the middle of the database is overwritten."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)


def newer(path: Path) -> None:
    """The schema is of a version to come."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("harm", "check", "words"),
    [
        (lambda here: (here.folder / "deskbell.key").unlink(), "key", "cannot be read"),
        (lambda here: (here.folder / "deskbell.key").chmod(0o644), "key", "chmod 600"),
        (lambda here: (here.folder / "deskbell.key").write_text("a " + "A" * 43 + "=\n"), "key", "not the key"),
        (lambda here: damaged(here.database), "database", "damaged"),
        (lambda here: here.database.write_text("no database " * 1000), "database", "is no usable database"),
        (
            lambda here: newer(here.database),
            "database",
            "newer than this program's",
        ),
        (lambda here: (here.folder / "routing.toml").write_text('default = "no"'), "routing", "routing.toml: "),
    ],
    ids=["no key", "open key", "other key", "damaged", "no database", "newer schema", "routing"],
)
def test_an_installation_that_was_harmed_is_bad_where_it_was_harmed(desk, harm, check, words):
    config = mailbox("help@corp.example") + f'[listener]\nlmtp = "127.0.0.1:{free_port()}"\n'
    here = desk(config + '[maildir]\npath = "out"\n')
    started_once(here)
    assert bad(doctor(here)) == []
    harm(here)
    rows = doctor(here, code=1)
    follows = {"routing", "calendars"}
    assert set(bad(rows)) <= {check} | follows, "one fault is told once; only routing, which is kept there, follows"
    assert rows[check]["state"] == "bad"
    assert words in rows[check]["meaning"]


def test_health_names_a_folder_that_cannot_be_looked_at_and_says_why(desk, dovecot: Dovecot, user: str):
    here = desk(mailbox(address(user), dovecot, password="wrong") + '[maildir]\npath = "out"\n')
    here.launch()

    def told() -> bool:
        done = here.deskbell("health", "--json")
        rows = {row["check"]: row for row in json.loads(done.stdout)} if done.stdout else {}
        row = rows.get(f"{address(user)} INBOX", {"meaning": ""})
        return done.returncode == 1 and "refused the user name" in row["meaning"]

    until(told, seconds=PATIENCE)


def test_health_without_a_database_says_how_one_comes_about(desk):
    here = desk(mailbox("help@corp.example") + '[maildir]\npath = "out"\n')
    done = here.deskbell("health")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no database yet" in done.stderr
