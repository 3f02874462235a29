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
    """The settings this command runs with. Raises UserError with words for people."""
    from service.settings import find, load

    return load(find(config, os.environ))


def house_of(settings: "Settings", written: "Written", keyring: Any) -> "House":
    """The house of settings and a routing text, in the zone of this system where they name none."""
    from service.house import build_house

    return build_house(settings, surroundings(keyring), written)


def surroundings(keyring: Any) -> "Surroundings":
    """What this machine contributes to a house."""
    from service.calendars import system_zone_name
    from service.house import Surroundings

    return Surroundings(keyring, system_zone_name(os.environ, Path("/etc/localtime")))


def configured_house(config: Path | None) -> "House":
    """The house that `deskbell run` would start in, able to judge and not to sign; nothing is created."""
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
    """The database of the installation, which must exist and have our schema."""
    from service.installation import reading

    with reading(settings_of(config)) as database:
        yield database


@contextmanager
def telling_errors() -> Iterator[None]:
    """Errors that have words for people end the command with those words and the exit code for them."""
    from desk.errors import UserError

    try:
        yield
    except UserError as error:
        fail(str(error), error.exit_code)
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror}".lstrip(": "), REFUSED)


def agreed(question: str, *, yes: bool) -> None:
    """Somebody agreed, by --yes or at the terminal; else the command has ended."""
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
    """What the file holds; standard input for "-"."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def say(words: str) -> None:
    """Tell the person at the terminal; data goes to stdout, this does not."""
    print(f"deskbell: {words}", file=sys.stderr)


def one_of(values: Any, given: str, what: str) -> Any:
    """The member of that enumeration; ends the command where it has none of that name."""
    try:
        return values(given)
    except ValueError:
        fail(f"{given!r} is no {what}: accepted are {', '.join(values)}", USAGE)


def fail(words: str, code: int) -> NoReturn:
    """End the command with these words on stderr and that exit code."""
    print(f"deskbell: {words}", file=sys.stderr)
    raise typer.Exit(code)


def author() -> "Author":
    """Whoever runs this command, for the journal."""
    from service.overrule import Author

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number that has no name
        name = str(os.getuid())
    return Author(name, datetime.now(UTC))


def print_json(value: Sequence[Any] | dict[str, Any]) -> None:
    """Print the value as JSON on stdout."""
    print(json.dumps(value, indent=2))
