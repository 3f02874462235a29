"""Values from mails and settings made safe to stand in a sentence of ours.

Trusts nobody: a value may hold line breaks, controls and bidirectional overrides. What the reader sees in one line of
the mail stays in that line, in its own direction, and cannot turn the words around it. Markup is not dealt with here:
the HTML environment escapes, the text environment has nothing to escape.
"""

import re
import unicodedata

SUBJECT_LIMIT = 120
VALUE_LIMIT = 200
NAME_LIMIT = 40
NAME_WORDS = 5

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OPPOSITE = {"ltr": frozenset(("R", "AL", "AN")), "rtl": frozenset(("L", "EN"))}
_JOINERS = "\u200d\ufe0e\ufe0f"
_NAME_SIGNS = frozenset("-'’ʼ‐.·・")


def one_line(value: str, *, limit: int = VALUE_LIMIT) -> str:
    """The value in one line of at most limit characters (cut with an ellipsis), without controls and overrides."""
    line = " ".join(_OVERRIDES.sub("", _BREAKS.sub(" ", value)).split())
    return line if len(line) <= limit else line[: _cut(line, limit - 1)].rstrip() + "…"


def _cut(line: str, end: int) -> int:
    """The last place up to end that does not part a letter from its marks; end itself where there is none."""
    for place in range(end, 0, -1):
        if not (unicodedata.combining(line[place]) or line[place] in _JOINERS or line[place - 1] == "\u200d"):
            return place
    return end


def isolated(value: str, *, direction: str) -> str:
    """The value, between isolates (UAX 9 section 2.4) where it holds letters that run against the direction."""
    if direction == "ltr" and value.isascii():
        return value
    opposite = _OPPOSITE[direction]
    if any(unicodedata.bidirectional(letter) in opposite for letter in value):
        return f"\u2068{value}\u2069"
    return value


def quoted(text: str) -> str:
    """The text with "> " before each line, without controls (a tab stays) and without empty lines around it."""
    if _NO_TEXT.search(text):
        text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    body = "\n".join([line.rstrip() for line in text.split("\n")]).strip("\n")
    return "\n".join([f"> {line}" if line else ">" for line in body.split("\n")]) if body else ""


def greeted(name: str) -> str:
    """The name as one greets with it ("Nowak, Anna" turned round), or nothing where it does not read as a name.

    Only letters greet: an address, a link, markup or a sentence in place of a name never gets into a receipt.
    """
    name = one_line(name)
    last, comma, first = name.partition(",")
    words = (f"{first} {last}" if comma else name).split()
    turned = " ".join(words)
    if not words or len(words) > NAME_WORDS or len(turned) > NAME_LIMIT:
        return ""
    return turned if all(map(_name_word, words)) and not turned.islower() else ""


def _name_word(word: str) -> bool:
    """Whether each character is a letter, a mark or a sign of names; a full stop only at the end ("J.")."""
    if "." in word[:-1] or not word[0].isalpha():
        return False
    return all(unicodedata.category(letter)[0] in "LM" or letter in _NAME_SIGNS for letter in word)
