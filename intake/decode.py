"""Octets to text: charsets, encoded words, and what may never stand in a text of ours.

A label in a mail is a claim of a stranger. Only charsets of the allow-list are ever handed to Python (its registry also
knows rot13, zlib and unicode_escape); a label outside of it counts as none. Without a usable label: UTF-8 if it is
valid, ISO-2022 by its escapes, the hint (the charset another part of the same mail declares), then chardet's guess.
Everything here is linear, never raises, and gives text free of NUL, control characters and lone surrogates.
"""

import binascii
import contextlib
import re
from encodings.aliases import aliases
from functools import lru_cache

import chardet

_GUESSED = 16 * 1024
"""Octets shown to chardet; more makes it slower, not better."""

_ISO = ("iso8859_" + str(part) for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16))
_WINDOWS = (874, 932, 949, 950, 1125, *range(1250, 1259))
_DOS = (437, 720, 737, 775, 850, 852, 855, 857, 858, *range(860, 867), 869)
_APPLE = ("roman", "latin2", "cyrillic", "greek", "turkish", "iceland", "croatian", "romanian")
_UNICODE = ("utf_8", "utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le")
_CHINESE = ("big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz")
_JAPANESE = ("euc_jp", "euc_jis_2004", "euc_jisx0213", "shift_jis", "shift_jis_2004", "shift_jisx0213")
_STATEFUL = ("iso2022_jp", *("iso2022_jp_" + kind for kind in ("1", "2", "2004", "3", "ext")), "iso2022_kr")
_OTHERS = (
    "ascii",
    "latin_1",
    "koi8_r",
    "koi8_u",
    "koi8_t",
    "kz1048",
    "ptcp154",
    "tis_620",
    "hp_roman8",
    "euc_kr",
    "johab",
)
_ALLOWED = frozenset(
    (
        *_ISO,
        *(f"cp{page}" for page in (*_WINDOWS, *_DOS)),
        *("mac_" + kind for kind in _APPLE),
        *(*_UNICODE, *_CHINESE, *_JAPANESE, *_STATEFUL, *_OTHERS),
    )
)
_OWN_ALIASES = {
    "utf8mb4": "utf_8",
    "utf8mb3": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
    "unicode_1_1_utf_8": "utf_8",
    "unicode": "utf_16",
    "ansi": "cp1252",
    "ansi_x3_110_1983": "latin_1",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
    "ks_c_5601": "cp949",
    "ks_c_5601_1987": "cp949",
    "cn_gb": "gb18030",
    "cn_big5": "cp950",
    "sjis_win": "cp932",
    "eucjp_win": "euc_jp",
    "macintosh": "mac_roman",
    "iso2022jp": "iso2022_jp",
    "iso_2022_jp_ms": "iso2022_jp",
}
_TRIED = {
    "latin_1": ("cp1252", "latin_1"),
    "cp1252": ("cp1252", "latin_1"),
    "iso8859_9": ("cp1254", "iso8859_9"),
    "iso8859_11": ("cp874", "iso8859_11"),
    "tis_620": ("cp874", "tis_620"),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "euc_kr": ("cp949",),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
    "iso2022_jp": ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"),
}
"""What mail programs really mean by a label: the superset first, as the WHATWG Encoding Standard has it."""

_NOT_ASCII_BASED = frozenset(("hz", "utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"))
_LONGEST_LABEL = 60
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
_WIDE_START = re.compile(rb"\x1b(?:\$[)@AB(]|\([IJ])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_ASCII_CONTROL = {code: None for code in range(128) if _CONTROL.match(chr(code))}
_BREAKS = ("\r\n", "\r", "\x0c", "\u2028", "\u2029")
_UNSEEN = re.compile("[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f]")
_WORD_HEAD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?")
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/=]+")


