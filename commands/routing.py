"""`deskbell routing`: departments, calendars and rules, as a whole and by version."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    REFUSED,
    AuthorOption,
    ConfigOption,
    JsonOption,
    ReasonOption,
    YesOption,
    agreed,
    content_of,
    fail,
    login_name,
    print_json,
    say,
    settings_of,
    surroundings,
    telling_errors,
)

if TYPE_CHECKING:
    from service.routing import Proposal
    from service.settings import Settings
    from service.written import Written
    from store.database import Database
    from store.routing import Authorship

app = typer.Typer(help="Departments, calendars and rules: take out, put in, look back.", no_args_is_help=True)

VersionArgument = Annotated[int, typer.Argument(help="The version's number, as in history.", show_default=False)]


@app.command("export", epilog="Example: deskbell routing export routing-edited.toml")
def routing_export(
    file: Annotated[str, typer.Argument(help='Where to; "-" is standard output.')] = "-",
    config: ConfigOption = None,
    version: Annotated[int | None, typer.Option(help="This version, instead of the one that holds.")] = None,
) -> None:
    """Write the routing as TOML, byte for byte as it was stored. A file that is there already is left alone."""
    from service.installation import reading
    from service.routing import stored_text

    with telling_errors():
        with reading(settings_of(config)) as database:
            content = stored_text(database, version).text.encode()
        if file == "-":
            sys.stdout.buffer.write(content)
            return
        _write_new(Path(file), content)


def _write_new(path: Path, content: bytes) -> None:
    """The file holds the content; one that was there is left alone, and none is left that is not whole."""
    try:
        new = path.open("xb")
    except FileExistsError:  # Nothing was written, and no mail is in hand.
        fail(f"{path}: is there already: name another file, or remove it", REFUSED)
    try:
        with new:
            new.write(content)
    except OSError as error:  # the disk is full; the routing is in the database
        path.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


@app.command(
    "import", epilog='Example: deskbell routing import routing-edited.toml --reason "printers go to facilities"'
)
def routing_import(  # noqa: PLR0913, PLR0917 - each option is a parameter
    file: Annotated[str, typer.Argument(help='The routing as TOML; "-" is standard input.', show_default=False)],
    config: ConfigOption = None,
    base: Annotated[
        int | None, typer.Option(help="Refuse unless this version still holds: the one that was exported.")
    ] = None,
    yes: YesOption = False,
    reason: ReasonOption = "",
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a file would change, ask, and make it the version that holds; a running deskbell follows at once."""
    from service.installation import changing
    from service.written import Written, decoded
    from store.routing import Authorship, Origin

    with telling_errors():
        settings = settings_of(config)
        written = Written(decoded(content_of(file), file), file)
        with changing(settings) as database:
            proposal = _proposal(database, written, settings)
            if base is not None and base != proposal.base:
                fail(f"version {proposal.base} holds, not {base}: export that one, and make the change in it", REFUSED)
            _decide(
                database, proposal, Authorship(author or login_name(), Origin.IMPORT, reason), yes=yes, as_json=as_json
            )


@app.command("restore", epilog="Example: deskbell routing restore 3")
def routing_restore(  # noqa: PLR0913, PLR0917 - each option is a parameter
    version: VersionArgument,
    config: ConfigOption = None,
    yes: YesOption = False,
    reason: ReasonOption = "",
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an older version would change, ask, and store it again as the newest."""
    from service.installation import changing
    from service.routing import stored_text
    from store.routing import Authorship, Origin

    with telling_errors():
        settings = settings_of(config)
        with changing(settings) as database:
            proposal = _proposal(database, stored_text(database, version), settings)
            by = Authorship(author or login_name(), Origin.RESTORE, reason or f"version {version} again")
            _decide(database, proposal, by, yes=yes, as_json=as_json)


@app.command("history", epilog="Example: deskbell routing history --json")
def routing_history(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the versions, newest first: who, when, how and why. The first one holds."""
    from service import printing
    from service.installation import reading
    from service.shown import moment
    from store import routing

    with telling_errors(), reading(settings_of(config)) as database, database.read() as connection:
        found = routing.history(connection)
        if as_json:
            print_json(
                [
                    {
                        "version": one.number,
                        "at": moment(one.at),
                        "author": one.authorship.author,
                        "origin": one.authorship.origin.value,
                        "reason": one.authorship.reason,
                    }
                    for one in found
                ]
            )
        else:
            rows = [
                (str(one.number), f"{one.at.astimezone():%Y-%m-%d %H:%M %Z}", by.author, by.origin, by.reason)
                for one in found
                for by in (one.authorship,)
            ]
            printing.table(("version", "at", "author", "origin", "reason"), rows)


def _proposal(database: "Database", written: "Written", settings: "Settings") -> "Proposal":
    from service.house import UNSIGNED
    from service.routing import propose

    return propose(database, written, settings, surroundings(UNSIGNED))


def _decide(database: "Database", proposal: "Proposal", by: "Authorship", *, yes: bool, as_json: bool) -> None:
    """The difference was shown, somebody agreed, and the proposal holds; else the command has ended."""
    from datetime import UTC, datetime

    from service import printing
    from service.changes import as_values, counted, in_words
    from service.routing import submit

    number = proposal.base + 1
    if as_json:
        changes = as_values(proposal.changes)
        print_json({"base": proposal.base, "version": number if proposal.changed else None, "changes": changes})
    else:
        printing.lines(in_words(proposal.changes))
    if not proposal.changed:
        say(f"version {proposal.base} says the same: nothing was changed")
        return
    for department, requests in proposal.orphans.items():
        say(f"{requests} requests belong to {department}, which is not there: {proposal.heir} answers them")
    say(f"{counted(proposal.changes)}, against version {proposal.base}")
    agreed(f"Make this version {number}?", yes=yes)
    submit(database, proposal, by, now=datetime.now(UTC))
    say(f"version {number} holds")
