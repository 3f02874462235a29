"""All files of an installation appear together, or none does; what is there already is never touched.

1. Whatever has one of our names is a refusal.
2. Everything is made in a folder of its own beside: texts, key, database. The configuration is loaded from there as run
   would load it, servers are asked, floors are recorded.
3. Each file gets its name by a hard link, which cannot replace anything; config.toml last, because without it nothing
   runs.
Whatever fails on the way, Ctrl-C too, takes away what was made.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from desk.errors import RefusedError
from service.setup_files import CONFIG

KEY, DATABASE = "deskbell.key", "deskbell.db"
_LEFT_BEHIND = ("-wal", "-shm", ".lock")


ROOM = 20_000_000
"""Octets that must be free: less would not even hold the first mails."""


class AlreadyThere(RefusedError):
    """A file that init would write exists."""


class NoRoom(RefusedError):
    """The place given is no folder, or has no room."""


def establish(folder: Path, files: Mapping[str, str], prepare: Callable[[Path], None]) -> list[Path]:
    """The files are in the folder, mode 600, with what prepare made beside config.toml; those in the order they came.

    prepare is given the path of config.toml in the folder they are made in. Raises AlreadyThere, NoRoom, OSError,
    and what prepare raises; then nothing was made.
    """
    _refuse_existing(folder, [*files, KEY, DATABASE])
    with _made(folder):
        _require_room(folder)
        return _filled(folder, files, prepare)


def _require_room(folder: Path) -> None:
    if not folder.is_dir():
        raise NoRoom(f"{folder}: is no folder; accepted: one that is there, or can be made")
    if (free := shutil.disk_usage(folder).free) < ROOM:
        raise NoRoom(f"{folder}: {free // 1_000_000} MB free on this disk; accepted: {ROOM // 1_000_000} MB or more")


def _filled(folder: Path, files: Mapping[str, str], prepare: Callable[[Path], None]) -> list[Path]:
    with _beside(folder) as workshop:
        for name, text in files.items():
            _write(workshop / name, text)
        prepare(workshop / CONFIG)
        return _place(workshop, folder)


def _refuse_existing(folder: Path, names: list[str]) -> None:
    there = [folder / name for name in names if os.path.lexists(folder / name)]
    if there:
        raise _already_there(there)


def _already_there(paths: list[Path]) -> AlreadyThere:
    words = ", ".join(map(str, paths))
    return AlreadyThere(f"{words}: there already, and never overwritten; move it away, or give another --folder")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The folder exists, for its owner alone where it was made now; gone again where the block fails."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(made):
        path.mkdir(mode=0o700)
    try:
        yield
    except BaseException:  # no mail is in hand: nothing runs here yet
        for path in made:
            path.rmdir()
        raise


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder in it that is gone afterwards."""
    workshop = Path(tempfile.mkdtemp(prefix=".deskbell-init-", dir=folder))
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _place(workshop: Path, folder: Path) -> list[Path]:
    made = [path for path in sorted(workshop.iterdir()) if not path.name.endswith(_LEFT_BEHIND)]
    placed: list[Path] = []
    try:
        for path in sorted(made, key=lambda path: path.name == CONFIG):
            _link(path, folder / path.name)
            placed.append(folder / path.name)
    except BaseException:  # as above
        for path in placed:
            path.unlink()
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return placed


def _link(made: Path, wanted: Path) -> None:
    try:
        os.link(made, wanted)
    except FileExistsError:  # no mail is in hand; somebody else was faster, and what they made stays
        raise _already_there([wanted]) from None
