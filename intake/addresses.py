"""Mailboxes of header fields (RFC 5322 section 3.4): who wrote a mail, strictly; whom else it names, tolerantly.

Who wrote a mail decides what it may do, so a From that two programs could read differently gives no sender at all. The
syntax is read before anything is decoded: an encoded word can name somebody, never be a part of an address.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desk.mail import Address, ascii_fold
from intake import decode

MAX_ADDRESS = 320
_MAX_COMMENT_DEPTH = 10
_EAST_ASIAN = frozenset(("HIRAGANA", "KATAKANA", "CJK", "HANGUL", "BOPOMOFO", "LATIN", "IDEOGRAPHIC"))

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|\[[^\[\]\\\r\n]*+\]?|[ \t]+|[^ \t"()\[\]<>,:;@]+|.', re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_COMMENT_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u00a1-\U0010ffff-]+")
_QUOTED_LOCAL = re.compile(r'"[ !#-?A-\[\]-~]*"')
# Not possessive: Python 3.11.2, as Debian 12 has it, then keeps a dot whose look-ahead failed.
_DOMAIN = re.compile(r"[A-Za-z0-9\u00a1-\U0010ffff](?:[A-Za-z0-9_\u00a1-\U0010ffff-]|\.(?=[^.]))*")
_LITERAL = re.compile(r"\[(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """The character of a special; "a" atom, "q" quoted string, "c" comment, "l" domain literal, " " blank."""
    text: str
    faulty: bool = False
    """Not closed, closed without being open, or nested beyond reason."""


def sender(values: Sequence[str], *, hint: str | None = None) -> tuple[Address | None, str | None]:
    """The one mailbox of the one From field; None with the reason where there is any doubt which that is."""
    if len(values) != 1:
        return None, "no From field" if not values else "more than one From field"
    tokens = list(_tokens(values[0]))
    fault = _fault(tokens)
    if fault:
        return None, f"From: {fault}"
    address, fault = _mailbox(tokens, hint)
    return (None, f"From: {fault}") if fault else (address, None)


def mailboxes(text: str, *, hint: str | None = None) -> tuple[tuple[Address, ...], bool]:
    """All mailboxes of a list, groups dissolved, in order; and whether every entry was one. Linear in the text."""
    found = []
    sound = True
    for entry in _entries(_tokens(text)):
        address = _tolerated(entry, hint)
        if address is not None:
            found.append(address)
        elif any(token.kind not in " c" for token in entry):
            sound = False
    return tuple(found), sound


def oddities(address: Address) -> Iterator[str]:
    """What a person should be told before trusting the looks of a sender (the address itself is sound)."""
    if "@" in address.name and ascii_fold(address.name) != address.key:
        yield "From: name looks like an address"
    if any(len(_scripts(label)) > 1 for label in map(_unicode_label, address.domain.split("."))):
        yield "From: domain of mixed scripts"


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:  # no such name can exist; the address is kept as written
        return label


def _scripts(label: str) -> set[str]:
    """The scripts of the letters; what Japanese mixes by custom counts as one (UTS 39 section 5.1)."""
    if label.isascii():
        return set()
    named = {unicodedata.name(letter, "?").partition(" ")[0] for letter in label if letter.isalpha()}
    return named if not named & {"HIRAGANA", "KATAKANA", "CJK", "HANGUL"} else named - _EAST_ASIAN


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens in order; each character is looked at once, comments are skipped to their end."""
    position = 0
    while position < len(text):
        if text[position] == "(":
            end, closed = _comment_end(text, position)
            yield _Token("c", _ESCAPED.sub(r"\1", text[position + 1 : end - closed]), not closed)
            position = end
            continue
        found = _TOKEN.match(text, position)
        assert found is not None
        position = found.end()
        yield _token(found[0])


def _token(text: str) -> _Token:
    if text[0] == '"':
        return _Token("q", text, _QUOTED.fullmatch(text) is None)
    if text[0] == "[":
        return _Token("l", text, not text.endswith("]"))
    if text[0] in "<>,:;@":
        return _Token(text, text)
    if text[0] in " \t":
        return _Token(" ", text)
    return _Token("a", text, text in (")", "]"))


def _comment_end(text: str, start: int) -> tuple[int, bool]:
    """Where the comment ends, and whether it is closed (RFC 5322 section 3.2.2: comments nest)."""
    depth = deepest = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += (mark[0] == "(") - (mark[0] == ")")
        deepest = max(deepest, depth)
        if depth == 0:
            return mark.end(), deepest <= _MAX_COMMENT_DEPTH
    return len(text), False


