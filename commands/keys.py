"""`deskbell keys`: what Message-IDs and reference lines are signed with."""

from datetime import UTC, datetime

import typer

from commands.common import ConfigOption, JsonOption, print_json, say, settings_of, telling_errors

app = typer.Typer(help="The keys that Message-IDs and reference lines are signed with.", no_args_is_help=True)


@app.command("list", epilog="Example: deskbell keys list")
def keys_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the keys by name, oldest first: the last one signs, each one is recognised. No secret is shown."""
    from service import printing, shown
    from service.rotation import listed

    with telling_errors():
        found = listed(settings_of(config))
    if as_json:
        print_json([shown.key(one) for one in found])
    else:
        printing.keys(found)


@app.command("rotate", epilog="Example: deskbell keys rotate")
def keys_rotate(config: ConfigOption = None) -> None:
    """Add a key to the key file, which signs from now on. The older ones stay, to recognise what they have signed.

    A running deskbell follows within a second. Where several machines share a database, copy the key file to each.
    """
    from service.rotation import rotate

    with telling_errors():
        settings = settings_of(config)
        found = rotate(settings, datetime.now(UTC))
    kept = ", ".join(one.name for one in found[:-1])
    say(f"key {found[-1].name} signs from now on; kept, for what is signed already: {kept}")
    say(f"back up {settings.keys.file}: the database needs every key in it")
    if not settings.database.url.startswith("sqlite:"):
        say("copy it to each other machine that runs deskbell on this database")
