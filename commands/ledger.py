"""`deskbell ledger`: what became of each mail."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.common import (
    REFUSED,
    ConfigOption,
    IdsArgument,
    JsonOption,
    author,
    database_of,
    fail,
    one_of,
    print_json,
    say,
    settings_of,
    telling_errors,
)

app = typer.Typer(help="The ledger: what became of each mail.", no_args_is_help=True)


def _fates(incomplete: str) -> list[str]:
    from desk.arrival import Fate

    return [fate for fate in Fate if fate.startswith(incomplete)]


@app.command("list", epilog="Example: deskbell ledger list --fate quarantined")
def ledger_list(
    config: ConfigOption = None,
    mailbox: Annotated[str | None, typer.Option(help="Only of this mailbox, by its address.")] = None,
    fate: Annotated[
        str | None,
        typer.Option(
            help="Only with this fate, such as opened or quarantined; a wrong one is told which there are.",
            autocompletion=_fates,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List arrivals and what became of them, oldest first."""
    from desk.arrival import Fate
    from service import narrowed, printing, shown
    from store import ledger

    with telling_errors(), database_of(config) as database, database.read() as connection:
        wanted = one_of(Fate, fate, "fate") if fate is not None else None
        only = narrowed.to_mailbox(settings_of(config), connection, mailbox)
        found = ledger.every(connection, mailbox=only, fate=wanted)
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
    from desk.request import number_of
    from service import printing, shown
    from service.confidential import confidential_departments, wordless
    from store import ledger, requests

    with telling_errors(), database_of(config) as database, database.read() as connection:
        found = ledger.find(connection, arrival)
        if found is None:
            fail(f"there is no arrival {arrival} in the ledger", REFUSED)
        number = number_of(found.reference) if found.reference else None
        request = requests.find(connection, number) if number is not None else None
        hidden = confidential_departments(settings_of(config))
        found = wordless(found, hidden, departments=request.departments if request else ())
        if as_json:
            print_json(shown.arrival(found))
        else:
            printing.arrival(found)


@app.command("reconcile", epilog="Example: deskbell ledger reconcile help@corp.example")
def ledger_reconcile(
    mailbox: Annotated[
        str | None, typer.Argument(help="Only this mailbox, by its address.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds that a mail of this moment may take to reach the ledger.")
    ] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Prove that every mail of the watched folders is in the ledger. Exit code 1 where one is missing.

    Opens the folders read-only, whether the daemon runs or not. On the server is what lies in the folder, or was moved
    from it to Deskbell. Missing: on the server, not in the ledger. Surplus: in the ledger, in neither folder any more,
    because somebody moved or deleted it, which is no fault.
    """
    from service import printing, shown
    from service.reconcile import Compared, Look, Unknown, compare, patience, places

    with telling_errors():
        settings = settings_of(config)
        chosen = places(settings, mailbox)
        with database_of(config) as database:
            found = list(printing.counted(compare(chosen, Look(database, patience(wait))), len(chosen)))
    if not chosen:
        say("no folder is watched: all mail comes by a door or a pipe")
    compared = [one for one in found if isinstance(one, Compared)]
    if as_json:
        print_json([shown.compared(one) for one in compared])
    else:
        printing.compared(compared)
    unknown = [one for one in found if isinstance(one, Unknown)]
    for one in unknown:
        say(f"{one.mailbox} {one.folder}: not compared: {one.why}")
    if missing := sum(len(one.missing) for one in compared):
        say(f"{missing} on the server are not in the ledger")
    if missing or unknown:
        raise typer.Exit(REFUSED)


@app.command("retry", epilog="Example: deskbell ledger retry 17 18")
def ledger_retry(ids: IdsArgument, config: ConfigOption = None) -> None:
    """Try quarantined or unsettled mails anew: by the running daemon within seconds, else by the next start.

    Of several, all or none.
    """
    from service import overrule

    with telling_errors(), database_of(config) as database:
        overrule.retry(database, ids, author())
    say(f"tried again: {', '.join(map(str, ids))}")


@app.command("import", epilog="Example: deskbell ledger import --since 2026-06-01 help@corp.example")
def ledger_import(
    since: Annotated[
        datetime, typer.Option(help="Mail that came on this day or later.", formats=["%Y-%m-%d"], show_default=False)
    ],
    mailbox: Annotated[
        str | None, typer.Argument(help="Only this mailbox, by its address.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in old mail that lay in the folders before they were watched: as history, without a word to anybody.

    Replies to it then find their request. Nothing is changed on the server. Run it again after an interruption: what is
    in the ledger is not taken twice. The daemon settles the mails when no new mail waits.
    """
    from service import printing, shown
    from service.history import Import, TakenIn, old_folders, take_in

    with telling_errors():
        chosen = old_folders(settings_of(config), mailbox)
        with database_of(config) as database, printing.bar() as told:
            found = list(take_in(chosen, Import(database, since.date(), datetime.now(UTC), told)))
    if not chosen:
        say("no folder is watched: all mail comes by a door or a pipe")
    taken = [one for one in found if isinstance(one, TakenIn)]
    if as_json:
        print_json([shown.taken_in(one) for one in taken])
    else:
        printing.taken_in(taken)
    unknown = [one for one in found if not isinstance(one, TakenIn)]
    for one in unknown:
        say(f"{one.mailbox} {one.folder}: not taken in: {one.why}")
    if unknown:
        raise typer.Exit(REFUSED)
