"""`deskbell requests`: what people asked for."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    REFUSED,
    USAGE,
    ConfigOption,
    JsonOption,
    agreed,
    author,
    database_of,
    fail,
    one_of,
    print_json,
    say,
    settings_of,
    telling_errors,
)

if TYPE_CHECKING:
    from service.erasing import Erasable

app = typer.Typer(help="Requests: what people asked for.", no_args_is_help=True)


def _states(incomplete: str) -> list[str]:
    from desk.lifecycle import State

    return [state for state in State if state.startswith(incomplete)]


@app.command("list", epilog="Example: deskbell requests list --department it --state new")
def requests_list(
    config: ConfigOption = None,
    department: Annotated[str | None, typer.Option(help="Only of this department, by its key, such as it.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only in this state: new, answered or open.", autocompletion=_states)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List requests, newest first. Of a confidential department only with --department KEY who wrote and about what."""
    from desk.lifecycle import State
    from service import narrowed, printing, shown
    from service.confidential import hiding, neutral
    from store import requests

    with telling_errors(), database_of(config) as database, database.read() as connection:
        wanted = one_of(State, state, "state") if state is not None else None
        narrowed.to_department(settings_of(config), connection, department)
        hides = hiding(settings_of(config), asked_for=department)
        every = requests.every(connection, department=department, state=wanted)
        found = [neutral(one) if hides(one) else one for one in every]
        if as_json:
            histories = requests.entries(connection, [one.number for one in every if not hides(one)])
            print_json([shown.request(one, histories.get(one.number, [])) for one in found])
        else:
            printing.requests(found)


@app.command("show", epilog="Example: deskbell requests show R-1042")
def requests_show(
    reference: Annotated[str, typer.Argument(help="The request's reference, R-1042.", show_default=False)],
    config: ConfigOption = None,
    department: Annotated[
        str | None, typer.Option(help="Its department by its key; needed where that one is confidential.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one request with its history."""
    from desk.request import number_of
    from service import narrowed, printing, shown
    from service.confidential import confidential_departments, hiding
    from store import requests

    number = number_of(reference)
    if number is None:
        fail(f"{reference!r} is no reference: R- and a number, such as R-1042", USAGE)
    with telling_errors(), database_of(config) as database, database.read() as connection:
        narrowed.to_department(settings_of(config), connection, department)
        found = requests.find(connection, number)
        if found is None:
            fail(f"there is no request {reference}", REFUSED)
        if hiding(settings_of(config), asked_for=department)(found):
            hidden = confidential_departments(settings_of(config)).intersection(found.departments)
            names = " or ".join(f"--department {one}" for one in found.departments if one in hidden)
            fail(f"{reference} is of a confidential department: name it by {names}", REFUSED)
        if department not in {None, *found.departments}:
            fail(f"{reference} is of department {' and '.join(found.departments)}, not of {department}", REFUSED)
        history = requests.entries(connection, [number])[number]
        if as_json:
            print_json(shown.request(found, history))
        else:
            printing.request(found, history)


@app.command("search", epilog="Example: deskbell requests search printer paper --department it")
def requests_search(
    words: Annotated[list[str], typer.Argument(help="Words that all occur in a request.", show_default=False)],
    config: ConfigOption = None,
    department: Annotated[str | None, typer.Option(help="Only of this department, by its key, such as it.")] = None,
    limit: Annotated[int, typer.Option(help="So many at most.", min=1)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Find requests by words in subject, requester and history, newest first.

    Case and accents do not matter, and a word is found inside a longer one. Requests of confidential departments are
    never searched.
    """
    from service import narrowed, printing, shown
    from service.confidential import confidential_departments
    from service.search import Question, search

    if not all(word.strip() for word in words):
        fail("an empty word is in every request: say what you look for", USAGE)
    with telling_errors(), database_of(config) as database, database.read() as connection, printing.bar() as told:
        narrowed.to_department(settings_of(config), connection, department)
        hidden = confidential_departments(settings_of(config))
        if department in hidden:
            fail(f"the department {department} is confidential: its requests are not searched", REFUSED)
        found = search(connection, Question(words, department, hidden, limit), told)
    if as_json:
        print_json([shown.request(*one) for one in found.matches])
    else:
        printing.requests([one for one, _ in found.matches])
    if found.more:
        say(f"more requests match: these are the newest {limit}; add a word, or give --limit")


@app.command("erase", epilog="Example: deskbell requests erase R-1042 R-1043")
def requests_erase(
    references: Annotated[
        list[str], typer.Argument(help="The requests' references, R-1042.", show_default=False, metavar="REFERENCE...")
    ],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it is wanted.")] = False,
) -> None:
    """Erase what requests were about and who asked: mails, history, names and addresses. Of several, all or none.

    What stays is a row with reference, department, state and moments. Nothing brings the rest back, and a mail that
    continues such a request opens a new one. The mails in the mailbox, and copies of the database, are yours to delete.
    """
    from desk.request import number_of, reference_of
    from service.erasing import erasable, erase

    numbers = {one: number_of(one) for one in references}
    for one, number in numbers.items():
        if number is None:
            fail(f"{one!r} is no reference: R- and a number, such as R-1042", USAGE)
    wanted = list(dict.fromkeys(number for number in numbers.values() if number is not None))
    with telling_errors(), database_of(config) as database:
        for found in erasable(database, wanted):
            say(_asked_about(found))
        agreed("Erase for good?", yes=yes)
        mails = erase(database, wanted, author())
    say(f"erased: {', '.join(map(reference_of, wanted))}; {mails} {'mail' if mails == 1 else 'mails'}")


def _asked_about(found: "Erasable") -> str:
    """What is known of a request without a word of it."""
    one = found.request
    unanswered = "; an answer was promised, and nobody has answered" if found.unanswered else ""
    opened = f"{one.opened.astimezone():%Y-%m-%d}"
    return f"{one.reference}: {one.department}, {one.state}, opened {opened}, entries: {found.entries}{unanswered}"
