"""What every command shares: its options, where its settings come from, how it ends.

Exit codes: 0 done, 1 refused or found faulty for a stated reason, 2 usage or configuration.
"""

import json
import os
import pwd
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from service.house import House, Surroundings
    from service.overrule import Author
    from service.settings import Settings
    from service.written import Written
    from store.database import Database

REFUSED, USAGE = 1, 2

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="config.toml; else DESKBELL_CONFIG, else /etc/deskbell/config.toml.", show_default=False
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask: the difference is wanted.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the history.")]
AuthorOption = Annotated[
    str | None, typer.Option(help="Who, for the history; without it the login name.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_LAST_ID = 2**31 - 1


def _ids(given: int | list[int]) -> int | list[int]:
    """What was given, each id once; ends the command where one is no id."""
    for one in [given] if isinstance(given, int) else given:
        if not 0 < one <= _LAST_ID:
            raise typer.BadParameter(f"{one} is no id: accepted is a number as listed")
    return given if isinstance(given, int) else list(dict.fromkeys(given))


IdArgument = Annotated[int, typer.Argument(help="Its id, as listed.", show_default=False, callback=_ids)]
IdsArgument = Annotated[list[int], typer.Argument(help="Their ids, as listed.", show_default=False, callback=_ids)]


def settings_of(config: Path | None) -> "Settings":
    """The settings of that file, or of the one that the environment or the system names. Raises SettingsError."""
    from service.settings import find, load

    return load(find(config, os.environ))


def house_of(settings: "Settings", written: "Written", keyring: Any) -> "House":
    """The house of settings and a routing text, in the zone of this system where they name none.

    Raises RoutingError, CalendarError.
    """
    from service.house import build_house

    return build_house(settings, surroundings(keyring), written)


def surroundings(keyring: Any) -> "Surroundings":
    """What this machine contributes to a house: its zone, beside the keys given."""
    from service.calendars import system_zone_name
    from service.house import Surroundings

    return Surroundings(keyring, system_zone_name(os.environ, Path("/etc/localtime")))


def configured_house(config: Path | None) -> "House":
    """The house that `deskbell run` would start in, able to judge and not to sign; nothing is created.

    Raises UserError for whatever would keep `run` from starting in it.
    """
    from service.house import UNSIGNED
    from service.routing import stored_house

    settings = settings_of(config)
    return stored_house(settings, surroundings(UNSIGNED))


def starter_house() -> "House":
    """The house of an installation that has configured nothing."""
    from service.house import UNSIGNED, starter_house

    return starter_house(surroundings(UNSIGNED))


@contextmanager
def database_of(config: Path | None) -> Iterator["Database"]:
    """The database of the installation, open within the block.

    Raises SettingsError, SchemaMismatch, DatabaseUnusable.
    """
    from service.installation import reading

    with reading(settings_of(config)) as database:
        yield database


@contextmanager
def telling_errors() -> Iterator[None]:
    """Errors that have words for people end the command with those words on stderr and the exit code for them.

    Raises typer.Exit in place of UserError and OSError; nothing else is caught.
    """
    from desk.errors import UserError

    try:
        yield
    except UserError as error:
        fail(str(error), error.exit_code)
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror}".lstrip(": "), REFUSED)


def agreed(question: str, *, yes: bool) -> None:
    """Somebody agreed, by --yes or at the terminal. Raises typer.Exit (1) where nobody did: nothing was changed."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("nothing was changed: nobody is there to agree; look at what was said, and add --yes", REFUSED)
    if not typer.confirm(question, err=True):
        fail("nothing was changed", REFUSED)


def login_name() -> str:
    """Who types: the login name behind sudo, else one's own, else the number."""
    import getpass

    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # No such user, as in some containers; no mail is in hand.
        return str(os.getuid())


def content_of(path: str) -> bytes:
    """The octets of the file, of standard input for "-". Raises OSError."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def say(words: str) -> None:
    """The person at the terminal has read the words: on stderr, because data alone goes to stdout."""
    print(f"deskbell: {words}", file=sys.stderr)


def one_of(values: Any, given: str, what: str) -> Any:
    """The member of that enumeration. Raises typer.Exit (2) where it has none of that name, told with those it has."""
    try:
        return values(given)
    except ValueError:
        fail(f"{given!r} is no {what}: accepted are {', '.join(values)}", USAGE)


def fail(words: str, code: int) -> NoReturn:
    """The command has ended with these words on stderr. Raises typer.Exit with that code, REFUSED or USAGE."""
    print(f"deskbell: {words}", file=sys.stderr)
    raise typer.Exit(code)


def author() -> "Author":
    """Whoever runs this command, by the name of the process's user, and the moment (UTC), for the journal."""
    from service.overrule import Author

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number that has no name
        name = str(os.getuid())
    return Author(name, datetime.now(UTC))


def print_json(value: Sequence[Any] | dict[str, Any]) -> None:
    """The value stands on stdout as JSON: ASCII alone, so that no terminal or pipe can spoil it."""
    print(json.dumps(value, indent=2))
