"""What doctor says of the markers in a mailbox: who serves its folders. Read-only; nothing is written or renewed."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.exc import DatabaseError

from desk import marker
from desk.marker import FOLDER, Installed, Ourselves, Seen
from intake.mailbox import FolderMissing, MailboxError
from intake.shelf import Shelf
from service.accounts import account_of
from service.claim import Noted, ServedByCopy, ServedElsewhere, markers, noted_of, who
from service.doctor_account import CONNECT_SECONDS, READ_SECONDS
from service.finding import Finding, bad, ok, skipped, warn
from service.health import ago
from service.installation import installed, is_missing, reading
from service.secrets import SecretError
from service.settings import Mailbox, Settings
from store.schema import DatabaseUnusable, SchemaMismatch

_NOBODY = Installed("", "", datetime.min.replace(tzinfo=UTC))


def served(settings: Settings, mailbox: Mailbox) -> Iterator[Finding]:
    """Whether another deskbell serves a folder of the mailbox, and whether ours can say that it does."""
    assert mailbox.imap is not None
    account = replace(account_of(mailbox.imap), connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    try:
        with closing(Shelf.examine(account, FOLDER)) as shelf:
            mails = shelf.mails()
    except FolderMissing:  # nobody has written one yet; no mail is touched, here and below
        mails = []
    except (MailboxError, SecretError):
        yield skipped(f"marker {mailbox.address}", "the mailbox cannot be read", "see the line of its login")
        return
    for folder in mailbox.imap.folders:
        yield _told(f"marker {mailbox.address} {folder}", markers(mails, folder), *_known(settings, mailbox, folder))


def _known(settings: Settings, mailbox: Mailbox, folder: str) -> tuple[Installed, Noted]:
    """Who we are and what we noted; nobody and nothing where there is no database of ours."""
    try:
        if is_missing(settings):
            return _NOBODY, Noted()
        with reading(settings) as database, database.read() as connection:
            return installed(database), noted_of(connection, mailbox.address, folder)
    except (SchemaMismatch, DatabaseUnusable, DatabaseError):  # its own check tells
        return _NOBODY, Noted()


def _told(check: str, seen: list[Seen], known: Installed, noted: Noted) -> Finding:
    now = datetime.now(UTC)
    ours = Ourselves(known.instance, known.place, frozenset(noted.nonces))
    other = marker.rival(seen, ours, now)
    if other is not None:
        kind = ServedByCopy if marker.is_copy(other.marker, ours) else ServedElsewhere
        return bad(check, str(kind(who(other))), "two would answer each mail twice")
    if noted.trouble:
        words = f"none can be kept: {noted.trouble}: a second deskbell on this mailbox would not be noticed"
        return warn(check, words, f"let the account make the folder {FOLDER} and write in it")
    mine = [one.at for one in seen if one.marker.instance == known.instance]
    if mine:
        return ok(check, f"this database serves the folder; said {ago(now - max(mine))} ago")
    return ok(check, "nobody serves the folder yet: deskbell run says so in the mailbox, and renews it")