@lru_cache(maxsize=256)
def codec(label: str) -> str | None:
    """Python's name for the charset, or None where the label is unknown, malformed or no charset for mail."""
    found = _LABEL.match(label.strip("\"' \t"))
    if found is None or len(label) > _LONGEST_LABEL or "?" in label:
        return None
    name = re.sub(r"[^a-z0-9]+", "_", found[0].lower()).strip("_")
    shorter = re.sub(r"^(?:x_|cs_?)", "", name)
    numbered = re.sub(r"^(?:windows|cp|ibm|dos|win)_?(\d{3,4})$", r"cp\1", shorter)
    numbered = re.sub(r"^iso_?8859_?(\d{1,2})$", r"iso8859_\1", numbered)
    for candidate in (name, shorter, numbered):
        meant = _OWN_ALIASES.get(candidate) or aliases.get(candidate, candidate)
        if meant in _ALLOWED:
            return meant
    return "latin_1" if numbered == "iso8859_1" else None


def decoded(octets: bytes, label: str | None, *, hint: str | None = None) -> tuple[str, str | None]:
    """The text and, where the label did not hold what it claims, the defect. The text is not cleaned yet."""
    name = codec(label) if label else None
    defect = f"unknown charset {one_line(label)[:40]}" if label and not name else None
    if _mislabelled_wide(name, octets):
        name, defect = None, f"declared {name}, is not"
    if octets.isascii() and b"\x1b" not in octets and name not in _NOT_ASCII_BASED:
        return octets.decode("ascii"), defect
    if name is None or name == "ascii":
        return _guessed(octets, hint), defect or "8-bit text without a charset"
    if name in ("latin_1", "cp1252") and _is_utf8(octets):
        return octets.decode("utf-8"), f"declared {name}, is UTF-8"
    for candidate in _TRIED.get(name, (name,)):
        text = _strictly(octets, _byte_order(candidate, octets))
        if text is not None:
            return text, None
    return _repaired(octets, name, hint), f"octets that are not {name}"


def detected(octets: bytes) -> str:
    """The charset these octets are likely in, by chardet; cp1252 where it names none that fits."""
    found = chardet.detect(octets[:_GUESSED])["encoding"]
    name = codec(found) if found else None
    return "cp1252" if name in (None, "ascii", *_NOT_ASCII_BASED) else str(name)


def header(value: bytes, *, hint: str | None = None) -> str:
    """A header value as one clean line, encoded words (RFC 2047) decoded; words side by side are joined first."""
    text = unlabelled(value, hint=hint)
    return one_line(words(text, hint=hint) if "=?" in text else text)


def unlabelled(octets: bytes, *, hint: str | None = None) -> str:
    """Header octets as text, encoded words left as they are: for reading a syntax before decoding it."""
    if octets.isascii() and b"\x1b" not in octets:
        return octets.decode("ascii")
    return _guessed(octets, hint)


def words(text: str, *, hint: str | None = None) -> str:
    """The text with its encoded words decoded, also where they touch other text or hold blanks."""
    shown: list[str] = []
    run: list[tuple[str, bytes]] = []
    position = 0
    for start, end, label, octets in _encoded_words(text):
        between = text[position:start]
        if between.strip() or not run:
            shown += (_joined(run, hint), between)
            run = []
        run.append((label, octets))
        position = end
    return "".join((*shown, _joined(run, hint), text[position:]))


