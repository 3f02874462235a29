"""The folder of a demo: a whole installation that a person can open, and serve again with `deskbell run`."""

import os
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from desk.errors import RefusedError
from routing.rules import starter_text
from service.installation import locked
from service.notation import HostPort
from service.settings import Settings, load

MARK = "# Written by `deskbell demo`"
_HOST = "127.0.0.1"
_SHOWN_NAMES = 3

_CONFIG = """\
{mark}: change what you like, then `deskbell demo` or `deskbell run` serves it again.

own_domains = ["corp.example"]

[[mailbox]]
address = "help@corp.example"
department = "it"
mode = "full"

[[mailbox]]
address = "hr@corp.example"
department = "hr"
mode = "full"

[listener]
lmtp = "{host}:{lmtp}"
smtp = "{host}:{smtp}"

[maildir]
path = "outgoing"
"""

_DEPARTMENTS = """\
{mark}: the office of corp.example, and the rules of the starter set.

default = "it"

[calendars.office]
zone = "Europe/Warsaw"
country = "PL"
hours = {{ mon-fri = ["09:00-17:00"] }}

[departments.it]
names = {{ en = "IT support", pl = "Wsparcie IT", it = "Supporto informatico", ar = "الدعم التقني", ja = "ITサポート" }}
address = "it-team@corp.example"
urgent_contact = "call 4444"
calendar = "office"
[departments.it.targets]
urgent = {{ first_response = "1h", resolution = "4h" }}
normal = {{ first_response = "4h", resolution = "16h" }}

[departments.hr]
names = {{ en = "Human resources", pl = "Kadry", it = "Risorse umane", ar = "الموارد البشرية", ja = "人事部" }}
address = "hr-team@corp.example"
calendar = "office"
[departments.hr.targets]
normal = {{ first_response = "8h", resolution = "24h" }}

[departments.payroll]
names = {{ en = "Payroll", pl = "Płace", it = "Ufficio paghe", ar = "الرواتب", ja = "給与課" }}
address = "payroll-team@corp.example"
calendar = "office"
[departments.payroll.targets]
normal = {{ first_response = "8h", resolution = "24h" }}

[departments.facilities]
names = {{ en = "Facilities", pl = "Administracja", it = "Servizi generali", ar = "إدارة المرافق", ja = "総務部" }}
address = "facilities-team@corp.example"
calendar = "office"
[departments.facilities.targets]
urgent = {{ first_response = "1h", resolution = "4h" }}
normal = {{ first_response = "4h", resolution = "16h" }}

"""


class NoPlace(RefusedError):
    """The demo cannot use this folder; nothing in it was changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder made ready: its settings, and whether an earlier demo left something in it."""

    settings: Settings
    used_before: bool

    @property
    def folder(self) -> Path:
        """The folder, absolute."""
        return self.config.parent

    @property
    def config(self) -> Path:
        """Its config.toml."""
        return self.settings.path

    @property
    def log(self) -> Path:
        """What the daemon says."""
        return self.folder / "deskbell.log"

    @property
    def sent(self) -> Path:
        """The mails that the demo handed in, as .eml."""
        return self.folder / "sent"

    @property
    def outgoing(self) -> Path:
        """The Maildirs of what deskbell wrote."""
        assert self.settings.maildir is not None
        return self.settings.maildir.path


def ready_place(folder: Path) -> Place:
    """The folder is an installation whose ports are free. Raises NoPlace, AlreadyRunning, SettingsError.

    One of an earlier demo goes on: its database, key, mails and whatever was changed in its configuration stay.
    """
    config = folder.absolute() / "config.toml"
    try:
        used_before = _is_ours(folder, config)
        _written(config)
        settings = load(config)
        with locked(settings):
            settings = _with_free_doors(settings)
        (config.parent / "sent").mkdir(exist_ok=True)
        if settings.maildir is None:
            raise NoPlace(f"{config}: has no [maildir] any more: choose another folder with --folder")
    except OSError as error:  # no mail is in hand yet
        place = error.filename or folder
        raise NoPlace(f"{place}: {error.strerror}: choose another folder with --folder") from None
    return Place(settings, used_before)


def _is_ours(folder: Path, config: Path) -> bool:
    """Whether an earlier demo made it; False for an empty or new one. Raises NoPlace for anything else."""
    if folder.exists() and not folder.is_dir():
        raise NoPlace(f"{folder} is a file: choose another folder with --folder")
    half = _half(config).name  # of a beginning that was interrupted
    names = sorted(path.name for path in folder.iterdir() if path.name != half) if folder.exists() else []
    if config.name in names and config.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        return True
    if names:
        shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
        raise NoPlace(f"{folder} holds files that no demo made ({shown}): choose an empty or new one with --folder")
    return False


def _written(config: Path) -> None:
    """config.toml comes first: with its mark the rest of an interrupted beginning is known as ours."""
    config.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lmtp, smtp = _free_port_numbers()
    if not config.exists():
        _write(config, _CONFIG.format(mark=MARK, host=_HOST, lmtp=lmtp, smtp=smtp))
    routing = config.with_name("routing.toml")
    if not routing.exists():
        rules = starter_text()
        _write(routing, _DEPARTMENTS.format(mark=MARK) + rules[rules.index("[[rules]]") :])


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    half = _half(path)
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def _half(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _with_free_doors(settings: Settings) -> Settings:
    """The same with another port for each door whose port somebody else has taken by now."""
    doors = [door for door in (settings.listener.lmtp, settings.listener.smtp) if door is not None]
    taken = [door for door in doors if not _is_free(door)]
    if not taken:
        return settings
    text = settings.path.read_text(encoding="utf-8")
    for door, port in zip(taken, _free_port_numbers(), strict=False):
        text = text.replace(f'"{door}"', f'"{HostPort(door.host, port)}"')
    _write(settings.path, text)
    return load(settings.path)


def _is_free(door: HostPort) -> bool:
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    try:
        with socket.create_server((door.host, door.port), family=family):
            return True
    except OSError:  # taken, or not ours to take; no mail is in hand yet
        return False


def _free_port_numbers() -> tuple[int, int]:
    with closing(socket.create_server((_HOST, 0))) as one, closing(socket.create_server((_HOST, 0))) as other:
        return one.getsockname()[1], other.getsockname()[1]


def remember(place: Place, environ: Mapping[str, str]) -> None:
    """The place is the last demo's from now on, for `deskbell send` and `deskbell read` in another terminal."""
    note = _note(environ)
    with suppress(OSError):  # the printed commands name the configuration as well
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(note, f"{place.config}\n")


def last_demo(environ: Mapping[str, str]) -> Path | None:
    """The config.toml of the last demo of this user, while it is there."""
    try:
        config = Path(_note(environ).read_text(encoding="utf-8").rstrip("\n"))
        return config if config.is_file() else None
    except (OSError, ValueError):  # never played, or not ours to read: there is none
        return None


def _note(environ: Mapping[str, str]) -> Path:
    """In the folder for such state (XDG Base Directory Specification)."""
    state = environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")  # noqa: PTH111, PTH118 # Path.home() raises where there is none
    return Path(state) / "deskbell" / "last-demo"
