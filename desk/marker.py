"""The word that a database leaves in a mailbox it serves, so that no second one serves it unknowingly.

A marker is a small mail in a folder of its own. Each writing carries a nonce, which the database remembers before it is
written: a marker of ours with a nonce we never made was written by a copy of our database.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FOLDER = "Deskbell-State"
"""Where markers lie. It is never watched."""
RENEWED = timedelta(minutes=10)
"""How often a marker is written anew."""
GONE = timedelta(hours=1)
"""A marker that was not renewed for so long belongs to a database that serves no more."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Which database serves a folder: its instance id, where it runs in words, since when, and the nonce of the day."""

    instance: str
    folder: str
    place: str
    since: datetime
    nonce: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A marker as it lies in the mailbox; at: INTERNALDATE."""

    uid: int
    at: datetime
    marker: Marker


@dataclass(frozen=True, slots=True)
class Installed:
    """The database by its instance id, where it runs in words, and since when it does."""

    instance: str
    place: str
    since: datetime
    takes_over: bool = False
    """Whoever served the mailboxes before serves them no more: a person said so."""


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What we know of ourselves: nonces are those we have written or were about to write."""

    instance: str
    place: str
    nonces: frozenset[str]


def written(marker: Marker) -> str:
    """The marker as a text of one line."""
    return json.dumps(
        {
            "instance": marker.instance,
            "folder": marker.folder,
            "place": marker.place,
            "since": marker.since.isoformat(timespec="seconds"),
            "nonce": marker.nonce,
        }
    )


def read(text: str) -> Marker | None:
    """The marker in the text, or None where it holds none."""
    try:
        told = json.loads(text[text.index("{") : text.rindex("}") + 1])
        since = datetime.fromisoformat(told["since"])
        names = [told[name] for name in ("instance", "folder", "place", "nonce")]
    except (ValueError, TypeError, KeyError, RecursionError):  # Somebody else's mail: no marker, and left alone.
        return None
    if since.utcoffset() is None or not all(isinstance(name, str) for name in names):
        return None
    instance, folder, place, nonce = names
    return Marker(instance, folder, place, since, nonce)


def rival(seen: Sequence[Seen], ours: Ourselves, now: datetime) -> Seen | None:
    """The marker of whoever else serves the folder now: another database, or a copy of ours at another place.

    Of each database only the newest marker counts. What is ours by a nonce we made is ours wherever we run; one by
    another nonce at our own place is what our database wrote before it was restored from a backup.
    """
    newest = {one.marker.instance: one for one in sorted(seen, key=lambda one: one.uid)}
    for one in newest.values():
        if now - one.at < GONE and not _is_ours(one.marker, ours):
            return one
    return None


def is_copy(marker: Marker, ours: Ourselves) -> bool:
    """Whether a rival is a copy of our own database."""
    return marker.instance == ours.instance


def _is_ours(marker: Marker, ours: Ourselves) -> bool:
    return marker.instance == ours.instance and (marker.nonce in ours.nonces or marker.place == ours.place)
