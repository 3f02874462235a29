"""The wheel: everything the program needs is in it, nothing else is, and it runs away from the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"desk", "intake", "routing", "templates", "store", "delivery", "service", "commands"}

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """What a program printed; its complaints where it failed. No setting of this process leads it to the checkout."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DESKBELL"))}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ROOT)
    run(sys.executable, "-m", "pip", *build, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the wheel in it.

    Its libraries are those of this environment, reached by a path file: path files found there are not read in turn,
    so the editable installation of the checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    install = ("install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", wheel)
    run(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", *install, cwd=folder)
    return folder / "bin"


def in_checkout(pattern: str) -> set[str]:
    found = (path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob(pattern))
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_only_our_packages_and_the_command_line_are_inside(names: set[str]) -> None:
    tops = {name.split("/", maxsplit=1)[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {*PACKAGES, "cli.py"}


def test_no_test_is_inside(names: set[str]) -> None:
    assert not [name for name in names if "test" in name.split("/")[-1] or name.startswith("tests/")]


@pytest.mark.parametrize("pattern", ["*.py", "*.j2", "*.toml"])
def test_every_file_of_a_kind_is_inside(names: set[str], pattern: str) -> None:
    assert in_checkout(pattern)
    assert in_checkout(pattern) <= names


def test_migrations_and_starter_rules_are_inside(names: set[str]) -> None:
    assert any(name.startswith("store/migrations/") and name.endswith(".py") for name in names)
    assert any(name.endswith("/starter.toml") for name in names)


def test_the_command_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "Usage: deskbell" in run(installed / "deskbell", "--help", cwd=tmp_path)


def test_the_packages_are_those_of_the_wheel_and_not_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    program = "import cli, desk, service; print(cli.__file__, desk.__file__, service.__file__)"
    files = run(installed / "python", "-c", program, cwd=tmp_path).split()
    assert [file for file in files if not file.startswith(str(installed.parent))] == []
