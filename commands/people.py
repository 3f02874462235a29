"""`deskbell people`: who works here, under which addresses, and how they like to be written to."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    AuthorOption,
    ConfigOption,
    JsonOption,
    ReasonOption,
    YesOption,
    agreed,
    content_of,
    login_name,
    print_json,
    say,
    settings_of,
    telling_errors,
)

if TYPE_CHECKING:
    from service.people_import import Proposal

app = typer.Typer(help="People: their addresses, languages and zones.", no_args_is_help=True)


@app.command("import", epilog="Example: deskbell people import staff.csv --reason 'new colleagues in March'")
def people_import(  # noqa: PLR0913, PLR0917 - each option is a parameter
    file: Annotated[
        str,
        typer.Argument(
            help="A CSV with a header row: address, and any of aliases, language, zone, country, manager.",
            show_default=False,
        ),
    ],
    config: ConfigOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Forget the people who are not in the file.")] = False,
    yes: YesOption = False,
    reason: ReasonOption = "",
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a file of people would change, ask, and take it over; a running deskbell follows at once.

    Every bad line is named, and then nothing is taken. A column that is not in the file changes nothing.
    """
    from datetime import UTC, datetime

    from service.installation import changing
    from service.people_import import Given, propose, submit

    with telling_errors():
        settings = settings_of(config)
        given = Given(content_of(file), file, replace)
        with changing(settings) as database:
            proposal = propose(database, given, settings)
            _show(proposal, as_json=as_json)
            if not proposal.changes:
                say("everybody is known like this: nothing was changed")
                return
            agreed("Take this over?", yes=yes)
            submit(database, proposal, {"author": author or login_name(), "reason": reason}, now=datetime.now(UTC))
            say("taken over")


@app.command("list", epilog="Example: deskbell people list --json")
def people_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List everybody by their main address."""
    from dataclasses import asdict

    from service import printing
    from service.installation import reading
    from store import people

    with telling_errors(), reading(settings_of(config)) as database, database.read() as connection:
        found = people.everybody(connection)
        if as_json:
            print_json([asdict(one) for one in found])
        else:
            rows = (
                (one.address, " ".join(one.aliases), one.language, one.zone, one.country, one.manager) for one in found
            )
            printing.table(("address", "aliases", "language", "zone", "country", "manager"), rows)


def _show(proposal: "Proposal", *, as_json: bool) -> None:
    from service import printing
    from service.changes import as_values, counted, in_words

    if proposal.ignored:
        say(f"columns that mean nothing here: {printing.safe(', '.join(proposal.ignored))}")
    if as_json:
        print_json({"changes": as_values(proposal.changes)})
    else:
        printing.lines(in_words(proposal.changes))
        say(counted(proposal.changes))
