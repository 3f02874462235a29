"""Keyed names: the Message-IDs of what we send, and the token beside a reference.

Both derive from what they stand for, not from a row number or chance: a restored database or a second worker makes the
same ones again, so that a second copy can be recognised. Nobody without the key can make one.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

TOKEN_LENGTH = 16
"""Base32 characters of the MAC beside a reference: 80 bits."""

_MAC_OCTETS = 20
"""Of the 32 that the hash has: 160 bits, 32 characters of base32; no name of ours has more."""
_BETWEEN = r"[\s>|\u200e\u200f\u2066-\u2069]{1,24}"
"""What a quoting program leaves between the two: spaces of any kind, a line break with quote marks, direction marks."""
_REFERENCE_LINE = re.compile(rf"\bR-(\d{{1,12}}){_BETWEEN}([a-z])([a-z2-7]{{16}})\b", re.IGNORECASE)
_MAX_REFERENCE_LINES = 20
_PROBE = re.compile(r"<probe\.([a-z])\.([0-9a-f]{16})\.([A-Z2-7]{26})@[^<>@\s]+>")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret with a one-letter name, so that an older key can still be told apart."""

    name: str
    secret: bytes
    since: datetime | None = None
    """From when on what comes in is answered under it; None: from the beginning."""

    def __repr__(self) -> str:
        """The name only: the secret never reaches a log."""
        return f"Key({self.name!r})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of an installation, oldest first: the last one signs, each one is recognised."""

    keys: tuple[Key, ...]

    def at(self, moment: datetime) -> "Keyring":
        """The keys of that moment, for the Message-IDs of answers to what came then.

        Whenever they are written they are the same: also by a database that was restored after a key was added.
        """
        begun = [key for key in self.keys if key.since is None or key.since <= moment]
        return Keyring(tuple(begun) or self.keys[:1])

    def mac(self, *values: str) -> tuple[str, str]:
        """Name of the signing key, and the MAC over the values as lower-case base32."""
        return self.keys[-1].name, _mac(self.keys[-1], values)

    def token(self, reference: str, recipient: str) -> str:
        """What stands beside the reference in a mail to that recipient: key name and 16 characters."""
        name, mac = self.mac("reference", reference, recipient)
        return name + mac[:TOKEN_LENGTH]

    def confirms(self, token: str, *, reference: str, recipient: str) -> bool:
        """Whether the token was made for this reference and recipient; case-blind, in constant time."""
        key = next((key for key in self.keys if key.name == token[:1].lower()), None)
        if key is None:
            return False
        expected = _mac(key, ("reference", reference, recipient))[:TOKEN_LENGTH]
        return hmac.compare_digest(expected.encode(), token[1:].lower().encode())

    def message_id(self, kind: str, *, content_key: str, recipient: str, domain: str) -> str:
        """The Message-ID of the one mail of that kind to that recipient about that content (RFC 5322 section 3.6.4).

        Dots and capitals keep it out of filters that take a short lower-case left part for a robot's.
        """
        name, mac = self.mac("message-id", kind, content_key, recipient)
        return f"<{kind}.{name}.{mac[:26].upper()}@{domain}>"

    def probe_id(self, nonce: str, *, domain: str) -> str:
        """The Message-ID of a mail that only tries the way; nonce: 16 hexadecimal digits.

        It proves by itself that it is ours, because nothing of such a mail is kept.
        """
        name, mac = self.mac("probe", nonce)
        return f"<probe.{name}.{nonce}.{mac[:26].upper()}@{domain}>"

    def confirms_probe(self, message_id: str) -> bool:
        """Whether probe_id made it."""
        found = _PROBE.fullmatch(message_id)
        key = next((key for key in self.keys if found and key.name == found[1]), None)
        if found is None or key is None:
            return False
        return hmac.compare_digest(_mac(key, ("probe", found[2]))[:26].upper().encode(), found[3].encode())


def quoted_references(text: str) -> tuple[tuple[str, str], ...]:
    """Each (reference, token) that stands in the text, first one first, at most 20; nothing is verified yet."""
    found = dict.fromkeys(
        (f"R-{int(match[1])}", (match[2] + match[3]).lower()) for match in _REFERENCE_LINE.finditer(text)
    )
    return tuple(found)[:_MAX_REFERENCE_LINES]


def _mac(key: Key, values: tuple[str, ...]) -> str:
    message = "\0".join(values).encode("utf-8", "surrogatepass")
    digest = hmac.digest(key.secret, message, "sha256")
    return base64.b32encode(digest[:_MAC_OCTETS]).decode("ascii").lower()
