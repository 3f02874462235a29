"""Single commands around an installation: deliver, upgrade, systemd, man."""

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.common import REFUSED, USAGE, ConfigOption, JsonOption, fail, print_json, settings_of, telling_errors

if TYPE_CHECKING:
    from service.manual import Described


def add_to(app: typer.Typer) -> None:
    """The commands are commands of the app."""
    mta = "deskbell deliver --mailbox help@corp.example --sender anna@corp.example < mail.eml"
    app.command("deliver", epilog=f"Example: {mta}")(deliver)
    app.command("upgrade", epilog="Example: deskbell upgrade --check")(upgrade)
    app.command("systemd", epilog="Example: deskbell systemd > /etc/systemd/system/deskbell.service")(systemd)
    app.command("man", epilog="Example: deskbell man > /usr/local/share/man/man1/deskbell.1")(man)


def deliver(
    mailbox: Annotated[
        list[str],
        typer.Option(
            help="A mailbox the mail is for: its address or an alias, with or without a plus-tag. May be repeated.",
            show_default=False,
        ),
    ],
    config: ConfigOption = None,
    sender: Annotated[
        str | None,
        typer.Option(
            help="The envelope sender; empty, <> or MAILER-DAEMON for none. Else SENDER of the environment, if set.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Take one mail from an MTA's pipe, on stdin. It is durable when this ends with 0; the daemon settles it.

    Exit codes for the MTA: 0 taken; 75 keep it and try again, whatever the trouble is; 69 return it to its sender,
    because it is larger than limits.message_octets.
    """
    from desk.errors import UserError
    from service.deliver import TEMPORARY, NotDelivered, handed, tell
    from service.deliver import deliver as take

    try:
        take(settings_of(config), handed(mailbox, sender, os.environ), sys.stdin.buffer, now=datetime.now(UTC))
    except NotDelivered as refusal:
        tell(str(refusal))
        raise typer.Exit(refusal.code) from None
    except UserError as error:
        tell(f"4.3.5 {error}")
        raise typer.Exit(TEMPORARY) from None


def upgrade(
    config: ConfigOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether it is needed: exit code 1 if so. Changes nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to the schema of this program, with a copy of it beside it first.

    Refused while deskbell runs. All of it is done or nothing; a database newer than this program is refused.
    """
    from service import printing
    from service.upgrade import Upgraded, versions
    from service.upgrade import upgrade as bring_up

    os.umask(0o077)  # as `run` does: a copy of the database holds everybody's mail
    with telling_errors():
        settings = settings_of(config)
        if check:
            done = Upgraded(versions(settings), None)
        else:
            with printing.bar() as told:
                done = bring_up(settings, told)
    found, needed = done.versions.found, done.versions.needed
    if as_json:
        print_json({"from": found, "to": needed, "copy": str(done.copy) if done.copy else None})
    elif not done.versions.is_outdated:
        print(f"The database has schema {found}: nothing to do.")
    elif check:
        print(f"The database has schema {found}, this program needs {needed}: run `deskbell upgrade`.")
    else:
        as_it_was = f" As it was: {done.copy}" if done.copy else ""
        print(f"The database had schema {found} and has {needed} now.{as_it_was}")
    if check and done.versions.is_outdated:
        raise typer.Exit(REFUSED)


def systemd(
    config: ConfigOption = None,
    user: Annotated[str, typer.Option(help="The system user that runs deskbell.")] = "deskbell",
) -> None:
    """Print a systemd unit for this program and this configuration: hardened, with notification and watchdog."""
    from service.unit import Service, unit

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", user):
        fail(f"--user {user!r}: accepted is the name of a system user, such as deskbell", USAGE)
    with telling_errors():
        settings = settings_of(config)
    print(unit(Service(Path(sys.argv[0]).absolute(), settings, user)), end="")


def man(context: typer.Context) -> None:
    """Print the man page: every command with its options. Read it at once with `deskbell man | man -l -`."""
    from importlib.metadata import version

    from service.manual import page

    program, *commands = _described("", context.find_root().command)
    print(page(program, commands, version=version("deskbell")), end="")


def _described(above: str, command: Any) -> Iterator["Described"]:
    """The command, and all below it."""
    from service.manual import Described

    words = f"{above} {command.name}".strip()
    inner = getattr(command, "commands", {})
    if not inner or not above:
        context = typer.Context(command, info_name=command.name)
        records = (option.get_help_record(context) for option in command.params if not option.hidden)
        options = [(str(name), str(meaning)) for name, meaning in filter(None, records)]
        yield Described(words, command.help or "", options, (command.epilog or "").removeprefix("Example: "))
    for one in inner.values():
        if not one.hidden:
            yield from _described(words, one)
