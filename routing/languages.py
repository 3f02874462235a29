"""In which language somebody writes: the script where it decides, else common words, else no answer.

A wrong language in a receipt is worse than the mailbox's own, so a short or mixed text gives None. Subject and text
are judged together, the first 1,000 characters of them.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from routing.profiles import ALPHABETS, WORDS
from routing.text import normal

_JUDGED = 1_000
_ENOUGH = 2.0
"""Weight of evidence below which nothing is said: two words that only one language has."""
_AHEAD = 1.5
"""By which factor the best language leads the second."""
_DENSE = 0.14
"""Weight for each word; a text in a language of no profile has stray hits only."""
_HAN_ALONE = 10
"""Han characters without a kana among them from which a text is Chinese: a Japanese subject can have a few."""

_LETTERS = {
    "kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
    "arabic": "\u0620-\u065f\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
    "hebrew": "\u0590-\u05ff",
    "cyrillic": "\u0400-\u052f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f",
}
"""The letters of each script, as in a character class."""
_RUN = re.compile("|".join(f"(?P<{script}>[{letters}]+)" for script, letters in _LETTERS.items()))
_LATIN = re.compile(f"[{_LETTERS['latin']}]+")
_OTHER = re.compile("[" + "".join(letters for script, letters in _LETTERS.items() if script != "latin") + "]")
# What a character says compared with a Latin letter: one of these is a syllable or a word, and names of products are
# Latin in every script (2 for any other script).
_SPEAKING = {"kana": 4, "han": 5, "hangul": 4, "latin": 1}
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "kana": ("ja",),
    "han": ("zh", "ja"),
    "hangul": ("ko",),
    "arabic": ("ar", "fa", "ur", "ps", "ckb"),
    "hebrew": ("he", "yi"),
    "cyrillic": ("ru", "uk", "be", "bg", "mk", "sr", "kk"),
    "greek": ("el",),
}
_PERSIAN, _ARABIC = frozenset("پچژگکی"), frozenset("كيةىأإ")
_UKRAINIAN, _RUSSIAN = frozenset("іїєґ"), frozenset("ыэъё")
# Everyday words of modern Chinese that Japanese does not write so.
_CHINESE = frozenset("们們这這说說吗嗎你您请没沒么麼谢给帮幫办辦问为无她")


def detect(text: str, *, known: str | None = None) -> str | None:
    """Give the language tag of a text (subject and body), or None where the text does not tell.

    Known is the language the sender is known to read: it decides where the text is too short or its script is shared.
    """
    judged = unicodedata.normalize("NFC", text[:_JUDGED])
    if not _OTHER.search(judged):
        return _by_words(_LATIN.findall(judged)) or known
    runs = [(match.lastgroup or "", match[0]) for match in _RUN.finditer(judged)]
    script = _script(runs)
    if script is None:
        return known
    if script == "latin":
        return _by_words([run for name, run in runs if name == "latin"]) or known
    return _by_letters(script, "".join(run for name, run in runs if name == script), known=known)


def _script(runs: list[tuple[str, str]]) -> str | None:
    """Give the script of most of a text; any share of kana that counts makes Han Japanese."""
    sizes: Counter[str] = Counter()
    for name, run in runs:
        sizes[name] += len(run) * _SPEAKING.get(name, 2)
    if sizes["kana"] * 20 > sizes["han"]:
        sizes["kana"] += sizes.pop("han", 0)
    (best, size), *_ = sizes.most_common(1) or [("", 0)]
    return best if size * 2 > sizes.total() else None


def _by_letters(script: str, letters: str, *, known: str | None) -> str | None:
    told = _told(script, letters.lower())
    family = _FAMILIES[script]
    if told is not None:
        return told
    if known in family:
        return known
    return None if script == "han" else {"arabic": "ar", "cyrillic": "ru"}.get(script, family[0])


def _told(script: str, letters: str) -> str | None:
    """Give the language that the letters themselves prove, None where the script is shared."""
    if script == "arabic":
        return _heavier(letters, (_PERSIAN, "fa"), (_ARABIC, "ar"))
    if script == "cyrillic":
        return _heavier(letters, (_UKRAINIAN, "uk"), (_RUSSIAN, "ru"))
    if script == "han":
        return "zh" if len(letters) >= _HAN_ALONE or not _CHINESE.isdisjoint(letters) else None
    return _FAMILIES[script][0]


def _heavier(letters: str, one: tuple[frozenset[str], str], other: tuple[frozenset[str], str]) -> str | None:
    difference = sum((letter in one[0]) - (letter in other[0]) for letter in letters)
    if difference == 0:
        return None
    return one[1] if difference > 0 else other[1]


def _by_words(words: list[str]) -> str | None:
    """Weigh the distinct words; None below a margin, and None where only letters speak."""
    distinct = [*dict.fromkeys(map(str.lower, words))]
    common = dict.fromkeys(ALPHABETS, 0.0)
    for word in distinct:
        owners = _OWNERS.get(word, ())
        for language in owners:
            common[language] += 1 / len(owners)
    letters = _by_marks(distinct)
    ranking = sorted(((common[language] + letters[language], language) for language in common), reverse=True)
    (weight, best), (second, _), *_ = ranking
    enough = weight >= _ENOUGH and common[best] >= _ENOUGH / 2 and weight >= len(distinct) * _DENSE
    return best if enough and weight >= second * _AHEAD else None


def _by_marks(words: list[str]) -> Mapping[str, float]:
    """Count each word with diacritics for the languages that have all of them, and against all others."""
    weights = dict.fromkeys(ALPHABETS, 0.0)
    for word in words:
        if word.isascii():
            continue
        marked = {letter for letter in word if letter > "\x7f"}
        owners = [language for language, alphabet in ALPHABETS.items() if marked <= alphabet]
        for language in ALPHABETS:
            weights[language] += 1 / len(owners) if language in owners else -0.5
    return weights


def _owners() -> dict[str, tuple[str, ...]]:
    """Give for each common word the languages that have it, also as typed without its diacritics."""
    owners: dict[str, dict[str, None]] = {}
    for language, words in WORDS.items():
        for word in words.split():
            owners.setdefault(word, {})[language] = None
            owners.setdefault(normal(word), {})[language] = None
    return {word: tuple(languages) for word, languages in owners.items()}


_OWNERS = _owners()
