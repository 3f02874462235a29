"""Writes header fields as bytes: our own writer, because the standard one breaks threads and can be tricked.

The standard writer turns a long Message-ID into an encoded word (cpython issue 100991), puts encoded words into
addresses and, in some versions, lets a decoded line break start a new field. Here each value is cleaned first and
folded by us, so that a field is always exactly one field. Whom it trusts: field names come from our code, values from
anybody. Lines end in CRLF, hold at most 78 octets where the value allows it and never more than 998.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

VISIBLE_LIMIT = 255
"""Characters of a text value. Exchange stores no longer subject; cut at less, a receipt would leave its thread."""
NAME_LIMIT = 120
MAX_LINE = 998

_LINE = 78
_WORD_LINE = 76
_WORD = 75
_WORD_FRAME = len("=?utf-8?q??=")
_SOONEST_WORD_ROOM = 12

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SPACES = re.compile(" {2,}")
_JOINERS = re.compile("[\u0300-\u036f\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")

_ATOM = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_PHRASE = re.compile(f"[{_ATOM} ]+")
_LOCAL_PART = re.compile(f"[{_ATOM}.]{{1,64}}")
_LABEL = re.compile("[A-Za-z0-9_-]{1,63}")
_ID = re.compile(f"<[!-;=?-~]{{1,{MAX_LINE - 4}}}>")
_PRINTABLE = re.compile("[ -~]*")
_QUOTED = re.compile(r'(["\\])')

_Q_LITERAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/ "
_Q = {chr(octet): chr(octet) for octet in _Q_LITERAL} | {" ": "_"}

_REMAPPED_BY_IDNA_2003 = frozenset("ßẞς\u200c\u200d")


class UnsendableAddress(ValueError):
    """The address cannot be written to: it is malformed, or needs SMTPUTF8, which we do not speak."""


def clean_line(text: str, limit: int = VISIBLE_LIMIT) -> str:
    """The text as one visible line of at most `limit` characters, cut with an ellipsis.

    Line breaks and control characters are blanks, runs of blanks one blank; bidirectional overrides, embeddings and
    isolates, byte order marks and lone surrogates are gone (an unclosed override would turn what stands behind it).
    """
    if not text.isprintable():
        text = _BREAKS.sub(" ", _INVISIBLE.sub("", text))
    line = _SPACES.sub(" ", text).strip(" ")
    return line if len(line) <= limit else _cut(line, limit)


def _cut(line: str, limit: int) -> str:
    end = limit - 1
    # A cut before a combining mark, or inside a joined emoji, would show another letter than was written.
    while end > limit // 4 and (_JOINERS.match(line[end]) or line[end - 1] == "\u200d"):
        end -= 1
    return line[:end].rstrip(" ") + "…"


@lru_cache(maxsize=1024)
def sendable(address: str) -> str:
    """The address as ASCII addr-spec (RFC 5321 section 4.1.2, without quoted local parts and domain literals).

    An international domain is given in its IDNA form. Raises UnsendableAddress for anything else.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or "=?" in local or not all(local.split(".")):
        raise UnsendableAddress(f"cannot write to {clean_line(address)!r}: its local part is no plain ASCII word")
    ascii_domain = domain if domain.isascii() else _idna(domain)
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 189 or not all(map(_is_label, labels)):  # noqa: PLR2004 - 254 in all, 64 + 1 before it
        raise UnsendableAddress(f"cannot write to {clean_line(address)!r}: its domain is no domain name")
    return f"{local}@{ascii_domain}"


def _is_label(label: str) -> bool:
    return _LABEL.fullmatch(label) is not None and not label.startswith("-") and not label.endswith("-")


def _idna(domain: str) -> str:
    # The standard codec is IDNA 2003, which writes straße as strasse: a domain of somebody else.
    if not _REMAPPED_BY_IDNA_2003.isdisjoint(domain):
        raise UnsendableAddress(f"cannot write to domain {clean_line(domain)!r}: its letters have two IDNA forms")
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise UnsendableAddress(f"cannot write to domain {clean_line(domain)!r}: it has no IDNA form") from error


def is_id(text: str) -> bool:
    """Whether this is one message identifier `<...@...>` of printable ASCII that fits on a line (RFC 5322 3.6.4).

    One that reads as an encoded word is none: some readers would decode it into something else.
    """
    return _ID.fullmatch(text) is not None and "@" in text[2:-2] and "=?" not in text


