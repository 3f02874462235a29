"""The private environment of a checkout: when it is left alone, and what is said where it cannot be made."""

import ast
import sys
from pathlib import Path

import pytest

from service import bootstrap
from service.bootstrap import SetupError, fingerprint, ready_environment, ready_packages, suitable_python

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose .venv holds this Python."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


@pytest.fixture
def installs(monkeypatch) -> list[list[str]]:
    """The installations that are asked for; none is done."""
    asked: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_run", lambda command, _otherwise: asked.append([str(word) for word in command]))
    return asked


def stamped(checkout: Path, words: str) -> None:
    (checkout / ".venv" / "deskbell.stamp").write_text(words)


def test_an_environment_with_the_right_stamp_is_left_alone(checkout: Path, installs: list[list[str]]) -> None:
    stamped(checkout, f"{fingerprint(checkout)} test\n")
    assert ready_environment(checkout, "test") == checkout / ".venv" / "bin" / "python"
    assert ready_environment(checkout) == checkout / ".venv" / "bin" / "python"
    assert installs == []


@pytest.mark.parametrize("stamp", ["", "0000 test\n"])
def test_without_the_right_stamp_it_is_installed_and_stamped(checkout: Path, installs, stamp: str) -> None:
    stamped(checkout, stamp)
    ready_environment(checkout, "test")
    assert [command[-2:] for command in installs] == [["--editable", f"{checkout}[test]"]]
    assert (checkout / ".venv" / "deskbell.stamp").read_text() == f"{fingerprint(checkout)} test\n"


def test_an_extra_that_is_not_there_yet_is_added(checkout: Path, installs: list[list[str]]) -> None:
    stamped(checkout, f"{fingerprint(checkout)}\n")
    ready_environment(checkout, "test")
    assert installs[0][-1] == f"{checkout}[test]"


def test_no_stamp_is_left_by_an_installation_that_failed(checkout: Path, monkeypatch) -> None:
    def fail(_command, otherwise: str) -> None:
        raise SetupError(otherwise)

    monkeypatch.setattr(bootstrap, "_run", fail)
    with pytest.raises(SetupError, match="is there a network"):
        ready_environment(checkout, "test")
    assert not (checkout / ".venv" / "deskbell.stamp").exists()


def test_a_checkout_that_cannot_be_written_is_named_before_anything_is_tried(
    checkout: Path, installs, monkeypatch
) -> None:
    monkeypatch.setattr(bootstrap.os, "access", lambda _path, _mode: False)
    with pytest.raises(SetupError, match="cannot be written: use a checkout of your own"):
        ready_environment(checkout)
    assert installs == []


@pytest.mark.parametrize(("knows_ensurepip", "without"), [("exit 0", []), ("exit 1", ["--without-pip"])])
def test_where_python_brings_no_pip_the_environment_is_made_without(
    tmp_path: Path, installs: list[list[str]], monkeypatch, knows_ensurepip: str, without: list[str]
) -> None:
    base = tmp_path / "python3"
    base.write_text(f"#!/bin/sh\n{knows_ensurepip}\n")
    base.chmod(0o755)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    bootstrap._make(tmp_path / ".venv" / "bin" / "python", str(base))
    assert installs == [[str(base), "-m", "venv", "--clear", *without, str(tmp_path / ".venv")]]


def test_a_program_that_takes_long_shows_that_it_goes_on(monkeypatch, capsys) -> None:
    monkeypatch.setattr(bootstrap, "_DOT_SECONDS", 0.01)
    bootstrap._run(["sleep", "0.2"], "it failed")
    assert capsys.readouterr().err.strip(".") == "\n"


def test_a_program_that_fails_is_told_in_the_given_words() -> None:
    with pytest.raises(SetupError, match=r"^it failed$"):
        bootstrap._run(["false"], "it failed")


def test_a_changed_pyproject_changes_the_fingerprint(checkout: Path) -> None:
    before = fingerprint(checkout)
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert fingerprint(checkout) != before


def test_a_new_enough_python_is_found_after_what_is_none(tmp_path: Path) -> None:
    assert suitable_python(["deskbell-no-such-python", str(tmp_path), "false", sys.executable]) == sys.executable


def test_without_a_new_enough_python_one_sentence_says_what_to_install() -> None:
    with pytest.raises(SetupError, match=r"Python 3\.11 or newer is needed: apt install python3"):
        suitable_python(["false"])


def test_packages_whose_programs_are_there_are_not_asked_for(tmp_path: Path) -> None:
    assert ready_packages({"dovecot-imapd": tmp_path}) == []


def test_who_may_not_install_is_told_the_line_to_type(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    assert ready_packages({"dovecot-imapd": tmp_path / "imap", "b": tmp_path}) == ["dovecot-imapd"]
    assert "sudo apt-get install --yes --no-install-recommends dovecot-imapd\n" in capsys.readouterr().err


def test_root_installs_what_is_missing_and_no_service_may_start_meanwhile(tmp_path: Path, monkeypatch) -> None:
    program, policy = tmp_path / "imap", tmp_path / "policy-rc.d"
    apt = tmp_path / "apt-get"
    clusters = tmp_path / "createcluster.d" / "deskbell-tests.conf"
    test = f'test -x {policy} && grep -qx "create_main_cluster = false" {clusters}'
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{test} && touch {program}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(bootstrap, "_POLICY", policy)
    monkeypatch.setattr(bootstrap, "_CLUSTERS", clusters)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0)
    assert ready_packages({"dovecot-imapd": program}) == []
    asked = ["update", "install --yes --no-install-recommends dovecot-imapd"]
    assert (tmp_path / "asked").read_text().splitlines() == asked
    assert not policy.exists()
    assert not clusters.exists()


def test_services_are_kept_from_starting_only_while_packages_are_installed(tmp_path: Path, monkeypatch) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(bootstrap, "_POLICY", policy)
    with bootstrap._no_service_starts():
        assert policy.read_text().endswith("exit 101\n")
        assert policy.stat().st_mode & 0o111
    assert not policy.exists()


def test_a_policy_of_the_system_stays_as_it_is(tmp_path: Path, monkeypatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("own")
    monkeypatch.setattr(bootstrap, "_POLICY", policy)
    with bootstrap._no_service_starts():
        assert policy.read_text() == "own"
    assert policy.read_text() == "own"


@pytest.mark.parametrize("path", ["service/bootstrap.py", "service/__init__.py", "demo", "test"])
def test_what_runs_before_the_environment_is_there_needs_only_an_old_python(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= {*sys.stdlib_module_names, "service"}
