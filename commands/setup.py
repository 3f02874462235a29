"""`deskbell init`, `doctor`, `health`: setting it up, and knowing that it works."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from commands.common import REFUSED, ConfigOption, JsonOption, print_json, settings_of, telling_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.finding import Finding


def add_to(app: typer.Typer) -> None:
    """These commands belong to no group: they are added one by one."""
    app.command(epilog="Example: deskbell health --config /etc/deskbell/config.toml || echo 'deskbell needs you'")(
        health
    )


def health(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say in a second whether all is well: exit code 0, or 1 where something is bad. For monitoring.

    It asks the database and the doors, no mail server: is the daemon alive, when was each folder last looked at, does
    mail get settled and sent.
    """
    from service.health import health as look
    from service.installation import reading

    with telling_errors():
        settings = settings_of(config)
        with reading(settings) as database:
            found = look(database, settings, datetime.now(UTC))
        tell(found, as_json=as_json)


def tell(found: "Sequence[Finding]", *, as_json: bool) -> None:
    """Print the findings; ends the command with exit code 1 where one is bad."""
    from service import printing
    from service.finding import is_bad

    if as_json:
        print_json([one.shown() for one in found])
    else:
        printing.findings(found)
    if is_bad(found):
        raise typer.Exit(REFUSED)
