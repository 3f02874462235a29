"""The private environment of a checkout, for the two commands that set themselves up.

Standard library only, and nothing newer than Python 3.7: it must be able to say in one sentence what is missing on an
old system. It never touches anything outside the checkout, except the system packages it is asked for by name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

OLDEST = (3, 11)
_NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
_NEW_ENOUGH = f"import sys; sys.exit(sys.version_info < {OLDEST})"
_POLICY = Path("/usr/sbin/policy-rc.d")
_CLUSTERS = Path("/etc/postgresql-common/createcluster.d/deskbell-tests.conf")
"""Asked by Debian's postgresql package before it makes a database cluster nobody wanted (man pg_createcluster)."""
_DOT_SECONDS = 3


class SetupError(Exception):
    """The environment cannot be made; the text says what to install."""


def say(text: str) -> None:
    """One progress line on stderr, before the output of whatever runs next."""
    sys.stderr.write(f"{Path(sys.argv[0]).name}: {text}\n")
    sys.stderr.flush()


def ready_environment(root: Path, extra: str = "") -> Path:
    """The Python of the checkout's .venv, in which deskbell and the extra are installed.

    Made where it is not there, renewed where pyproject.toml changed, else left alone without touching the network.
    Raises SetupError.
    """
    python = root / ".venv" / "bin" / "python"
    stamp = root / ".venv" / "deskbell.stamp"
    wanted = fingerprint(root)
    known = stamp.read_text(encoding="utf-8").split() if stamp.exists() else []
    if _runs(python) and known[:1] == [wanted] and (not extra or extra in known[1:]):
        return python
    if not os.access(str(root), os.W_OK):
        raise SetupError(f"{root} cannot be written: use a checkout of your own, .venv is made in it")
    if not _runs(python):
        _make(python, suitable_python([sys.executable, *_NAMES]))
    extras = sorted({extra, *(known[1:] if known[:1] == [wanted] else [])} - {""})
    say("installing deskbell with what it needs into .venv (a minute at most)")
    target = f"{root}[{','.join(extras)}]" if extras else str(root)
    _run([*_installer(python), "--editable", target], "pip could not install what deskbell needs; is there a network?")
    # Written last: an interrupted installation is begun again.
    stamp.write_text(" ".join([wanted, *extras]) + "\n", encoding="utf-8")
    return python


def fingerprint(root: Path) -> str:
    """Changes with whatever an editable installation depends on: pyproject.toml and the checkout's place."""
    return hashlib.sha256((root / "pyproject.toml").read_bytes() + str(root).encode()).hexdigest()


def suitable_python(candidates: Iterable[str]) -> str:
    """The first candidate that is a Python new enough.

    Raises SetupError.
    """
    for name in candidates:
        path = shutil.which(name)
        if path and _answers(path, _NEW_ENOUGH):
            return path
    raise SetupError(
        f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed: apt install python3 python3-venv, or see python.org"
    )


def ready_packages(packages: dict[str, Path]) -> list[str]:
    """The Debian packages whose program is still missing, after root has tried to install them.

    packages: package to the program it brings. No service is started.
    """
    missing = _missing(packages)
    if not missing:
        return []
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() or not shutil.which("apt-get"):
        say(f"to run all tests: sudo {' '.join(command)}")
        return missing
    say(f"installing {' '.join(missing)} (no service is started)")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with _no_service_starts(), _kept(_CLUSTERS, "create_main_cluster = false\n", mode=0o644):
        for one in (["apt-get", "update"], command):
            subprocess.run(one, env=environ, stdout=subprocess.DEVNULL, check=False)
    return _missing(packages)


def _missing(packages: dict[str, Path]) -> list[str]:
    return [package for package, program in packages.items() if not program.exists()]


def _no_service_starts() -> AbstractContextManager[None]:
    """Debian asks this file before it starts a service (Debian policy 9.3.3)."""
    return _kept(_POLICY, "#!/bin/sh\nexit 101\n", mode=0o755)


@contextmanager
def _kept(path: Path, text: str, *, mode: int) -> Iterator[None]:
    """A file with that text is there within the block; one that is there already is left alone."""
    if path.exists():
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    try:
        yield
    finally:
        path.unlink()


def _make(python: Path, base: str) -> None:
    say(f"making .venv with {base}")
    folder = str(python.parent.parent)
    if shutil.which("uv"):
        _run(["uv", "venv", "--quiet", "--clear", "--python", base, folder], "uv could not make .venv")
        return
    # Debian keeps ensurepip in a package of its own; pip then installs into .venv from outside.
    without = [] if _answers(base, "import ensurepip; ensurepip.version()") else ["--without-pip"]
    _run([base, "-m", "venv", "--clear", *without, folder], "venv is missing: apt install python3-venv")


def _installer(python: Path) -> list[str]:
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--quiet", "--python", str(python)]
    quiet = ["install", "--quiet", "--disable-pip-version-check"]
    if _answers(str(python), "import pip"):
        return [str(python), "-m", "pip", *quiet]
    for base in (sys.executable, "python3"):
        # pip takes --python since 22.3; an older one answers with its usage.
        if _succeeds([base, "-m", "pip", "--python", str(python), "--version"]):
            return [base, "-m", "pip", "--python", str(python), *quiet]
    raise SetupError("pip 22.3 or newer is missing: apt install python3-pip, or python3-venv")


def _runs(python: Path) -> bool:
    return python.exists() and _answers(str(python), _NEW_ENOUGH)


def _answers(python: str, program: str) -> bool:
    return _succeeds([python, "-c", program])


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:  # Not a program after all. No mail is in hand while setting up.
        return False
    return done.returncode == 0


def _run(command: Sequence[str], otherwise: str) -> None:
    """The command succeeded; meanwhile a dot on stderr every few seconds says that it goes on."""
    shown = False
    with subprocess.Popen(command) as running:
        while True:
            try:
                failed = running.wait(_DOT_SECONDS)
                break
            except subprocess.TimeoutExpired:
                sys.stderr.write(".")
                sys.stderr.flush()
                shown = True
    if shown:
        sys.stderr.write("\n")
    if failed:
        raise SetupError(otherwise)
