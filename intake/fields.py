"""The header block, read byte by byte and never by trust in it.

The standard parser ends a header block early at a line without a colon, a bare CR or a NUL, so that a loop marker below
it would be taken for body text. This scan stops only at an empty line (LF LF or CRLF CRLF), treats a lone CR as a line
break, ignores NULs and skips lines that are no field. Sizes are bounded here, once, for everything that reads headers.
"""

import re
from dataclasses import dataclass

MAX_BLOCK = 256 * 1024
"""Octets of header that are read; what follows stays in the raw mail."""
MAX_FIELDS = 1_000
MAX_FIELD = 128 * 1024

_END = re.compile(rb"\r?\n(?=\r?\n)")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields in order: names lower-cased ASCII, values as raw octets, unfolded, at most MAX_FIELD long."""

    items: tuple[tuple[str, bytes], ...]
    defects: tuple[str, ...] = ()

    def all(self, name: str) -> tuple[bytes, ...]:
        """Each value of the field, in order; name in lower case."""
        return tuple(value for key, value in self.items if key == name)

    def first(self, name: str) -> bytes | None:
        """The first value of the field, or None."""
        return next((value for key, value in self.items if key == name), None)


def split(raw: bytes) -> tuple[bytes, bytes]:
    """The header block and the body behind the first empty line; a mail that begins with one has no header."""
    if raw.startswith((b"\n", b"\r\n")):
        return b"", raw[1:] if raw.startswith(b"\n") else raw[2:]
    end = _END.search(raw)
    if end is None:
        return raw, b""
    behind = end.end() + (2 if raw.startswith(b"\r\n", end.end()) else 1)
    return raw[: end.start()], raw[behind:]


def scan(raw: bytes) -> Fields:
    """The fields of the mail's header block; never raises, linear in MAX_BLOCK."""
    block, _ = split(raw[: MAX_BLOCK + 4])
    defects = []
    if len(block) > MAX_BLOCK:
        block = block[:MAX_BLOCK]
        defects.append("header block longer than 256 KiB: rest not read")
    items: list[tuple[str, list[bytes]]] = []
    lines = block.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for number, line in enumerate(lines):
        if line[:1] in b" \t" and line and items:
            items[-1][1].append(line)
            continue
        field = _FIELD.fullmatch(line)
        if field is None:
            if line and not (number == 0 and line.startswith(b"From ")):
                defects.append("a header line without a field name")
            continue
        if len(items) == MAX_FIELDS:
            defects.append(f"more than {MAX_FIELDS} header fields: rest not read")
            break
        items.append((field[1].decode("ascii").lower(), [field[2]]))
    unfolded = tuple((name, b"".join(parts).strip(b" \t")[:MAX_FIELD]) for name, parts in items)
    return Fields(items=unfolded, defects=tuple(dict.fromkeys(defects)))
