"""The folder of an account in which deskbell leaves a word to other deskbells. It holds our own mails alone."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self

from intake.fetched import Fetched
from intake.login import Account, select
from intake.mailbox import Folder
from intake.trouble import FolderMissing, ServerUnreachable, refusable, told_as

NEWEST = 50
"""Mails that are read at most; more can only be somebody else's."""
_OCTETS = 20_000


class Shelf(Folder):
    """The folder, open. Every method but close raises MailboxError."""

    @classmethod
    def made(cls, account: Account, name: str) -> Self:
        """The folder, made where it is not there. Raises as Folder.open, and CommandRefused where it cannot be made."""
        return cls._begun(account, name, _made)

    def mails(self) -> list[Fetched]:
        """The newest mails in it, oldest first."""
        uids = self.uids_above(0)[-NEWEST:]
        return [mail for mails in self.fetch(uids, max_octets=_OCTETS) for mail in mails] if uids else []

    def put(self, name: str, raw: bytes) -> None:
        """The mail lies in the folder of that name, dated by the server. Raises CommandRefused, as for a full box."""
        with self._connection():
            self._wire.collect()
            with refusable("APPEND"):
                self._client.append(name, raw, flags=(b"\\Seen",))

    def take_away(self, uids: Iterable[int]) -> None:
        r"""The mails are gone, with whatever else in this folder was \Deleted. Raises CommandRefused."""
        self.add_flags(uids, "\\Deleted")
        with self._connection():
            self._wire.collect()
            with refusable("EXPUNGE"):
                self._client.expunge()


def _made(client: Any, name: str) -> dict[bytes, Any]:
    with suppress(FolderMissing):  # it is made below
        return select(client, name)
    with told_as(ServerUnreachable), refusable("CREATE"):
        client.create_folder(name)
    return select(client, name)
