"""`deskbell quarantine`: mail that could not be understood or was too large."""

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    REFUSED,
    USAGE,
    ConfigOption,
    IdArgument,
    IdsArgument,
    JsonOption,
    author,
    database_of,
    fail,
    print_json,
    say,
    settings_of,
    telling_errors,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.glance import Glance
    from store.ledger import Line

app = typer.Typer(help="Quarantine: mail that could not be understood or was too large.", no_args_is_help=True)


@app.command("list", epilog="Example: deskbell quarantine list")
def quarantine_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what is set aside, oldest first, with the reason."""
    from service import printing, shown
    from service.confidential import confidential_mailboxes
    from store import quarantine

    with telling_errors(), database_of(config) as database, database.read() as connection:
        hidden = confidential_mailboxes(settings_of(config))
        found = [(line, _glance(connection, line, hidden)) for line in quarantine.every(connection)]
        if as_json:
            print_json([shown.set_aside(line, glance) for line, glance in found])
        else:
            printing.quarantine(found)


@app.command("show", epilog="Example: deskbell quarantine show 17 --raw > mail.eml")
def quarantine_show(
    arrival: IdArgument,
    config: ConfigOption = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the mail's bytes to stdout, exactly as they came, and nothing else.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is known of one, and where its bytes are."""
    from service import printing, shown
    from service.confidential import confidential_mailboxes
    from store import quarantine

    if raw and as_json:
        fail("--raw and --json exclude each other: the bytes of a mail are no JSON", USAGE)
    with telling_errors(), database_of(config) as database, database.read() as connection:
        line = _set_aside(connection, arrival)
        if raw:
            sys.stdout.buffer.write(quarantine.octets(connection, line))
            return
        seen = _glance(connection, line, confidential_mailboxes(settings_of(config)))
        if as_json:
            print_json(shown.set_aside(line, seen))
        else:
            printing.set_aside(line, seen)


@app.command("release", epilog="Example: deskbell quarantine release 17")
def quarantine_release(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Try mails again: by the running daemon within seconds, else by the next start. Of several, all or none."""
    from service import overrule

    with telling_errors(), database_of(config) as database:
        overrule.retry(database, ids, author())
    say(f"tried again: {', '.join(map(str, ids))}")


@app.command("drop", epilog='Example: deskbell quarantine drop 17 --reason "an empty fax"')
def quarantine_drop(
    arrival: IdArgument,
    reason: Annotated[str, typer.Option(help="Why it is no request; kept in the journal.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Take one off the list. Its bytes are kept, its line in the ledger is `filed` with the reason `dropped`."""
    from service import overrule

    if not reason.strip():
        fail("--reason is empty: say in a few words why it is no request", USAGE)
    with telling_errors(), database_of(config) as database:
        overrule.drop(database, arrival, reason.strip(), author())
    say(f"dropped: {arrival}")


def _set_aside(connection: "Connection", arrival: int) -> "Line":
    from store import ledger, quarantine

    line = ledger.find(connection, arrival)
    if line is None:
        fail(f"there is no arrival {arrival} in the ledger", REFUSED)
    if line.erased is not None:
        fail(f"arrival {arrival} was erased on {line.erased:%Y-%m-%d}: nothing of it is left to show", REFUSED)
    if line.fate not in quarantine.SET_ASIDE:
        fail(f"arrival {arrival} is not in quarantine: its fate is {line.fate}", REFUSED)
    return line


def _glance(connection: "Connection", line: "Line", hidden: Collection[str]) -> "Glance":
    from service.confidential import NEUTRAL
    from service.glance import HEAD_OCTETS, Glance, glance
    from store import quarantine

    octets = quarantine.size(connection, line)
    if line.mailbox in hidden:
        return Glance(NEUTRAL, NEUTRAL, octets)
    return glance(quarantine.octets(connection, line, most=HEAD_OCTETS), octets=octets)