def clean(text: str) -> str:
    """The text with LF line ends and without what no text may hold: NUL, control characters, lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    for line_end in _BREAKS:
        text = text.replace(line_end, "\n")
    if text.isascii():
        return text.translate(_ASCII_CONTROL)
    return _CONTROL.sub(_shown_control, text)


def one_line(text: str) -> str:
    """Clean text in one line, without blanks at its ends."""
    if text.isprintable():
        return text.strip()
    return clean(text).replace("\n", " ").replace("\t", " ").strip()


def name(text: str) -> str:
    """One clean line without characters that cannot be seen or that turn the reading direction."""
    return _UNSEEN.sub("", one_line(text)).strip()


def base64(octets: bytes) -> bytes:
    """The content of base64 (RFC 2045 section 6.8): other characters skipped, padding optional, pieces joined."""
    padding = octets.find(b"=")
    if padding < 0 or not octets[padding:].strip(b"=\r\n \t"):
        with contextlib.suppress(binascii.Error):  # padding is missing: read piece by piece below
            return binascii.a2b_base64(octets)
    body = octets.rstrip(b"=\r\n \t")
    if b"=" not in body:
        return _base64_piece(body)
    return b"".join(map(_base64_piece, re.split(rb"=+", body)))


def _base64_piece(octets: bytes) -> bytes:
    try:
        return binascii.a2b_base64(octets + b"==", strict_mode=False)
    except binascii.Error:  # a lone sixth of an octet at the end: the mail goes on without it
        bare = _BASE64_JUNK.sub(b"", octets)
        return binascii.a2b_base64(bare[: len(bare) // 4 * 4])


def _encoded_words(text: str) -> list[tuple[int, int, str, bytes]]:
    """Start, end, charset label and octets of each encoded word; one pass over the text."""
    found = []
    position = 0
    while head := _WORD_HEAD.search(text, position):
        end = text.find("?=", head.end())
        if end < 0:
            break
        encoded = text[head.end() : end].encode("utf-8", "replace")
        quoted = encoded.replace(b" ", b"_")  # a blank is forbidden there, and a2b_qp would strip it at the end
        octets = base64(encoded) if head[2] in "bB" else binascii.a2b_qp(quoted, header=True)
        found.append((head.start(), end + 2, head[1].partition("*")[0], octets))
        position = end + 2
    return found


def _joined(run: list[tuple[str, bytes]], hint: str | None) -> str:
    """Words of one charset are joined as octets: senders cut in the middle of a character."""
    text = ""
    pieces: list[bytes] = []
    for number, (label, octets) in enumerate(run):
        pieces.append(octets)
        if number + 1 == len(run) or run[number + 1][0].lower() != label.lower():
            text += _word_text(b"".join(pieces), label, hint)
            pieces = []
    return text


def _word_text(octets: bytes, label: str, hint: str | None) -> str:
    """Never chardet: a header may hold thousands of words."""
    if codec(label) is None:
        return unlabelled(octets, hint=hint or "cp1252")
    return decoded(octets, label, hint=hint or "cp1252")[0]


def _guessed(octets: bytes, hint: str | None) -> str:
    wide = _WIDE_START.search(octets)
    if wide:
        return octets.decode("iso2022_kr" if wide[0] == b"\x1b$)" else "iso2022_jp_ext", "replace")
    for candidate in ("utf_8", *_TRIED.get(hint or "", (hint,) if hint else ())):
        text = _strictly(octets, candidate)
        if text is not None:
            return text
    name = detected(octets) if hint is None else "cp1252"
    text = _strictly(octets, name)
    return octets.decode("latin_1" if name == "cp1252" else name, "replace") if text is None else text


def _repaired(octets: bytes, name: str, hint: str | None) -> str:
    """Broken octets of the declared charset are replaced, unless nothing at all speaks for a declared UTF-8."""
    if name == "utf_8" and octets.decode("utf-8", "ignore").isascii():
        return _guessed(octets, hint)
    return octets.decode(_byte_order(_TRIED.get(name, (name,))[0], octets), "replace")


def _strictly(octets: bytes, name: str) -> str | None:
    try:
        return octets.decode(name)
    except UnicodeError:  # the caller tries the next charset
        return None


def _is_utf8(octets: bytes) -> bool:
    return not octets.isascii() and _strictly(octets, "utf-8") is not None


def _mislabelled_wide(name: str | None, octets: bytes) -> bool:
    """Text declared UTF-16 or UTF-32 holds NULs (blanks and line ends at least); without any it is something else."""
    return name is not None and name.startswith(("utf_16", "utf_32")) and b"\0" not in octets


def _byte_order(name: str, octets: bytes) -> str:
    """UTF-16 without a mark is big-endian (RFC 2781 section 4.3), unless its NULs say otherwise."""
    if name != "utf_16" or octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return name
    return "utf_16_le" if octets[1:200:2].count(0) > octets[:200:2].count(0) else "utf_16_be"


def _shown_control(found: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else ""
