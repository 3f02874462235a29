"""`deskbell init`, `doctor`, `health`: setting it up, and knowing that it works."""

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    REFUSED,
    USAGE,
    ConfigOption,
    JsonOption,
    fail,
    print_json,
    settings_of,
    telling_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.finding import Finding


def add_to(app: typer.Typer) -> None:
    """These commands belong to no group: they are added one by one."""
    app.command(epilog="Example: deskbell doctor --config config.toml --send-to me@corp.example")(doctor)
    app.command(epilog="Example: deskbell health --config /etc/deskbell/config.toml || echo 'deskbell needs you'")(
        health
    )


def doctor(
    config: ConfigOption = None,
    send_to: Annotated[
        str | None, typer.Option(help="Send one more mail to this address, for you to look whether it arrives.")
    ] = None,
    no_send: Annotated[bool, typer.Option("--no-send", help="Send no mail at all.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds that a mail may take to come back.", min=1, max=3600)] = 60,
    as_json: JsonOption = False,
) -> None:
    """Check everything that must be right: exit code 0, or 1 where something is bad.

    Files, key, database, departments, calendars, templates, login and folders of each mailbox, the relay, and a mail
    of each mailbox to itself that must come back. Nothing else is changed. A running deskbell files that mail as its
    own; it stays in the mailbox and may be deleted.
    """
    from service.doctor import examine
    from service.doctor_trip import Sending
    from service.judged import is_sendable
    from service.settings import find

    if send_to is not None and (no_send or not is_sendable(send_to)):
        fail("--send-to takes one address such as me@corp.example, and not together with --no-send", USAGE)
    with telling_errors():
        sending = Sending(wanted=not no_send, seconds=wait, also_to=send_to)
        found = []
        for one in examine(find(config, os.environ), sending, _progress):
            found.append(one)
            if not as_json:
                _tell_one(one)
        _progress("")
        if as_json:
            print_json([one.shown() for one in found])
    _end(found)


def _progress(name: str) -> None:
    """What is looked at now, on a line of its own that is overwritten; only where somebody watches."""
    if sys.stderr.isatty():
        words = f"checking {name} ..." if name else ""
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _tell_one(one: "Finding") -> None:
    from service import printing

    _progress("")
    printing.findings([one])


def health(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say in a second whether all is well: exit code 0, or 1 where something is bad. For monitoring.

    It asks the database and the doors, no mail server: is the daemon alive, when was each folder last looked at, does
    mail get settled and sent.
    """
    from service import printing
    from service.health import health as look
    from service.installation import reading

    with telling_errors():
        settings = settings_of(config)
        with reading(settings) as database:
            found = look(database, settings, datetime.now(UTC))
        if as_json:
            print_json([one.shown() for one in found])
        else:
            printing.findings(found)
    _end(found)


def _end(found: "Sequence[Finding]") -> None:
    """Ends the command with exit code 1 where a finding is bad."""
    from service.finding import is_bad

    if is_bad(found):
        raise typer.Exit(REFUSED)
