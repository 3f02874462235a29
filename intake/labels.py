"""Structured fields: Content-Type and Content-Disposition with parameters (RFC 2045, 2183, 2231), read tolerantly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from intake import decode

_MAX_VALUE = 8 * 1024
_MAX_PARAMETERS = 100

_PARAMETER = re.compile(r'[; ] ?([^ =;"]{1,200}) ?= ?("(?:[^"\\]|\\.)*+"?|[^;]*)')
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,5}))?(\*)?")
_COMMENT = re.compile(r"\([^()]*\)")
_ESCAPED = re.compile(r'\\(["\\])')
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Labels:
    """A structured field: its value in lower case and its parameters, decoded (RFC 2231 and 2047), the first one wins.

    A parameter written in the extended or continued form of RFC 2231 has a star behind its name: "filename*".
    """

    value: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> str:
        """The parameter, the form of RFC 2231 first (RFC 6266 section 4.3); empty where there is none."""
        return self.parameters.get(name + "*") or self.parameters.get(name, "")


def labels(value: str) -> Labels:
    """At most 8 KiB and 100 parameters are read; quoted ones are unquoted, continued ones put together.

    value is ASCII, each other octet as a lone surrogate.
    """
    value = " ".join(value[:_MAX_VALUE].split())
    token = uncommented(value.partition(";")[0]).strip().partition(" ")[0].lower()
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(value)):
        section = _SECTION.fullmatch(found[1].lower())
        if section is None or count >= _MAX_PARAMETERS:
            continue
        continued = section[2] is not None or section[3] is not None
        pieces = sections.setdefault(section[1] + "*" * continued, {})
        pieces.setdefault(int(section[2] or 0), (section[3] is not None, _unquoted(found[2])))
    return Labels(token, {name: _assembled(pieces) for name, pieces in sections.items()})


def uncommented(value: str) -> str:
    """The value without comments that hold no other comments."""
    return _COMMENT.sub("", value) if "(" in value else value


def octets_of(text: str) -> bytes:
    """The octets of a text in which each octet beyond ASCII is a lone surrogate."""
    return text.encode("ascii", "surrogateescape")


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value.strip()
    # Only these two escapes: what comes from Windows holds bare backslashes.
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))


def _assembled(pieces: Mapping[int, tuple[bool, str]]) -> str:
    """The sections of a parameter in order, whatever gaps their numbers have (RFC 2231 sections 3 and 4)."""
    ordered = [pieces[number] for number in sorted(pieces)]
    extended, start = ordered[0]
    charset = ""
    if extended and start.count("'") > 1:
        charset, _, start = start.split("'", 2)
        ordered[0] = (True, start)
    octets = b"".join(_percent_decoded(value) if coded else octets_of(value) for coded, value in ordered)
    if charset:
        return decode.one_line(decode.decoded(octets, charset, hint="cp1252")[0])
    return decode.header(octets, hint="cp1252")


def _percent_decoded(value: str) -> bytes:
    return _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), octets_of(value))
