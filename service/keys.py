"""The key file: made once, mode 600, and never made anew for a database that was used with another one."""

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from desk.errors import UserError
from desk.token import Key, Keyring

FIRST_NAME = "a"
SECRET_OCTETS = 32


class KeyTrouble(UserError):
    """The key file cannot be used; the text says why and what to do."""


def read_keys(path: Path) -> Keyring:
    """The keys of the file, one `name secret` a line, oldest first. Raises KeyTrouble."""
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii", "replace")
    except OSError as error:  # no mail is in hand yet: nothing runs without a key
        raise KeyTrouble(f"{path}: cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise KeyTrouble(f"{path}: others may read the key: chmod 600 {path}")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeyTrouble(f"{path}: holds no key: restore it from a backup")
    return Keyring(tuple(_key(path, line) for line in lines))


def make_keys(path: Path, random_octets: Callable[[int], bytes]) -> Keyring:
    """A new key file with one key, durable before anything is signed with it. Raises KeyTrouble if there is one."""
    secret = random_octets(SECRET_OCTETS)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:  # no mail is in hand yet: nothing runs without a key
        raise KeyTrouble(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{FIRST_NAME} {base64.b64encode(secret).decode('ascii')}\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # the name, too: without it a power cut leaves a database whose key is gone
    os.close(folder)
    return Keyring((Key(FIRST_NAME, secret),))


def fingerprint(keyring: Keyring) -> str:
    """What a database remembers of its oldest key, so that a foreign one is noticed."""
    return hashlib.sha256(b"deskbell key\0" + keyring.keys[0].secret).hexdigest()[:32]


def _key(path: Path, line: list[str]) -> Key:
    try:
        name, encoded = line
        secret = base64.b64decode(encoded, validate=True)
    except ValueError:  # as above: nothing runs without a key
        raise KeyTrouble(f"{path}: a line is not `name secret`: restore the file from a backup") from None
    if len(name) != 1 or not name.islower() or len(secret) < SECRET_OCTETS:
        raise KeyTrouble(f"{path}: a key needs a one-letter name and {SECRET_OCTETS} octets of secret")
    return Key(name, secret)
