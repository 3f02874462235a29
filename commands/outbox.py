"""`deskbell outbox`: the mails that deskbell owes and has sent."""

from typing import Annotated

import typer

from commands.common import (
    ConfigOption,
    IdsArgument,
    JsonOption,
    author,
    database_of,
    one_of,
    print_json,
    say,
    settings_of,
    telling_errors,
)

app = typer.Typer(help="The outbox: mails that deskbell owes and has sent.", no_args_is_help=True)


def _states(incomplete: str) -> list[str]:
    from desk.outbox import OutboxState

    return [state for state in OutboxState if state.startswith(incomplete)]


@app.command("list", epilog="Example: deskbell outbox list --state due")
def outbox_list(
    config: ConfigOption = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only in this state: due, sending, sent, refused, expired or held.", autocompletion=_states),
    ] = None,
    department: Annotated[
        str | None, typer.Option(help="Only about requests of this department, by its key, such as it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List mails of ours, oldest first, with the server's last reply about each.

    Of a confidential department only with --department KEY to whom.
    """
    from desk.outbox import OutboxState
    from service import narrowed, printing, shown
    from service.confidential import confidential_departments, unaddressed
    from store import holding

    with telling_errors(), database_of(config) as database, database.read() as connection:
        wanted = one_of(OutboxState, state, "state") if state is not None else None
        settings = settings_of(config)
        narrowed.to_department(settings, connection, department)
        hidden = confidential_departments(settings) - {department}
        every = holding.every(connection, state=wanted, department=department)
        found = [one if hidden.isdisjoint(one.departments) else unaddressed(one) for one in every]
        if as_json:
            print_json([shown.owed(one) for one in found])
        else:
            printing.outbox(found)


@app.command("hold", epilog="Example: deskbell outbox hold 17 18")
def outbox_hold(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Hold mails back: none of them is sent before it is released. Of several, all or none."""
    from service import overrule

    with telling_errors(), database_of(config) as database:
        overrule.hold(database, ids, author())
    say(f"held: {', '.join(map(str, ids))}")


@app.command("release", epilog="Example: deskbell outbox release 17 18")
def outbox_release(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Release held mails: they are due now, as they were written. Of several, all or none."""
    from service import overrule

    with telling_errors(), database_of(config) as database:
        overrule.release(database, ids, author())
    say(f"released: {', '.join(map(str, ids))}")
