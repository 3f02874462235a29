"""The command line: parse arguments, call service, print. Data goes to stdout, talk and errors to stderr.

Exit codes: 0 done, 1 refused or found faulty for a stated reason, 2 usage or configuration.
"""

import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from service.house import House
    from service.settings import Settings
    from store.database import Database

REFUSED, USAGE = 1, 2

app = typer.Typer(
    name="deskbell",
    help="Turns the mail of shared mailboxes into requests, answers each with an honest date, and loses nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
requests_app = typer.Typer(help="Requests: what people asked for.", no_args_is_help=True)
ledger_app = typer.Typer(help="The ledger: what became of each mail.", no_args_is_help=True)
config_app = typer.Typer(help="The configuration in use.", no_args_is_help=True)
app.add_typer(requests_app, name="requests")
app.add_typer(ledger_app, name="ledger")
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", help="config.toml; else DESKBELL_CONFIG, else /etc/deskbell/config.toml.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def main() -> None:
    """Run the command line."""
    app()


@app.command(epilog="Example: deskbell run --config /etc/deskbell/config.toml")
def run(config: ConfigOption = None) -> None:
    """Serve the mailboxes until stopped (SIGTERM, Ctrl-C).

    The first run creates the database and the key. Departments, calendars and rules come from routing.toml beside
    config.toml where there is one, else from the starter set.
    """
    from service.daemon import Daemon, Foundation
    from service.house import UNSIGNED
    from service.installation import begin, locked
    from service.logs import begin as begin_log
    from service.logs import say
    from store.database import Database

    os.umask(0o077)  # The database holds everybody's mail.
    with _errors():
        settings = _settings(config)
        lines = begin_log(settings.log)
        if settings.exposes_passwords:
            warnings = logging.getLogger("deskbell")
            warnings.warning("%s holds a password and everyone may read it: chmod o-r it", settings.path)
        house = _house(settings, UNSIGNED)  # A broken one is refused before anything is created.
        with locked(settings):
            database = Database(settings.database.url)
            keyring, epoch = begin(database, settings)
            daemon = Daemon(Foundation(settings, replace(house, keyring=keyring), database, epoch))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: daemon.stop())
            # What is loaded by now stays: the collector need not look at it after every batch of mail.
            gc.collect()
            gc.freeze()
            # Threads hand over to one another several times a mail; at 5 ms each the waiting would be most of the time.
            sys.setswitchinterval(0.0005)
            daemon.run(ready=lambda: say("ready"))
            database.close()
        lines.close()


@app.command(epilog="Example: deskbell explain --json mail.eml folder/ - < other.eml")
def explain(
    paths: Annotated[list[str], typer.Argument(help='Mails (RFC 5322), folders of mails, or "-".', show_default=False)],
    config: Annotated[
        Path | None, typer.Option("--config", help="Judge by this config.toml; else by DESKBELL_CONFIG, if set.")
    ] = None,
    now: Annotated[
        datetime | None,
        typer.Option(
            help="Count promised moments from here: 2026-11-23T09:00:00+01:00.",
            formats=["%Y-%m-%dT%H:%M:%S%z"],
            metavar="MOMENT",
        ),
    ] = None,
    mbox: Annotated[bool, typer.Option("--mbox", help="Read every file as an mbox.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for each mail.")] = False,
) -> None:
    """Say what deskbell makes of mails, without touching anything. Without a configuration the mail alone is judged."""
    from service.explain import Explainer, listed, mails
    from service.parser import ParserProcess
    from service.printing import explained, progress

    with _errors():
        configured = config is not None or "DESKBELL_CONFIG" in os.environ
        house = _configured_house(config) if configured else _starter_house()
        parser = ParserProcess()
        explainer = Explainer(house, parser, now or datetime.now().astimezone(), configured)
        places = listed(paths, mbox_wanted=mbox)
        for place in progress(places):
            for found in mails(place):
                said = explainer.explain(found)
                print(json.dumps(said) if as_json else explained(said))
        parser.close()


