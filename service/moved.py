"""Mail that left its folder for the one of settled mail: found again by Message-ID, as a move gives it another UID."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from intake.mailbox import FolderMissing
from intake.parse import parse


class Settled(Protocol):
    """The folder of settled mail, opened read-only (intake.mailbox.Folder)."""

    def uids_above(self, floor: int) -> list[int]:
        """The UIDs greater than floor, ascending."""
        ...

    def fields(self, uids: Sequence[int], name: str) -> Iterator[bytes]:
        """That header field of each of the mails, as it stands there."""
        ...

    def close(self) -> None:
        """End the connection; never raises."""
        ...


def found_again(gone: Mapping[int, str | None], opened: Callable[[], Settled]) -> list[int]:
    """Those of the UIDs whose mail (by Message-ID, None for one without) lies among the settled, ascending.

    As many of an id as lie there, so that one copy does not stand for two. Raises MailboxError, SecretError.
    """
    if not gone:
        return []
    try:
        with closing(opened()) as folder:
            there = Counter(_ids(folder.fields(folder.uids_above(0), "Message-ID")))
    except FolderMissing:  # nothing was ever moved: each mail is in the database, whoever took it from its folder
        return []
    found = []
    for uid, message_id in sorted(gone.items()):
        if there[message_id]:
            there[message_id] -= 1
            found.append(uid)
    return found


def _ids(fields: Iterable[bytes]) -> Iterator[str | None]:
    """Read as an arriving mail is: the ledger has it so."""
    return (parse(field).message_id for field in fields)
