"""The keys of an installation as its admin sees them, and one more of them."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from desk.token import Keyring
from service.installation import changing, fitting_keys, reading, remember_keys
from service.keys import add_key
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Listed:
    """A key by its name; signs: what goes out from now on; since: when it was added, None for the first one."""

    name: str
    signs: bool
    since: datetime | None


def listed(settings: Settings) -> list[Listed]:
    """The keys that belong to the database, oldest first. Raises KeyTrouble, SchemaMismatch."""
    with reading(settings) as database:
        return _listed(fitting_keys(database, settings.keys.file))


def rotate(settings: Settings, now: datetime) -> list[Listed]:
    """One more key, which signs from now on; every daemon on this machine follows. Raises as listed, and NotChanged.

    The file comes first: a key that only the database knew of would be taken for lost.
    """
    with changing(settings) as database:
        fitting_keys(database, settings.keys.file)
        keyring = add_key(settings.keys.file, secrets.token_bytes, now)
        with database.write() as connection:
            remember_keys(connection, keyring)
    return _listed(keyring)


def _listed(keyring: Keyring) -> list[Listed]:
    return [Listed(key.name, key is keyring.keys[-1], key.since) for key in keyring.keys]
