"""What is between DATA and the dot: where a mail ends, and which dots are not its own (RFC 5321 section 4.5.2).

Octets in, mail out; no socket. Only CRLF begins a line here: a dot between bare CR or LF is text, or a mail could
smuggle in another one that its sender never wrote.
"""

LAST_LINE = b".\r\n"
"""Each mail ends with it, so whoever reads up to it never reads past the end of a mail."""

_LINE_START = b"\r\n"
_END = _LINE_START + LAST_LINE


class Received:
    """A mail coming in. ended: its last line was fed. size: octets of mail so far, the last line's CRLF with them."""

    def __init__(self) -> None:
        # The DATA command ended a line, so the first octet may be a dot that is not the mail's own.
        self._before = _LINE_START
        self._mail = bytearray()
        self._dropped = False

    @property
    def ended(self) -> bool:
        """Whether the mail is complete."""
        return self._before == _END

    @property
    def size(self) -> int:
        """Octets that are held."""
        return len(self._mail)

    def feed(self, chunk: bytes) -> None:
        """Take in further octets; none of them may lie behind the end."""
        if not self._dropped:
            self._mail += (self._before[-len(_LINE_START) :] + chunk).replace(b"\r\n.", _LINE_START)[len(_LINE_START) :]
        self._before = (self._before + chunk[-len(_END) :])[-len(_END) :]

    def drop(self) -> None:
        """Hold no octet of this mail, now or later; its end is still found."""
        self._dropped = True
        self._mail.clear()

    def raw(self) -> bytes:
        """The mail as it was before it was made transparent; empty if dropped."""
        # What is left of the last line without its dot is a CRLF.
        return bytes(memoryview(self._mail)[: -len(_LINE_START)])


def has_line_beyond(raw: bytes, limit: int) -> bool:
    """Whether any line has more octets than that; an LF ends one too, so that a mail of bare LFs is not one line."""
    start = 0
    while len(raw) - start > limit:
        end = raw.rfind(b"\n", start, start + limit + 1)
        if end < 0:
            return True
        start = end + 1
    return False
