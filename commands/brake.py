"""`deskbell brake`: late receipts that are held because there were too many at once."""

from datetime import UTC, datetime

import typer

from commands.common import ConfigOption, JsonOption, database_of, print_json, settings_of, telling_errors

app = typer.Typer(help="The brake: late receipts held because there were too many at once.", no_args_is_help=True)


@app.command("status", epilog="Example: deskbell brake status")
def brake_status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say how many late receipts are held."""
    from store import waiting

    with telling_errors(), database_of(config) as database, database.read() as connection:
        held = waiting.held(connection, waiting.BRAKE)
        if as_json:
            print_json({"held": held})
        else:
            print(f"{held} late receipts are held" if held else "nothing is held")


@app.command("release", epilog="Example: deskbell brake release")
def brake_release(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Let the held receipts go out, with an apology and promises that are still to come."""
    from service.installation import changing
    from store import waiting

    with telling_errors(), changing(settings_of(config)) as database, database.write() as connection:
        released = waiting.release(connection, waiting.BRAKE, now=datetime.now(UTC))
        if as_json:
            print_json({"released": released})
        else:
            print(f"{released} receipts are released")
