"""Passwords: where each source gets them, when it refuses, and that nothing shows them."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from service.secrets import CommandSecret, EnvironmentSecret, FileSecret, SecretError, WrittenSecret

PRINT = (sys.executable, "-c")


@pytest.fixture
def secret_file(tmp_path: Path):
    """A file of the given bytes and mode."""

    def write(content: bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "mail.password"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def test_no_secret_shows_its_password_when_printed() -> None:
    secrets = [WrittenSecret("hunter2"), EnvironmentSecret("PW", {"PW": "hunter2"}), CommandSecret(("pass", "hunter2"))]
    assert "hunter2" not in repr(secrets) + str(secrets) + "".join(one.source for one in secrets)


def test_an_environment_variable_is_read_again_at_each_use() -> None:
    environ = {"PW": "old"}
    secret = EnvironmentSecret("PW", environ)
    assert secret.reveal() == "old"
    environ["PW"] = "new"
    assert secret.reveal() == "new"


@pytest.mark.parametrize("environ", [{}, {"PW": ""}])
def test_an_unset_or_empty_variable_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SecretError, match="environment variable PW"):
        EnvironmentSecret("PW", environ).reveal()


def test_the_environment_is_that_of_this_process_unless_told_otherwise(monkeypatch) -> None:
    monkeypatch.setenv("DESKBELL_TEST_PASSWORD", "hunter2")
    assert EnvironmentSecret("DESKBELL_TEST_PASSWORD").reveal() == "hunter2"


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b" a b \n", " a b "),
        (b"a\n\n", "a\n"),
        ("zażółć\n".encode(), "zażółć"),
    ],
)
def test_a_file_gives_its_text_without_the_last_line_end(secret_file, content: bytes, password: str) -> None:
    assert FileSecret(secret_file(content)).reveal() == password


def test_a_file_is_read_again_at_each_use(secret_file) -> None:
    secret = FileSecret(secret_file(b"old"))
    assert secret.reveal() == "old"
    secret_file(b"new")
    assert secret.reveal() == "new"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o610])
def test_a_file_open_to_others_is_refused_with_the_command_that_mends_it(secret_file, mode: int) -> None:
    path = secret_file(b"hunter2", mode)
    with pytest.raises(SecretError, match=f"chmod 600 {path}") as caught:
        FileSecret(path).reveal()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_its_owner_alone_is_taken(secret_file, mode: int) -> None:
    assert FileSecret(secret_file(b"hunter2", mode)).reveal() == "hunter2"


def test_bytes_that_are_no_text_do_not_hang_on_the_refusal(secret_file) -> None:
    with pytest.raises(SecretError) as caught:
        FileSecret(secret_file(b"\xff")).reveal()
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"gone cannot be read: No such file"):
        FileSecret(tmp_path / "gone").reveal()


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"\n", "empty"), (b"\xff\xfehunter2", "not UTF-8")])
def test_a_file_without_a_usable_password_is_refused_without_showing_it(secret_file, content, words: str) -> None:
    with pytest.raises(SecretError, match=words) as caught:
        FileSecret(secret_file(content)).reveal()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("program", "password"),
    [
        ("print('hunter2')", "hunter2"),
        ("print('hunter2'); print('more')", "hunter2"),
        ("print('a b', end='')", "a b"),
        ("import sys; sys.stdout.buffer.write(b'hunter2\\r\\n')", "hunter2"),
    ],
)
def test_a_command_gives_its_first_line(program: str, password: str) -> None:
    assert CommandSecret((*PRINT, program)).reveal() == password


def test_a_command_gets_no_input() -> None:
    assert CommandSecret((*PRINT, "import sys; print(repr(sys.stdin.read()))")).reveal() == "''"


def test_no_shell_reads_a_command() -> None:
    assert CommandSecret(("echo", "$HOME; true")).reveal() == "$HOME; true"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((*PRINT, "print('hunter2'); raise SystemExit(3)"), "ended with status 3"),
        ((*PRINT, "pass"), "gave an empty password"),
        (("deskbell-has-no-such-program",), "cannot be run: No such file"),
        (("echo", "a\x00b"), "cannot be run: not a command"),
    ],
)
def test_a_command_that_fails_is_named_without_showing_what_it_printed(command, words: str) -> None:
    with pytest.raises(SecretError, match=words) as caught:
        CommandSecret(command).reveal()
    assert "hunter2" not in str(caught.value)


def test_a_command_that_takes_too_long_is_ended() -> None:
    secret = CommandSecret((*PRINT, "import time; time.sleep(600)"), patience=timedelta(milliseconds=50))
    with pytest.raises(SecretError, match=r"within 0\.05 seconds"):
        secret.reveal()


def test_a_command_has_ten_seconds() -> None:
    assert CommandSecret(("pass",)).patience == timedelta(seconds=10)