def text_field(name: str, value: str) -> bytes:
    """An unstructured field (Subject) that every reader shows as `clean_line(value)`."""
    line = clean_line(value)
    room = _LINE - len(name) - 2
    words = line.split(" ")
    if _needs_encoding(line) or len(words[0]) > room or max(map(len, words)) >= _LINE:
        return _field(name, _encoded_words(line, first=_WORD_LINE - len(name) - 2), width=_WORD_LINE)
    return _field(name, words)


def address_field(name: str, display: str, address: str) -> bytes:
    """A field with one mailbox (From, To). Raises UnsendableAddress; an empty display name is left out."""
    bare = sendable(address)
    shown = clean_line(display, NAME_LIMIT)
    if not shown:
        return _field(name, [bare])
    return _field(name, [*_phrase(shown, first=_WORD_LINE - len(name) - 2), f"<{bare}>"], width=_WORD_LINE)


def addresses_field(name: str, addresses: Sequence[str]) -> bytes:
    """A field with bare addresses (Reply-To); nothing at all for none. Raises UnsendableAddress."""
    bare = [sendable(address) for address in addresses]
    return _field(name, [*(f"{address}," for address in bare[:-1]), bare[-1]]) if bare else b""


def ids_field(name: str, ids: Iterable[str]) -> bytes:
    """A field of message identifiers, folded only between them; what is no identifier is left out.

    Nothing at all where none is left. An identifier is never encoded: RFC 2047 section 5 forbids it, threads break.
    """
    valid = [each for each in ids if is_id(each)]
    return _field(name, valid) if valid else b""


def plain_field(name: str, value: str) -> bytes:
    """A field of our own words on one line; raises ValueError unless they are printable ASCII and fit."""
    if not _PRINTABLE.fullmatch(value) or len(name) + len(value) + 2 > MAX_LINE:
        raise ValueError(f"{name}: {clean_line(value)!r} is not one line of printable ASCII")
    return f"{name}: {value}\r\n".encode("ascii")


def _field(name: str, words: Iterable[str], width: int = _LINE) -> bytes:
    start = f"{name}:"
    lines, line = [], start
    for word in words:
        limit = MAX_LINE if line == start else width
        if len(line) + 1 + len(word) > limit:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line, ""]).encode("ascii")


def _needs_encoding(line: str) -> bool:
    return not line.isascii() or "=?" in line


def _phrase(shown: str, first: int) -> list[str]:
    """The display name as atoms, as one quoted string, or as encoded words (RFC 5322 section 3.2.5)."""
    if _needs_encoding(shown) or len(shown) > first // 2:
        return _encoded_words(shown, first=first)
    if _PHRASE.fullmatch(shown):
        return shown.split(" ")
    return ['"' + _QUOTED.sub(r"\\\1", shown) + '"']


def _encoded_words(line: str, first: int) -> list[str]:
    """Encoded words that decode to the line (RFC 2047): the first at most `first` octets long, the others 75."""
    octets = line.encode()
    escaped = len(octets.translate(None, _Q_LITERAL))
    # Base64 makes 4 octets of 3, Q makes 3 of each escaped one: Q is shorter where few are escaped.
    write = _q_words if 6 * escaped < len(octets) else _b_words
    return write(line, max(first - _WORD_FRAME, _SOONEST_WORD_ROOM))


def _q_words(line: str, room: int) -> list[str]:
    words, word = [], ""
    for character in line:
        piece = _Q.get(character) or "".join(f"={octet:02X}" for octet in character.encode())
        if len(word) + len(piece) > room:
            words.append(word)
            word, room = "", _WORD - _WORD_FRAME
        word += piece
    return [f"=?utf-8?q?{each}?=" for each in [*words, word]]


def _b_words(line: str, room: int) -> list[str]:
    octets, words, start = line.encode(), [], 0
    while start < len(octets):
        end = min(start + room // 4 * 3, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # noqa: PLR2004 - a UTF-8 continuation octet
            end -= 1
        words.append(base64.b64encode(octets[start:end]).decode("ascii"))
        start, room = end, _WORD - _WORD_FRAME
    return [f"=?utf-8?b?{each}?=" for each in words]
