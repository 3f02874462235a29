"""Normal form and word borders."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.text import LIMIT, Keyword, keyword, normal


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("", ""),
        ("  Hello\r\n\t World ", "hello world"),
        ("HASŁO do Żółwia", "haslo do zolwia"),
        ("Straße STRASSE", "strasse strasse"),
        ("ﬁle №5 ２", "file no5 2"),
        ("İstanbul ılık", "istanbul ilik"),
        ("Ærø Đà œuvre", "aero da oeuvre"),
        ("café cafe\u0301", "cafe cafe"),
        ("dru\u00adkar\u200bka\u200d \ufeffx", "drukarka x"),
        ("\u202eabc\u202c \u2067d\u2069", "abc d"),
        ("can’t wi‑fi – 1", "can't wi-fi - 1"),
        ("الطَّابِعَـــة إجازة", "الطابعه اجازه"),
        ("أحمد آدم مستشفى یک", "احمد ادم مستشفي يك"),
        ("שָׁלוֹם", "שלום"),
        ("ﾌﾟﾘﾝﾀｰ ＰＣ", "プリンター pc"),
        ("か\u3099き\u309a", "がき\u309a"),
        ("プリ\nンターが 動かない", "プリンターが動かない"),
        ("VPN に 接続", "vpn に接続"),
        ("한국어 \u1112\u1161\u11ab", "한국어 한"),
        ("ёлка Їжак", "елка іжак"),
        ("a\ud800b", "ab"),
        ("i⃝❤️", "i❤"),
    ],
)
def test_one_word_written_in_two_ways_has_one_form(written, form):
    assert normal(written) == form


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text):
    assert normal(normal(text)) == normal(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=40))
def test_composed_and_decomposed_letters_are_equal(text):
    assert normal(unicodedata.normalize("NFD", text)) == normal(unicodedata.normalize("NFC", text))


@given(st.text(alphabet="abc ĄĘ\t\n\u00a0\u3000", max_size=40))
def test_spaces_are_single_and_never_at_an_end(text):
    assert normal(text) == " ".join(normal(text).split())


def test_many_different_letters_are_folded_as_few_are():
    letters = [chr(code) for code in range(0xC0, 0x250)]
    assert normal(" ".join(letters)).split() == [part for one in letters for part in normal(one).split()]


def test_a_text_of_only_combining_marks_is_empty():
    assert normal("\u0300\u0316" * (LIMIT // 2)) == ""
    assert normal("\u0f73" * LIMIT) == ""


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Drukarka", Keyword("drukarka", free_start=False, free_end=False)),
        ("drukark*", Keyword("drukark", free_start=False, free_end=True)),
        ("*طابعة*", Keyword("طابعه", free_start=True, free_end=True)),
        ("プリンタ", Keyword("プリンタ", free_start=True, free_end=True)),
        ("無線LAN", Keyword("無線lan", free_start=True, free_end=False)),
        ("C++", Keyword("c++", free_start=False, free_end=True)),
        ("프린터", Keyword("프린터", free_start=True, free_end=True)),
        ("**", Keyword("", free_start=True, free_end=True)),
        ("\u00ad", Keyword("", free_start=True, free_end=True)),
    ],
)
def test_a_star_or_the_script_frees_an_end(written, form):
    assert keyword(written) == form


@pytest.mark.parametrize(
    ("written", "text", "stands"),
    [
        ("tax", "my tax.", True),
        ("tax", "taxi", False),
        ("tax", "syntax", False),
        ("tax*", "taxi", True),
        ("tax*", "syntax", False),
        ("*tax", "syntax", True),
        ("vpn", "vpnに", True),
        ("vpn", "社内vpn", True),
        ("vpn", "vpn2", False),
        ("vpn", "vpn_x", False),
        ("طابعه", "الطابعه", False),
        ("*طابعه", "الطابعه", True),
        ("印刷", "再印刷中", True),
        ("c++", "c++17", True),
        ("c++", "abc++", False),
    ],
)
def test_a_keyword_stands_at_word_borders_unless_its_end_is_free(written, text, stands):
    form = keyword(written)
    start = text.index(form.core)
    assert form.stands(text, start, start + len(form.core)) is stands
