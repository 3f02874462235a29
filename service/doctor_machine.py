"""What doctor says of the machine: who may read the files, room on the disk, packages that hide ours."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from stat import S_IMODE

from service.finding import Finding, bad, ok, skipped, warn
from service.installation import database_path, is_file
from service.settings import Settings

OURS = ("cli", "commands", "service", "intake", "routing", "templates", "store", "delivery", "desk")
TOO_LITTLE, LITTLE = 200_000_000, 2_000_000_000
"""Octets free on the disk of the database: below the first mail may not be taken, below the second it is time."""
_OTHERS = 0o077


def permissions(settings: Settings) -> Iterator[Finding]:
    """Who else may read what holds passwords and everybody's mail."""
    if settings.exposes_passwords:
        advice = f"chmod 600 {settings.path}, or password_file in place of password"
        yield bad("permissions", f"{settings.path} holds a password and everyone may read it", advice)
    open_to_others = [path for path in _private(settings) if _mode(path) & _OTHERS]
    for path in open_to_others:
        wanted = 700 if path.is_dir() else 600
        yield warn("permissions", f"{path} may be used by others (mode {_mode(path):04o})", f"chmod {wanted} {path}")
    if not open_to_others and not settings.exposes_passwords:
        yield ok("permissions", "only this user may read mail and passwords")


def _private(settings: Settings) -> list[Path]:
    """What holds mail: the folder of the database, and the database where the folder is open."""
    if not is_file(settings):
        return []
    database = database_path(settings)
    return [path for path in (database.parent, database) if path.exists()]


def _mode(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)


def disk(settings: Settings) -> Iterator[Finding]:
    """Room for the database to grow."""
    if not is_file(settings):
        yield skipped("disk", "the database is PostgreSQL's: its server has the disk")
        return
    folder = database_path(settings).parent
    if not folder.is_dir():
        yield bad("disk", f"{folder}: there is no such folder", "make it, or correct database.url")
        return
    yield room(shutil.disk_usage(folder).free, folder)


def room(free: int, folder: Path) -> Finding:
    """What so many free octets mean."""
    words = f"{free / 1_000_000_000:.1f} GB free at {folder}"
    if free < TOO_LITTLE:
        return bad("disk", f"{words}: soon no mail is taken, and what comes waits on the server", "make room now")
    if free < LITTLE:
        return warn("disk", f"{words}, and the database grows with the mail", "make room soon")
    return ok("disk", words)


def packages() -> Iterator[Finding]:
    """Whether other software hides a package of ours, or would be hidden by it."""
    origins = {name: _origin(name) for name in OURS}
    yield from overlaid(origins, packages_distributions())


def overlaid(origins: Mapping[str, Path | None], owners: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    """The packages of ours that are not where this file is, or that another distribution has too."""
    home = Path(__file__).parents[1]
    elsewhere = {name: path for name, path in origins.items() if path != home}
    for name, path in elsewhere.items():
        yield bad("packages", f"{name} is taken from {path}, not from {home}", _OWN_ENVIRONMENT)
    shared = {name: sorted({one for one in owners.get(name, ()) if one.lower() != "deskbell"}) for name in origins}
    for name, others in shared.items():
        if others:
            yield warn("packages", f"{', '.join(others)} has a package named {name} too", _OWN_ENVIRONMENT)
    if not elsewhere and not any(shared.values()):
        yield ok("packages", f"all of deskbell's packages are its own, in {home}")


_OWN_ENVIRONMENT = "give deskbell an environment of its own: python3 -m venv, then pip install there"


def _origin(name: str) -> Path | None:
    """The folder that the package or module would be imported from."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return file.parent if spec.submodule_search_locations is None else file.parents[1]
