"""The key file: made once, mode 600, and never made anew for a database that was used with another one.

A line is `name secret`, or `name secret since` for a key that was added later. The last one signs; the older ones stay,
because what they have signed comes back for years.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from string import ascii_lowercase

from desk.errors import UserError
from desk.token import Key, Keyring

FIRST_NAME = "a"
SECRET_OCTETS = 32
TAKEN_OVER = timedelta(seconds=30)
"""Within this every running daemon has taken over a key that was added: from then on mail is answered under it."""


class KeyTrouble(UserError):
    """The key file cannot be used; the text says why and what to do."""


def read_keys(path: Path) -> Keyring:
    """The keys of the file, one a line, oldest first. Raises KeyTrouble."""
    keys = tuple(_key(path, line.split()) for line in _lines(path))
    names = [key.name for key in keys]
    if len(set(names)) < len(names):
        raise KeyTrouble(f"{path}: two keys have the same name: restore the file from a backup")
    return Keyring(keys)


def _lines(path: Path) -> list[str]:
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii", "replace")
    except OSError as error:  # no mail is in hand yet: nothing runs without a key
        raise KeyTrouble(f"{path}: cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise KeyTrouble(f"{path}: others may read the key: chmod 600 {path}")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeyTrouble(f"{path}: holds no key: restore it from a backup")
    return lines


def make_keys(path: Path, random_octets: Callable[[int], bytes]) -> Keyring:
    """A new key file with one key, durable before anything is signed with it. Raises KeyTrouble if there is one."""
    key = Key(FIRST_NAME, random_octets(SECRET_OCTETS))
    _write(path, [_line(key)])
    return Keyring((key,))


def add_key(path: Path, random_octets: Callable[[int], bytes], now: datetime) -> Keyring:
    """The file has one more key, which signs; the older ones, owner and mode are as they were. Raises KeyTrouble.

    All or nothing: a new file takes the place of the old one once it is durable.
    """
    place = path.resolve()
    keyring, lines = read_keys(place), _lines(place)
    free = [name for name in ascii_lowercase if name not in {key.name for key in keyring.keys}]
    if not free:
        raise KeyTrouble(f"{path}: has {len(ascii_lowercase)} keys, one for each letter: no more can be added")
    key = Key(free[0], random_octets(SECRET_OCTETS), since=now.replace(microsecond=0) + TAKEN_OVER)
    new = place.with_name(f"{place.name}.new")
    if new.exists():
        raise KeyTrouble(f"{new} is there: another rotation runs now, or one broke off: then remove that file")
    _write(new, [*lines, _line(key)])
    _replace(new, place)
    return Keyring((*keyring.keys, key))


def _replace(new: Path, old: Path) -> None:
    try:
        known = old.stat()
        if os.geteuid() == 0:  # whoever runs deskbell must be able to read it
            os.chown(new, known.st_uid, known.st_gid)
        new.replace(old)
    except OSError as error:  # no mail is in hand, and the old file is as it was
        new.unlink(missing_ok=True)
        raise KeyTrouble(f"{old}: cannot be replaced: {error.strerror}") from error
    _make_durable(old.parent)


def _line(key: Key) -> str:
    since = f" {key.since.isoformat()}" if key.since else ""
    return f"{key.name} {base64.b64encode(key.secret).decode('ascii')}{since}"


def _write(path: Path, lines: Sequence[str]) -> None:
    """A new file that is durable, and readable by its owner alone. Raises KeyTrouble if there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:  # no mail is in hand yet: nothing runs without a key
        raise KeyTrouble(f"{path}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # no mail is in hand; half a key must not be taken for one
        path.unlink(missing_ok=True)
        raise KeyTrouble(f"{path}: cannot be written: {error.strerror}") from error
    _make_durable(path.parent)


def _make_durable(folder: Path) -> None:
    """The names in the folder survive a power cut: without that it leaves a database whose key is gone."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def fingerprint(keyring: Keyring) -> str:
    """What a database remembers of its oldest key, so that a foreign one is noticed."""
    return fingerprint_of(keyring.keys[0])


def fingerprint_of(key: Key) -> str:
    """What tells the key from any other of that name, and tells nothing of its secret."""
    return hashlib.sha256(b"deskbell key\0" + key.secret).hexdigest()[:32]


def _key(path: Path, line: list[str]) -> Key:
    try:
        name, encoded, *rest = line
        secret = base64.b64decode(encoded, validate=True)
        (since,) = map(datetime.fromisoformat, rest) if rest else (None,)
    except ValueError:  # as above: nothing runs without a key
        raise KeyTrouble(
            f"{path}: a line is not `name secret` or `name secret since`: restore the file from a backup"
        ) from None
    if len(name) != 1 or name not in ascii_lowercase or len(secret) < SECRET_OCTETS:
        raise KeyTrouble(f"{path}: a key needs a one-letter name and {SECRET_OCTETS} octets of secret")
    if since is not None and since.utcoffset() is None:
        raise KeyTrouble(f"{path}: since when key {name} signs needs a zone, such as 2026-11-23T09:00:00+00:00")
    return Key(name, secret, since)
