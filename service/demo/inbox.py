"""Reads the mail that was written into Maildirs instead of being sent. Reading marks nothing as read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from delivery.maildir import folder_name
from desk.errors import RefusedError
from desk.mail import Mail
from intake.parse import parse


class NoMail(RefusedError):
    """Nothing was written for this address."""


@dataclass(frozen=True, slots=True)
class Written:
    """One mail as it lies in a Maildir."""

    path: Path
    raw: bytes
    mail: Mail


@dataclass(frozen=True, slots=True)
class Inbox:
    """The Maildirs of all recipients below one folder."""

    root: Path

    def mails(self, address: str) -> list[Written]:
        """The mails that were written for the address, newest first. Raises NoMail."""
        found = self._paths(address)
        if not found:
            raise NoMail(f"nothing was written for {address}: {self._offer()}")
        return [_read(path) for path in found]

    def newest(self, address: str) -> Written:
        """The last one. Raises NoMail."""
        found = self._paths(address)
        if not found:
            raise NoMail(f"nothing was written for {address}: {self._offer()}")
        return _read(found[0])

    def about(self, address: str, message_id: str) -> Written | None:
        """The mail that was written for the address because of the mail with that Message-ID, or None."""
        written = (_read(path) for path in self._paths(address))
        return next((one for one in written if one.mail.in_reply_to == message_id), None)

    def addresses(self) -> Sequence[str]:
        """For whom mail was written, sorted."""
        if not self.root.is_dir():
            return ()
        return sorted(unquote(folder.name) for folder in self.root.iterdir() if (folder / "new").is_dir())

    def _paths(self, address: str) -> list[Path]:
        folder = self.root / folder_name(address)
        found = [path for part in ("new", "cur") for path in (folder / part).glob("*")]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def _offer(self) -> str:
        known = self.addresses()
        return f"there is mail for {', '.join(known)}" if known else "no mail was written for anybody yet"


def _read(path: Path) -> Written:
    raw = path.read_bytes()
    return Written(path, raw, parse(raw))
