"""The normal form in which a mail and a keyword are compared, and where a word begins and ends.

"Drukárka", "DRUKARKA" and the word with a soft hyphen in it are one. The form is for comparing only, never for showing.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LIMIT = 65_536
"""How many characters of a mail's text its caller gives to routing at most."""

_HAN_KANA = "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
_THAI_LAO_BURMESE_KHMER = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

# A line wrapped inside a Japanese or Chinese sentence leaves a gap that is no word border.
_GAP = re.compile(f" (?<=[{_HAN_KANA}] )(?=[{_HAN_KANA}])")
# A letter that carries a word on: scripts without spaces, or with particles glued to a word, have none.
_JOINT = re.compile(f"[^\\W{_HAN_KANA}{_HANGUL}{_THAI_LAO_BURMESE_KHMER}]")

# Up to so many different changes, replacing one after the other is quicker than looking at each character.
_FEW = 64

_KANA_VOICING = "\u3099\u309a"
_INVISIBLE = frozenset(
    "\u0640\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # tatweel, grapheme joiner, fillers
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# Letters and signs that are written one for the other and that Unicode does not decompose.
_SAME = dict(zip("łøđıىةکی‘’ʼ‐–—", "lodiيهكي'''---", strict=True)) | {"æ": "ae", "œ": "oe"}


def normal(text: str) -> str:
    """The text in compatibility form, case folded, without diacritics and invisible characters, single spaces.

    Folding twice changes nothing. Linear: characters are folded one by one, because normalizing a run of
    combining marks as a whole is quadratic.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFC", _replaced(text))
    return _GAP.sub("", " ".join(folded.split()))


def _replaced(text: str) -> str:
    """Give the text with each character folded. A folded character folds to itself, so their order is free."""
    changes = {character: form for character in set(text) if (form := _folded(character)) != character}
    if len(changes) > _FEW:
        return text.translate({ord(character): form for character, form in changes.items()})
    for character, form in changes.items():
        text = text.replace(character, form)
    return text


@lru_cache(maxsize=8192)
def _folded(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = "".join(_SAME.get(part, part) for part in decomposed if not _vanishes(part))
    return unicodedata.normalize("NFC", kept)


def _vanishes(character: str) -> bool:
    """Tell whether a character is a diacritic or not seen; the voicing of kana makes another letter and stays."""
    if character in _KANA_VOICING:
        return False
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) in {"Cf", "Cs", "Me"}
        or character in _INVISIBLE
    )


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword in normal form; an end is free where a star stood or where its script has no word borders."""

    core: str
    free_start: bool
    free_end: bool

    def stands(self, text: str, start: int, end: int) -> bool:
        """Tell whether text[start:end], which equals the core, is bordered as this keyword asks."""
        if not self.free_start and start > 0 and _JOINT.match(text, start - 1):
            return False
        return self.free_end or not _JOINT.match(text, end)


def keyword(written: str) -> Keyword:
    """The keyword an admin wrote; "drukark*" leaves its end free, "*طابعة" its start. The core may be empty."""
    form = normal(written)
    core = form.strip("* ")
    return Keyword(
        core=core,
        free_start=form.startswith("*") or not _JOINT.match(core),
        free_end=form.endswith("*") or not _JOINT.match(core[-1:]),
    )
