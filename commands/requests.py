"""`deskbell requests`: what people asked for."""

from typing import Annotated

import typer

from commands.common import (
    REFUSED,
    USAGE,
    ConfigOption,
    JsonOption,
    database_of,
    fail,
    one_of,
    print_json,
    telling_errors,
)

app = typer.Typer(help="Requests: what people asked for.", no_args_is_help=True)


@app.command("list", epilog="Example: deskbell requests list --department it --state new")
def requests_list(
    config: ConfigOption = None,
    department: Annotated[str | None, typer.Option(help="Only of this department, by its key, such as it.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state: new, answered or open.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List requests, newest first."""
    from desk.lifecycle import State
    from service import printing, shown
    from store import requests

    with telling_errors(), database_of(config) as database, database.read() as connection:
        wanted = one_of(State, state, "state") if state else None
        found = requests.every(connection, department=department, state=wanted)
        histories = requests.entries(connection, [one.number for one in found]) if as_json else {}
        if as_json:
            print_json([shown.request(one, histories[one.number]) for one in found])
        else:
            printing.requests(found)


@app.command("show", epilog="Example: deskbell requests show R-1042")
def requests_show(
    reference: Annotated[str, typer.Argument(help="The request's reference, R-1042.", show_default=False)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one request with its history."""
    from desk.request import number_of
    from service import printing, shown
    from store import requests

    number = number_of(reference)
    if number is None:
        fail(f"{reference!r} is no reference: R- and a number, such as R-1042", USAGE)
    with telling_errors(), database_of(config) as database, database.read() as connection:
        found = requests.find(connection, number)
        if found is None:
            fail(f"there is no request {reference}", REFUSED)
        history = requests.entries(connection, [number])[number]
        if as_json:
            print_json(shown.request(found, history))
        else:
            printing.request(found, history)
