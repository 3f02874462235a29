"""`deskbell config`: the configuration in use."""

import typer

from commands.common import ConfigOption, JsonOption, print_json, settings_of, telling_errors

app = typer.Typer(help="The configuration in use.", no_args_is_help=True)


@app.command("show", epilog="Example: deskbell config show --config config.toml")
def config_show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show each setting with its value and where it comes from; passwords only by their source.

    The last line, (routing), says where departments, calendars and rules come from.
    """
    from service import printing
    from service.routing import described
    from service.settings import describe

    with telling_errors():
        settings = settings_of(config)
        rows = [*describe(settings), described(settings)]
        if as_json:
            print_json([{"key": row.key, "value": row.value, "origin": row.origin} for row in rows])
        else:
            printing.settings(rows)
