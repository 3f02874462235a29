"""The command line: parse arguments, call service, print. Data goes to stdout, talk and errors to stderr."""

import atexit
import gc
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import (
    brake,
    config,
    demo,
    keys,
    ledger,
    mode,
    operations,
    outbox,
    people,
    quarantine,
    requests,
    routing,
    rules,
    setup,
)
from commands.common import ConfigOption, configured_house, house_of, settings_of, starter_house, telling_errors

if TYPE_CHECKING:
    from service.house import House
    from service.settings import Settings
    from service.written import Written

app = typer.Typer(
    name="deskbell",
    help="Turns the mail of shared mailboxes into requests, answers each with an honest date, and loses nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, group in (("requests", requests), ("ledger", ledger), ("config", config), ("brake", brake)):
    app.add_typer(group.app, name=name)
app.add_typer(outbox.app, name="outbox")
app.add_typer(keys.app, name="keys")
app.add_typer(quarantine.app, name="quarantine")
for name, group in (("routing", routing), ("rules", rules), ("people", people)):
    app.add_typer(group.app, name=name)
operations.add_to(app)
setup.add_to(app)
app.command("mode", epilog="Example: deskbell mode help@corp.example receipts")(mode.mode)


def main() -> None:
    """Run the command line."""
    # What is left at the end ends with the process: to look through it for cycles takes a quarter of a short command.
    atexit.register(gc.freeze)
    if sys.argv[1:2] != ["deliver"]:
        app()
        return
    from service.deliver import code_for_an_mta, leave

    leave(code_for_an_mta(app))


@app.command(epilog="Example: deskbell run --config /etc/deskbell/config.toml")
def run(
    config: ConfigOption = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="The deskbell that served these mailboxes before is gone for good.")
    ] = False,
) -> None:
    """Serve the mailboxes until stopped (SIGTERM, Ctrl-C); SIGHUP reads config.toml again.

    The first run creates the database and the key, and stores departments, calendars and rules: those of routing.toml
    beside config.toml where there is one, else the starter set.
    """
    from service.daemon import Daemon, Foundation
    from service.installation import begin, fitting_keys, installed, locked
    from service.logs import begin as begin_log
    from service.logs import say
    from store.database import Database

    os.umask(0o077)  # The database holds everybody's mail.
    with telling_errors():
        settings = settings_of(config)
        lines = begin_log(settings.log)
        if settings.exposes_passwords:
            warnings = logging.getLogger("deskbell")
            warnings.warning("%s holds a password and everyone may read it: chmod o-r it", settings.path)
        configured_house(config)  # A broken one is refused before anything is created.
        with locked(settings):
            database = Database(settings.database.url)
            _, epoch = begin(database, settings)

            def build(settings: "Settings", written: "Written") -> "House":
                return house_of(settings, written, fitting_keys(database, settings.keys.file))

            here = replace(installed(database), takes_over=take_over)
            daemon = Daemon(Foundation(settings, database, epoch, lambda: settings_of(settings.path), build, here))
            signal.signal(signal.SIGHUP, lambda _number, _frame: daemon.reload())
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: daemon.stop())
            # What is loaded by now stays: the collector need not look at it after every batch of mail.
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000, 20, 20)
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

    with telling_errors():
        configured = config is not None or "DESKBELL_CONFIG" in os.environ
        house = configured_house(config) if configured else starter_house()
        parser = ParserProcess()
        explainer = Explainer(house, parser, now or datetime.now().astimezone(), configured)
        places = listed(paths, mbox_wanted=mbox)
        for place in progress(places):
            for found in mails(place):
                said = explainer.explain(found)
                print(json.dumps(said) if as_json else explained(said))
        parser.close()


app.command(epilog="Example: deskbell demo --folder /tmp/morning --no-wait")(demo.demo)
app.command(epilog='Example: deskbell send "My laptop does not start" --from emma@corp.example')(demo.send)
app.command(epilog="Example: deskbell read emma@corp.example --all")(demo.read)


if __name__ == "__main__":
    main()