def _fault(tokens: Sequence[_Token]) -> str | None:
    kinds = [token.kind for token in tokens]
    if any(token.faulty for token in tokens):
        return "a quote, bracket or comment that is not closed"
    if ":" in kinds or ";" in kinds:
        return "a group instead of a mailbox"
    if len([entry for entry in _entries(iter(tokens)) if any(token.kind not in " c" for token in entry)]) > 1:
        return "more than one mailbox"
    if kinds.count("<") > 1 or kinds.count(">") != kinds.count("<"):
        return "angle brackets that do not match"
    return None


def _entries(tokens: Iterator[_Token]) -> Iterator[list[_Token]]:
    """The tokens between commas; the name of a group is left out, its members are entries."""
    entry: list[_Token] = []
    inside = False
    for token in tokens:
        if token.kind in ",;" and not inside:
            yield entry
            entry = []
        elif token.kind == ":" and not inside:
            entry = []
        else:
            inside = token.kind == "<" or (inside and token.kind != ">")
            entry.append(token)
    yield entry


def _mailbox(tokens: Sequence[_Token], hint: str | None) -> tuple[Address | None, str]:
    """The mailbox of a faultless entry, or why it is none; what differs between programs is refused."""
    tokens = [token for token in tokens if token.kind != ","]
    before, bracketed, behind = _around_brackets(tokens)
    if bracketed is None:
        spec = "".join(token.text for token in tokens if token.kind != "c").strip()
        fault = _address_fault(spec)
        return (None, fault) if fault else (Address(_comment(tokens, hint), spec), "")
    spec = "".join(token.text for token in bracketed).strip()
    if any(token.kind not in " c" for token in behind):
        return None, "text behind the address"
    shown = _phrase(before, hint) or _comment([*before, *behind], hint)
    if any(token.kind == "@" for token in before) and ascii_fold(shown) != ascii_fold(spec):
        return None, "more than one @"
    if any(token.kind == "c" for token in bracketed):
        return None, "a comment inside of the address"
    fault = _address_fault(spec)
    return (None, fault) if fault else (Address(shown, spec), "")


def _tolerated(entry: Sequence[_Token], hint: str | None) -> Address | None:
    """The mailbox of an entry of To, Cc or Reply-To; None where it holds no address that can be written to."""
    before, bracketed, _ = _around_brackets(entry)
    if bracketed is None:
        before, bracketed = [], [token for token in entry if token.kind != "c"]
    spec = "".join(token.text for token in bracketed if token.kind != "c").strip()
    if _address_fault(spec):
        return None
    return Address(_phrase(before, hint) or _comment(entry, hint), spec)


def _around_brackets(
    tokens: Sequence[_Token],
) -> tuple[Sequence[_Token], Sequence[_Token] | None, Sequence[_Token]]:
    """What stands before, inside and behind the angle brackets; None inside where there are none."""
    kinds = [token.kind for token in tokens]
    if "<" not in kinds:
        return tokens, None, ()
    opening = kinds.index("<")
    closing = kinds.index(">", opening) if ">" in kinds[opening:] else len(kinds)
    return tokens[:opening], tokens[opening + 1 : closing], tokens[closing + 1 :]


def _address_fault(spec: str) -> str | None:
    """Why this is no address that everybody reads alike, or None."""
    local, at, domain = spec.rpartition("@")
    if not spec or not at:
        return "no address"
    if "@" in local:
        return "more than one @"
    if len(spec) > MAX_ADDRESS:
        return f"an address longer than {MAX_ADDRESS} characters"
    return _letters_fault(spec, local, domain)


def _letters_fault(spec: str, local: str, domain: str) -> str | None:
    if "=?" in spec:
        return "an encoded word inside of the address"
    if not spec.isascii() and _deceptive(spec):
        return "a character in the address that looks like another or cannot be seen"
    if not (_DOT_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        return "a malformed local part"
    return None if _DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain) else "a malformed domain"


def _deceptive(spec: str) -> bool:
    """Full-width and other compatibility forms, and everything that is no letter, digit, mark or symbol."""
    if unicodedata.normalize("NFKC", spec) != spec:
        return True
    return any(unicodedata.category(character)[0] in "CZ" for character in spec)


def _phrase(tokens: Sequence[_Token], hint: str | None) -> str:
    """The display name: quoted strings without their quotes, encoded words decoded, everything else as it stands."""
    text = "".join(_unquoted(token) for token in tokens if token.kind != "c").strip()
    return decode.name(decode.words(text, hint=hint) if "=?" in text else text)


def _comment(tokens: Sequence[_Token], hint: str | None) -> str:
    """The last comment, where some old programs put the name."""
    text = next((token.text for token in reversed(tokens) if token.kind == "c"), "").strip()
    return decode.name(decode.words(text, hint=hint) if "=?" in text else text)


def _unquoted(token: _Token) -> str:
    return _ESCAPED.sub(r"\1", token.text[1:].removesuffix('"')) if token.kind == "q" else token.text
