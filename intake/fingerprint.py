"""The content key: the same mail by another hop has the same one (design.md section 8.19)."""

import hashlib
from collections.abc import Sequence

from intake import decode
from intake.fields import Fields
from intake.mime import Leaf, Tree

IDENTITY = ("message-id", "from", "date", "subject")


def content_key(fields: Fields, mail: Tree, raw: bytes) -> str:
    """Hex SHA-256 over identity and content without trace headers; over the raw octets where these are unread.

    Equal for another Received, Return-Path, Delivered-To or X- field, other folding, another transfer encoding and
    other line ends; different for any other content. Unequal for a relay that rewrites the text or adds a part.
    """
    if not mail.intact or not any(fields.first(name) for name in IDENTITY):
        return hashlib.sha256(raw).hexdigest()
    key = hashlib.sha256()
    for name in IDENTITY:
        key.update(_measured(_identity(fields.all(name))))
    for leaf in mail.leaves:
        key.update(_content(leaf))
    return key.hexdigest()


def _measured(piece: bytes) -> bytes:
    """With its length, so that no text can move from one piece into the next."""
    return b"%d:%b" % (len(piece), piece)


def _content(leaf: Leaf) -> bytes:
    """The content with LF line ends.

    For a binary file its digest: no hop can have changed its line ends, nor have sent it in another encoding than one
    of octets, as a NUL is no text (RFC 2045 sections 2.7 and 2.8).
    """
    if leaf.exact and b"\0" in leaf.octets:
        return b"sha256:" + leaf.digest.encode("ascii")
    return _measured(leaf.octets.replace(b"\r\n", b"\n").rstrip(b"\n"))


def _identity(values: Sequence[bytes]) -> bytes:
    """The field decoded, blanks as one: hops fold and encode anew."""
    decoded = (decode.header(value, hint="cp1252") for value in values)
    return "\n".join(" ".join(value.split()) for value in decoded).encode("utf-8")
