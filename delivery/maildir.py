"""Hands mail over to folders: a Maildir per recipient, which any mail program opens. For the demo and for trying out.

A mail's file name derives from its Message-ID, so that a second sending finds the first and makes no second copy, also
once somebody has read it. What it does not solve: two processes that deliver the same mail at the same moment.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from delivery.transport import Ambiguous, Deferred, Outcome, Outgoing, Refused, Scope, Sent, path_of
from desk.mail import ascii_fold

_LONGEST_NAME = 200
"""Octets; file systems take 255."""


class MaildirTransport:
    """A Transport (see transport.py) into Maildirs below root, which is made when the first mail needs it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def send(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        """The mail lies in new/ of its recipient's Maildir, flushed to disk, once however often it is sent."""
        path = path_of(outgoing)
        if isinstance(path, Refused):
            return path
        folder = self._root / folder_name(path.recipient)
        name = hashlib.sha256(outgoing.message_id.encode("utf-8", "replace")).hexdigest()[:32] + ".deskbell"
        try:
            written = _written(folder, name, outgoing.content)
        except OSError as error:
            # In the outbox only; a half file in tmp/ is overwritten by the next attempt.
            return _deferred(error)
        try:
            before_dot()
        except BaseException:
            # In the outbox only: never renamed, so no reader sees it.
            _forget(written)
            raise
        return _handed_over(folder, written)

    def close(self) -> None:
        """Nothing is kept open between mails."""


def folder_name(address: str) -> str:
    """The address as one folder name: no separator, no leading dot, not too long, equal for equal addresses."""
    name = quote(ascii_fold(address), safe="@+=")
    if len(name) <= _LONGEST_NAME:
        return name
    return name[: _LONGEST_NAME - 33] + "~" + hashlib.sha256(name.encode("ascii")).hexdigest()[:32]


def _written(folder: Path, name: str, content: bytes) -> Path:
    """The mail in tmp/, on disk."""
    if not (folder / "new").is_dir():
        _make(folder)
    path = folder / "tmp" / name
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def _make(folder: Path) -> None:
    # new/ comes last: where it stands, the Maildir is whole.
    for part in ("tmp", "cur", "new"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for changed in (folder, folder.parent):
        _flush(changed)


def _handed_over(folder: Path, written: Path) -> Outcome:
    try:
        if _is_delivered(folder, written.name):
            _forget(written)
            return Sent("delivered before")
        written.rename(folder / "new" / written.name)
    except OSError as error:
        # In the outbox and at most in tmp/: the rename is one step, done or not.
        return _deferred(error)
    try:
        _flush(folder / "new")
    except OSError as error:
        # In new/, but a power cut could undo the rename.
        return Ambiguous(f"the folder could not be flushed: {error}")
    return Sent(f"delivered to {folder.name}")


def _is_delivered(folder: Path, name: str) -> bool:
    """Whether it lies in new/, or in cur/ with whatever flags a reader gave it."""
    return (folder / "new" / name).exists() or any((folder / "cur").glob(f"{name}*"))


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _forget(written: Path) -> None:
    with suppress(OSError):  # what stays in tmp/ is never read
        written.unlink()


def _deferred(error: OSError) -> Deferred:
    return Deferred(f"the mail could not be written: {error}", Scope.CONNECTION)
