"""Values from mails: one line, cut whole, in their own direction; and which names greet."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.plain import greeted, isolated, one_line, quoted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Printer \t on  fire ", "Printer on fire"),
        ("one\ntwo\r\nthree\rfour", "one two three four"),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\x00h", "a b c d e f g h"),
        ("\x1b[31mred\x07", "[31mred"),
        ("x\nBcc: evil@example.net", "x Bcc: evil@example.net"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\u2068half\u2069 \u202bopen", "half open"),
        ("lone \ud800 half", "lone half"),
        ("山田　太郎", "山田 太郎"),
        ("{{ 7*7 }} <b>&amp;</b>", "{{ 7*7 }} <b>&amp;</b>"),
        ("", ""),
    ],
)
def test_a_value_becomes_one_line_and_stays_itself(value, expected):
    assert one_line(value) == expected


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("abcd efg", 6, "abcd…"),
        ("abcde\u0301fg", 6, "abcd…"),
        ("abc👩\u200d💻def", 6, "abc…"),
        ("👍👍👍👍👍👍👍", 4, "👍👍👍…"),
        ("a" + "\u0301" * 50, 6, "a\u0301\u0301\u0301\u0301…"),
    ],
)
def test_a_long_value_is_cut_between_letters(value, limit, expected):
    assert one_line(value, limit=limit) == expected


@pytest.mark.parametrize(
    ("value", "direction", "expected"),
    [
        ("Anna", "ltr", "Anna"),
        ("أحمد", "ltr", "\u2068أحمد\u2069"),
        ("Dr. כהן", "ltr", "\u2068Dr. כהן\u2069"),
        ("أحمد", "rtl", "أحمد"),
        ("Anna", "rtl", "\u2068Anna\u2069"),
        ("+48 22 555", "rtl", "\u2068+48 22 555\u2069"),
        ("山田", "ltr", "山田"),
        ("", "rtl", ""),
    ],
)
def test_only_a_value_that_runs_the_other_way_is_isolated(value, direction, expected):
    assert isolated(value, direction=direction) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \n\n\t\n", ""),
        ("\n\none\n\n  two  \n\n", "> one\n>\n>   two"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "> a\n> b\n> c\n> d\n> e\n> f\n> g\n> h"),
        ("a\tb\x00\x1b[0m", "> a\tb[0m"),
        ("a\n \x00 \nb", "> a\n>\n> b"),
    ],
)
def test_each_line_of_a_text_is_quoted_without_controls(text, expected):
    assert quoted(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Anna Nowak", "Anna Nowak"),
        ("Nowak, Anna", "Anna Nowak"),
        ("Żółć-Gęś, Łucja", "Łucja Żółć-Gęś"),
        ("Seán O'Brien", "Seán O'Brien"),
        ("J. R. de Souza", "J. R. de Souza"),
        ("山田　太郎", "山田 太郎"),
        ("أحمد العلي", "أحمد العلي"),
        ("प्रिया शर्मा", "प्रिया शर्मा"),
        ("José\u0301", "José\u0301"),
        (" Anna \n Nowak ", "Anna Nowak"),
    ],
)
def test_a_name_greets_as_it_is_read_aloud(name, expected):
    assert greeted(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "anna",
        "anna.nowak",
        "anna@corp.example",
        "Anna <b>",
        "{{ 7*7 }}",
        "Visit evil.example",
        "http://evil.example",
        "Call 555 now",
        "Your account is locked call us",
        "Nowak, Anna, IT",
        "Anna Nowak (IT)",
        "Anna\u200b Nowak",
        ",",
        "-",
        "A" * 41,
    ],
)
def test_what_does_not_read_as_a_name_greets_nobody(name):
    assert greeted(name) == ""


@given(st.text(), st.integers(2, 50))
def test_any_value_is_one_bounded_line_and_stays_so(value, limit):
    line = one_line(value, limit=limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in line)
    assert one_line(line, limit=limit) == line


@given(st.text())
def test_any_name_that_greets_consists_of_letters(name):
    assert not set(greeted(name)) & set('<>&{}%@:/\\"\n\u202e\u2069')


@given(st.text())
def test_of_any_text_no_line_stands_outside_the_quote(text):
    assert all(line == ">" or line.startswith("> ") for line in quoted(text).splitlines())
