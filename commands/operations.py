"""Single commands around a running installation: deliver."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.common import ConfigOption, settings_of


def add_to(app: typer.Typer) -> None:
    """The commands are commands of the app."""
    mta = "deskbell deliver --mailbox help@corp.example --sender anna@corp.example < mail.eml"
    app.command("deliver", epilog=f"Example: {mta}")(deliver)


def deliver(
    mailbox: Annotated[
        str,
        typer.Option(
            help="The mailbox the mail is for: its address, an alias, either with a plus-tag.", show_default=False
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
