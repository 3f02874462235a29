"""Octets become clean text, whatever charset a stranger claims for them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import decode

POLISH = "Zażółć gęślą jaźń"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("utf-8", "utf_8"),
        ('"UTF-8"', "utf_8"),
        ("utf8mb4", "utf_8"),
        ("US-ASCII", "ascii"),
        ("iso-8859-1", "latin_1"),
        ("ISO_8859-2:1987", "iso8859_2"),
        ("iso-8859-8-i", "iso8859_8"),
        ("windows-1250", "cp1250"),
        ("cp-850", "cp850"),
        ("x-gbk", "gbk"),
        ("ks_c_5601-1987", "cp949"),
        ("unicode-1-1-utf-7", "utf_7"),
        ("x-mac-roman", "mac_roman"),
        ("macintosh", "mac_roman"),
        ("shift-jis", "shift_jis"),
        ("utf-8; format=flowed", "utf_8"),
        ("utf-8\0", "utf_8"),
    ],
)
def test_a_label_means_one_charset(label, name):
    assert decode.codec(label) == name


@pytest.mark.parametrize(
    "label",
    [
        *("rot13", "rot_13", "zlib", "zlib_codec", "hex", "base64", "bz2", "uu", "quopri", "idna", "punycode"),
        *("unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "charmap", "os", "sys"),
        *("", " ", "\0", "x" * 300, "=?utf-8?q?utf-8?=", "../../x", "iso-8859-12", "cp99999"),
    ],
)
def test_what_is_no_charset_of_mail_is_refused(label):
    assert decode.codec(label) is None


@pytest.mark.parametrize(
    ("text", "written_in", "label"),
    [
        (POLISH, "iso8859_2", "iso-8859-2"),
        (POLISH, "cp1250", "windows-1250"),
        ("“quoted” – 5 €", "cp1252", "iso-8859-1"),
        ("İstanbul’da", "cp1254", "iso-8859-9"),
        ("مرحبا", "cp1256", "windows-1256"),
        ("こんにちは①", "cp932", "shift_jis"),
        ("こんにちは", "iso2022_jp", "iso-2022-jp"),
        ("ｱｲｳ", "iso2022_jp_ext", "iso-2022-jp"),
        ("鎔㌔", "gb18030", "gb2312"),
        ("똠방각하", "cp949", "euc-kr"),
        ("hello", "utf_16", "utf-16"),
        ("hello", "utf_16_be", "utf-16"),
        ("hello", "utf_16_le", "utf-16"),
        ("Grüße", "utf_7", "utf-7"),
        ("Привет", "koi8_r", "koi8-r"),
        (POLISH, "utf_8", "utf-8"),
    ],
)
def test_a_true_label_is_followed_as_mail_programs_mean_it(text, written_in, label):
    assert decode.decoded(text.encode(written_in), label) == (text, None)


@pytest.mark.parametrize(
    ("octets", "label", "text", "defect"),
    [
        ("Żółw".encode(), "iso-8859-1", "Żółw", "declared latin_1, is UTF-8"),
        ("Żółw".encode(), "us-ascii", "Żółw", "8-bit text without a charset"),
        ("Żółw".encode(), None, "Żółw", "8-bit text without a charset"),
        ("Żółw".encode(), "rot13", "Żółw", "unknown charset rot13"),
        (b"plain", "rot13", "plain", "unknown charset rot13"),
        (b"plain", "utf-16", "plain", "declared utf_16, is not"),
        ("Żółw".encode() + b"\xff", "utf-8", "Żółw\ufffd", "octets that are not utf_8"),
        (b"caf\xe9", "utf-8", "café", "octets that are not utf_8"),
        ("こんにちは".encode("iso2022_jp"), None, "こんにちは", "8-bit text without a charset"),
        (b"\x81", "windows-1252", "\x81", None),
        (b"plain", None, "plain", None),
    ],
)
def test_a_false_label_is_seen_through_and_told(octets, label, text, defect):
    assert decode.decoded(octets, label) == (text, defect)


def test_a_hint_decides_where_nothing_is_declared():
    assert decode.decoded("Привет".encode("koi8_r"), None, hint="koi8_r")[0] == "Привет"


def test_a_paragraph_without_charset_is_recognised():
    text = "Dzień dobry, od wczoraj drukarka wyświetla błąd i nie przyjmuje żadnych zadań. Proszę o pomoc."
    assert decode.decoded(text.encode("cp1250"), None)[0] == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?Za=C5=BC=C3=B3=C5=82=C4=87?=", "Zażółć"),
        (b"=?UTF-8?B?5L2Q6Jek?=", "佐藤"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\t =?utf-8?q?b?= c", "ab c"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        (b"=?utf-8?b?5L2Q6A==?= =?utf-8?b?l6Q=?=", "佐藤"),
        (b"=?iso-8859-2?q?=B1?= =?utf-8?q?=C4=85?=", "ąą"),
        (b"=?utf-8*pl?q?tak?=", "tak"),
        (b"=?utf-8?q?with blank?=", "with blank"),
        (b"=?utf-8?q?a_b=5F?=", "a b_"),
        (b"glued=?utf-8?q?=C3=A9?=here", "gluedéhere"),
        (b"=?utf-8?b?w6k?=", "é"),
        (b"=?utf-8?b?w6k=!?=", "é"),
        (b"=?utf-8?b?A?=", ""),
        (b"=?rot13?q?nop?=", "nop"),
        (b"=?x-unknown?q?=C3=A9?=", "é"),
        (b"=?iso-2022-jp?b?GyRCJDMbKEI=?=", "こ"),
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        (b"=?utf-8?x?what?=", "=?utf-8?x?what?="),
        (b"=?utf-8?q?line=0D=0Abreak?=", "line break"),
        (b"=?utf-8?q?nul=00esc=1B[31m?=", "nulesc[31m"),
        (b"=?utf-8?q?=ED=A0=80?=", "í\xa0€"),
        ("Żółw".encode(), "Żółw"),
    ],
)
def test_a_header_becomes_one_clean_line(value, text):
    assert decode.header(value, hint="cp1252") == text


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b"QUJD", b"ABC"),
        (b"QU\r\nJD\r\n", b"ABC"),
        (b"QUI", b"AB"),
        (b"QUI==", b"AB"),
        (b"QUI=\r\nQUI=\r\n", b"ABAB"),
        (b"Q!U*J\x80D", b"ABC"),
        (b"QUJDR", b"ABC"),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_broken_base64_gives_what_there_is(octets, content):
    assert decode.base64(octets) == content


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\x00b\x1b[0m\x07\x7f\x9b", "ab[0m"),
        ("a\ud800b", "a\ufffdb"),
        ("\ufeffa", "a"),
        ("tab\tstays", "tab\tstays"),
        ("a\u2028b\x0cc", "a\nb\nc"),
    ],
)
def test_clean_text_has_lf_and_no_control_characters(text, shown):
    assert decode.clean(text) == shown


def test_a_name_shows_no_unseen_and_no_turning_characters():
    assert decode.name("a\u202eb\u200bc\u2066d\xade\nf ") == "abcde f"


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["utf-7", "hz", "utf-16"])))
def test_any_octets_under_any_label_become_text(octets, label):
    text, _ = decode.decoded(octets, label, hint="cp1252")
    shown = decode.clean(text)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert not [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\n\t"]
    assert len(shown) <= len(octets) + 1


@given(st.text(max_size=100).filter(lambda text: "\ufeff" not in text))
def test_octets_that_are_what_their_label_says_become_that_text(text):
    assert decode.decoded(text.encode("utf-8"), "utf-8", hint="cp1252") == (text, None)


@given(st.text(max_size=100))
def test_clean_text_stays_as_it_is(text):
    assert decode.clean(decode.clean(text)) == decode.clean(text)


@given(
    st.lists(st.sampled_from([b"=?", b"utf-8", b"?q?", b"?b?", b"?=", b"=C3", b" ", b"x", b"\xff", b"?"]), max_size=40)
)
def test_any_arrangement_of_encoded_words_is_one_line(pieces):
    line = decode.header(b"".join(pieces), hint="cp1252")
    assert "\n" not in line
    assert line.isprintable() or not line.isascii()
