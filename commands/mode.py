"""`deskbell mode`: how much deskbell does for a mailbox."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.common import (
    ConfigOption,
    JsonOption,
    one_of,
    print_json,
    settings_of,
    surroundings,
    telling_errors,
)


def mode(
    mailbox: Annotated[str | None, typer.Argument(help="A mailbox, by its address.", show_default=False)] = None,
    wanted: Annotated[
        str | None, typer.Argument(metavar="[MODE]", help="observe, receipts or full.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the modes of mailboxes, or give a mailbox one; a running deskbell obeys at the next mail.

    observe sends nothing but the evening report to the admins, receipts answers senders, full also writes to staff.
    What was owed before is still sent. A mode given here overrides that of config.toml.
    """
    from desk.acknowledge import Mode
    from service import printing
    from service import shown as values
    from service.house import UNSIGNED
    from service.installation import changing, reading
    from service.modes import shown, watched
    from service.routing import stored_house
    from store import modes

    with telling_errors():
        settings = settings_of(config)
        house = stored_house(settings, surroundings(UNSIGNED))
        address = watched(house, mailbox) if mailbox is not None else None
        if address is not None and wanted is not None:
            given = modes.Given(one_of(Mode, wanted, "mode"), datetime.now(UTC), getpass.getuser())
            with changing(settings) as database, database.write() as connection:
                modes.give(connection, address, given)
        with reading(settings) as database, database.read() as connection:
            found = [one for one in shown(house, modes.every(connection)) if address in (None, one.mailbox)]
        if as_json:
            print_json([values.mode(one) for one in found])
        else:
            printing.modes(found)