@requests_app.command("list", epilog="Example: deskbell requests list --department it --state new")
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

    with _errors(), _database(config) as database, database.read() as connection:
        wanted = _one_of(State, state, "state") if state else None
        found = requests.every(connection, department=department, state=wanted)
        histories = requests.entries(connection, [one.number for one in found]) if as_json else {}
        if as_json:
            _print_json([shown.request(one, histories[one.number]) for one in found])
        else:
            printing.requests(found)


@requests_app.command("show", epilog="Example: deskbell requests show R-1042")
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
        _fail(f"{reference!r} is no reference: R- and a number, such as R-1042", USAGE)
    with _errors(), _database(config) as database, database.read() as connection:
        found = requests.find(connection, number)
        if found is None:
            _fail(f"there is no request {reference}", REFUSED)
        history = requests.entries(connection, [number])[number]
        if as_json:
            _print_json(shown.request(found, history))
        else:
            printing.request(found, history)


@ledger_app.command("list", epilog="Example: deskbell ledger list --fate quarantined")
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

    with _errors(), _database(config) as database, database.read() as connection:
        wanted = _one_of(Fate, fate, "fate") if fate else None
        found = ledger.every(connection, mailbox=mailbox, fate=wanted)
        if as_json:
            _print_json([shown.line(one) for one in found])
        else:
            printing.ledger(found)


@ledger_app.command("show", epilog="Example: deskbell ledger show 17")
def ledger_show(
    arrival: Annotated[int, typer.Argument(help="The arrival's id, as listed.", show_default=False)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one arrival with everything that led to its fate."""
    from service import printing, shown
    from store import ledger

    with _errors(), _database(config) as database, database.read() as connection:
        found = ledger.find(connection, arrival)
        if found is None:
            _fail(f"there is no arrival {arrival} in the ledger", REFUSED)
        if as_json:
            _print_json(shown.arrival(found))
        else:
            printing.arrival(found)


@config_app.command("show", epilog="Example: deskbell config show --config config.toml")
def config_show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show each setting with its value and where it comes from; passwords only by their source."""
    from service import printing
    from service.settings import describe

    with _errors():
        rows = describe(_settings(config))
        if as_json:
            _print_json([{"key": row.key, "value": row.value, "origin": row.origin} for row in rows])
        else:
            printing.settings(rows)


def _settings(config: Path | None) -> "Settings":
    from service.settings import find, load

    return load(find(config, os.environ))


def _house(settings: "Settings", keyring: Any) -> "House":
    from service.calendars import system_zone_name
    from service.house import Surroundings, build_house

    return build_house(settings, Surroundings(keyring, system_zone_name(os.environ, Path("/etc/localtime"))))


def _configured_house(config: Path | None) -> "House":
    from service.house import UNSIGNED

    return _house(_settings(config), UNSIGNED)


def _starter_house() -> "House":
    from service.calendars import system_zone_name
    from service.house import UNSIGNED, Surroundings, starter_house

    return starter_house(Surroundings(UNSIGNED, system_zone_name(os.environ, Path("/etc/localtime"))))


@contextmanager
def _database(config: Path | None) -> Iterator["Database"]:
    from service.installation import reading

    with reading(_settings(config)) as database:
        yield database


@contextmanager
def _errors() -> Iterator[None]:
    """Errors that have words for people end the command with those words and the exit code for them."""
    from desk.errors import UserError

    try:
        yield
    except UserError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror}".lstrip(": "), REFUSED)


def _one_of(values: Any, given: str, what: str) -> Any:
    try:
        return values(given)
    except ValueError:
        _fail(f"{given!r} is no {what}: accepted are {', '.join(values)}", USAGE)


def _fail(words: str, code: int) -> NoReturn:
    print(f"deskbell: {words}", file=sys.stderr)
    raise typer.Exit(code)


def _print_json(value: Sequence[Any] | dict[str, Any]) -> None:
    print(json.dumps(value, indent=2))


if __name__ == "__main__":
    main()
