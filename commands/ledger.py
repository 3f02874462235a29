"""`deskbell ledger`: what became of each mail."""

from typing import Annotated

import typer

from commands.common import REFUSED, ConfigOption, JsonOption, database_of, fail, one_of, print_json, telling_errors

app = typer.Typer(help="The ledger: what became of each mail.", no_args_is_help=True)


@app.command("list", epilog="Example: deskbell ledger list --fate quarantined")
def ledger_list(
    config: ConfigOption = None,
    mailbox: Annotated[str | None, typer.Option(help="Only of this mailbox, by its address.")] = None,
    fate: Annotated[
        str | None,
        typer.Option(help="Only with this fate, such as opened or quarantined; a wrong one is told which there are."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List arrivals and what became of them, oldest first."""
    from desk.arrival import Fate
    from service import printing, shown
    from store import ledger

    with telling_errors(), database_of(config) as database, database.read() as connection:
        wanted = one_of(Fate, fate, "fate") if fate else None
        found = ledger.every(connection, mailbox=mailbox, fate=wanted)
        if as_json:
            print_json([shown.line(one) for one in found])
        else:
            printing.ledger(found)


@app.command("show", epilog="Example: deskbell ledger show 17")
def ledger_show(
    arrival: Annotated[int, typer.Argument(help="The arrival's id, as listed.", show_default=False)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one arrival with everything that led to its fate."""
    from service import printing, shown
    from store import ledger

    with telling_errors(), database_of(config) as database, database.read() as connection:
        found = ledger.find(connection, arrival)
        if found is None:
            fail(f"there is no arrival {arrival} in the ledger", REFUSED)
        if as_json:
            print_json(shown.arrival(found))
        else:
            printing.arrival(found)
