"""`deskbell init`: from answers to an installation that run can start: servers asked, floors recorded."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from desk.errors import RefusedError
from intake.mailbox import Folder
from service import doctor_account, doctor_relay
from service.accounts import account_of
from service.calendars import system_zone_name
from service.doctor import NETWORK_SECONDS, Check, within
from service.finding import Finding, is_bad
from service.house import House, Surroundings, build_house
from service.installation import prepare
from service.parser import InlineParser
from service.pipeline import Pipeline, Ports
from service.settings import Mailbox, Settings, load
from service.setup_answers import Answers
from service.setup_files import files_of
from service.setup_write import establish
from service.transactions import DirectTransactions
from service.watch import FolderWatch, Spec, WatchPorts
from store.database import Database

Tell = Callable[[Finding], None]


class ChecksFailed(RefusedError):
    """A server does not do what it must; nothing was written."""


def found_installation(folder: Path, answers: Answers, *, tell: Tell | None) -> list[Path]:
    """The files of a new installation, all or none; tell hears each check, None asks no server at all.

    Where the servers were asked, each folder's floor is recorded: what lies in it now will be left alone. Raises
    AlreadyThere, ChecksFailed, SettingsError, RoutingError, OSError.
    """

    def made(config: Path) -> None:
        settings = load(config)
        if tell is not None:
            _ask_servers(settings, tell)
        database = Database(settings.database.url)
        try:
            house = _house(settings, database)
            if tell is not None:
                _record_floors(settings, house, database)
        finally:
            database.close()

    return establish(folder.absolute(), files_of(answers), made)


def _house(settings: Settings, database: Database) -> House:
    """Key and schema are made; departments, calendars and rules are readable."""
    zone = system_zone_name(os.environ, Path("/etc/localtime"))
    return build_house(settings, Surroundings(prepare(database, settings), zone))


def _ask_servers(settings: Settings, tell: Tell) -> None:
    found = []
    for check in _checks(settings):
        for finding in within(check):
            tell(finding)
            found.append(finding)
    if is_bad(found):
        raise ChecksFailed(
            "nothing was written: correct what is bad above and begin again, or write it unchecked with --unchecked"
        )


def _checks(settings: Settings) -> Iterator[Check]:
    for mailbox in settings.mailbox:
        yield Check(mailbox.address, lambda one=mailbox: doctor_account.account(one), NETWORK_SECONDS)  # type: ignore[misc]
    yield Check("relay", lambda: doctor_relay.relay(settings), NETWORK_SECONDS)


def _record_floors(settings: Settings, house: House, database: Database) -> None:
    """As run does at its first look: each folder begins behind its last mail."""
    transactions = DirectTransactions(database)
    pipeline = Pipeline(Ports(database, transactions, InlineParser(), _now), house, epoch=0)
    for mailbox in settings.mailbox:
        for name in mailbox.imap.folders if mailbox.imap else ():
            watch = FolderWatch(
                Spec(mailbox.address, name, "nothing", settings.limits.message_octets),
                WatchPorts(
                    open=lambda one=mailbox, folder=name: _opened(one, folder),  # type: ignore[misc]
                    pipeline=pipeline,
                    database=database,
                    transactions=transactions,
                    now=_now,
                ),
            )
            watch.open()
            watch.close()


def _opened(mailbox: Mailbox, folder: str) -> Folder:
    assert mailbox.imap is not None
    return Folder.open(account_of(mailbox.imap), folder)


def _now() -> datetime:
    return datetime.now(UTC)
