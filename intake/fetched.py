"""What one FETCH answer says of a mail (RFC 3501 section 7.4.2), and how much is fetched at once.

A size told by the server is a hint: it decides what is asked for, never what is believed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient.datetime_util import parse_to_datetime

from intake.fields import split

BODIES = 50
"""Mails read by one FETCH."""
BODY_OCTETS = 8_000_000
"""Octets read by one FETCH, by the server's word."""
HEADER_OCTETS = 262_144
"""Octets of header that are read of a mail which is too large."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as the server has it."""

    uid: int
    internal_date: datetime
    """Aware, UTC; the moment of reading where the server tells none that can be read."""
    size: int
    """Octets: of `raw` where it is complete, else as the server told them."""
    raw: bytes
    flags: frozenset[str]
    complete: bool
    """False: too large, `raw` is the header block, at most HEADER_OCTETS of it."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a mail before it is read; `size` in octets, 0 where the server tells none."""

    uid: int
    size: int
    internal_date: datetime
    flags: frozenset[str]


def batches(outlines: Iterable[Outline], max_octets: int) -> Iterator[tuple[bool, list[Outline]]]:
    """The outlines in order, cut before BODIES or BODY_OCTETS are exceeded; True: to be read whole."""
    batch: list[Outline] = []
    weight, whole = 0, True
    for outline in outlines:
        fits = outline.size <= max_octets
        octets = outline.size if fits else min(outline.size, HEADER_OCTETS)
        if batch and (fits != whole or len(batch) == BODIES or weight + octets > BODY_OCTETS):
            yield whole, batch
            batch, weight = [], 0
        batch.append(outline)
        whole, weight = fits, weight + octets
    if batch:
        yield whole, batch


def outlined(uid: int, told: dict[bytes, Any]) -> Outline:
    """The outline in the fields of an answer, whatever they hold."""
    size, flags = told.get(b"RFC822.SIZE"), told.get(b"FLAGS")
    return Outline(
        uid=uid,
        size=size if isinstance(size, int) else 0,
        internal_date=_moment(told.get(b"INTERNALDATE")),
        flags=frozenset(map(_flag, flags if isinstance(flags, tuple) else ())),
    )


def _flag(atom: object) -> str:
    """The flag as text; the parser makes a number of a keyword that is all digits."""
    return atom.decode("utf-8", "replace") if isinstance(atom, bytes) else str(atom)


def _moment(told: object) -> datetime:
    try:
        moment = parse_to_datetime(told, normalise=False) if isinstance(told, bytes) else datetime.now(UTC)
        # "-0000" is read as no zone at all: it means UTC (RFC 5322 section 3.3).
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):  # a date that is none: the mail is read all the same
        return datetime.now(UTC)


def fetched(outline: Outline, raw: bytes, *, max_octets: int) -> Fetched:
    """The mail that was read whole; cut to its header where it came out larger than told, and larger than allowed."""
    if len(raw) > max_octets:  # RFC822.SIZE had said less
        return headed(outline, split(raw)[0], size=len(raw))
    return Fetched(outline.uid, outline.internal_date, len(raw), raw, outline.flags, complete=True)


def headed(outline: Outline, header: bytes, *, size: int) -> Fetched:
    """The mail of which only the header was read or kept; `size` in octets is that of the whole."""
    raw = header[:HEADER_OCTETS]
    return Fetched(outline.uid, outline.internal_date, size, raw, outline.flags, complete=False)
