"""`deskbell init`, `doctor`, `health`: setting it up, and knowing that it works."""

import os
import sys
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

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
    app.command(epilog="Example: deskbell init --folder /etc/deskbell --from answers.toml")(init)
    app.command(epilog="Example: deskbell doctor --config config.toml --send-to me@corp.example")(doctor)
    app.command(epilog="Example: deskbell health --config /etc/deskbell/config.toml || echo 'deskbell needs you'")(
        health
    )


def init(
    folder: Annotated[
        Path, typer.Option(help="Where everything is to be kept; made where it is not there, mode 700.")
    ] = Path("/etc/deskbell"),
    answers_file: Annotated[
        Path | None,
        typer.Option("--from", help="Take the answers from this file (TOML) and ask nothing.", show_default=False),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(help="m365, google or generic: print what its administrator has to type.", show_default=False),
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Ask no server; with --from. No folder's beginning is recorded then.")
    ] = False,
) -> None:
    """Set up an installation: a few questions, then config.toml, routing.toml, key and database, all or none.

    Servers and logins are tried before anything is written. Nothing that exists is overwritten. Secrets go into files
    of their own. Mailboxes begin in mode "observe": requests are made, nothing is sent. What lies in their folders now
    is left alone.
    """
    from service.setup import found_installation
    from service.setup_answers import Provider, read_answers, require_complete
    from service.setup_ask import Person, interview
    from service.setup_provider import commands

    if provider is not None and provider not in get_args(Provider):
        fail(f"{provider!r} is no provider: accepted are {', '.join(get_args(Provider))}", USAGE)
    if unchecked and answers_file is None:
        fail("--unchecked goes with --from: questions are checked as they are answered", USAGE)
    os.umask(0o077)  # The database will hold everybody's mail.
    with telling_errors():
        if answers_file is None:
            answers = interview(Person(_answer, _say), cast("Provider", provider or "generic"), print)
        else:
            answers = read_answers(answers_file, provider=cast("Provider | None", provider))
            if provider is not None:
                client_id = answers.oauth.client_id if answers.oauth else None
                print(commands(answers.provider, [one.address for one in answers.mailbox], client_id=client_id))
            require_complete(answers, answers_file)
        made = found_installation(folder, answers, tell=None if unchecked else _say_finding)
    for path in made:
        _say(f"written: {path}")
    config = made[-1]
    _say(f"next:    deskbell doctor --config {config}")
    _say(f"         deskbell run --config {config}")


def _answer(question: str, hidden: bool) -> str:
    """One line of the person at the terminal, or of a pipe; EOFError where there is none."""
    if hidden and sys.stdin.isatty():
        return getpass(question, stream=sys.stderr)
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        raise EOFError
    return line.removesuffix("\n")


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _say_finding(one: "Finding") -> None:
    from service import printing

    printing.findings([one], file=sys.stderr)


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
