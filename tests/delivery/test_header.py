"""One header field: cleaned, folded, and never more than one."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.header import (
    MAX_LINE,
    NAME_LIMIT,
    VISIBLE_LIMIT,
    UnsendableAddress,
    address_field,
    addresses_field,
    clean_line,
    ids_field,
    is_id,
    plain_field,
    sendable,
    text_field,
)

LONG_EXCHANGE_ID = "<AS8PR04MB8676" + "9F" * 15 + "@AS8PR04MB8676.eurprd04.prod.outlook.com>"


def read(field: bytes):
    """The one field as the standard parser reads it."""
    fields = message_from_bytes(field + b"\r\n", policy=policy.default).items()
    assert len(fields) == 1
    return fields[0][1]


def lines(field: bytes) -> list[bytes]:
    assert field.endswith(b"\r\n")
    return field[:-2].split(b"\r\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("printer", "printer"),
        ("  a \t b  ", "a b"),
        ("a\r\nBcc: x", "a Bcc: x"),
        ("a\x85b\u2028c\u2029d\x0be\x0cf\x00g\x7fh\x9fi", "a b c d e f g h i"),
        ("a\u202egnp.exe\u202c \u2067b\u2069", "agnp.exe b"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("\ufeffa\ud800b", "ab"),
        ("a\u3000b\xa0c", "a\u3000b\xa0c"),
        ("", ""),
    ],
)
def test_a_clean_line_has_no_breaks_controls_or_overrides(text, line):
    assert clean_line(text) == line


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("abcd efg", 6, "abcd…"),
        ("abce\u0301fg", 5, "abc…"),
        ("ab👩\u200d👩\u200d👧cd", 6, "ab…"),
    ],
)
def test_a_cut_line_ends_in_an_ellipsis_and_between_letters(text, limit, line):
    assert clean_line(text, limit) == line


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("Re: VPN", b"Subject: Re: VPN\r\n"),
        ("", b"Subject: \r\n"),
        ("Żółw on the loose again", b"Subject: =?utf-8?b?xbvDs8WCdyBvbiB0aGUgbG9vc2UgYWdhaW4=?=\r\n"),
        (
            "the parking garage on the second floor: Tor schließt",
            b"Subject: =?utf-8?q?the_parking_garage_on_the_second_floor=3A_Tor_schlie?=\r\n =?utf-8?q?=C3=9Ft?=\r\n",
        ),
        ("=?utf-8?q?=0ABcc:_x?=", b"Subject: =?utf-8?b?PT91dGYtOD9xPz0wQUJjYzpfeD89?=\r\n"),
    ],
)
def test_a_text_is_plain_where_it_can_be_and_the_shorter_encoding_elsewhere(value, field):
    assert text_field("Subject", value) == field


@given(st.text(max_size=300) | st.text(st.sampled_from("ab =?ż🧑\u200d\n\r:")))
def test_every_text_reads_back_as_its_clean_line(value):
    field = text_field("Thread-Topic", value)
    assert read(field) == clean_line(value)
    assert all(len(line) <= 78 for line in lines(field))
    assert all(len(word) <= 75 for word in field.split() if word.startswith(b"=?"))


@given(st.text(min_size=1, max_size=400).filter(lambda text: not text.isascii()))
def test_each_encoded_word_decodes_by_itself(value):
    for line in lines(text_field("Subject", value))[1:]:
        assert "\ufffd" not in read(b"X: x\r\n" + line + b"\r\n") or "\ufffd" in value


@pytest.mark.parametrize("value", ["x" * 5000, "ы" * 5000, "one two " * 700, "🧑\u200d🚀" * 900])
def test_a_subject_of_thousands_of_characters_is_cut_and_keeps_short_lines(value):
    field = text_field("Subject", value)
    assert len(read(field)) <= VISIBLE_LIMIT
    assert max(map(len, lines(field))) <= 78


@pytest.mark.parametrize(
    ("display", "field"),
    [
        ("", b"To: ann@corp.example\r\n"),
        ("Ann Lee", b"To: Ann Lee <ann@corp.example>\r\n"),
        ("Lee, Ann", b'To: "Lee, Ann" <ann@corp.example>\r\n'),
        ('Ann "A" \\', b'To: "Ann \\"A\\" \\\\" <ann@corp.example>\r\n'),
        ("Łucja", b"To: =?utf-8?b?xYF1Y2ph?= <ann@corp.example>\r\n"),
        ("x>\r\nBcc: <e@evil.example", b'To: "x> Bcc: <e@evil.example" <ann@corp.example>\r\n'),
    ],
)
def test_a_display_name_is_atoms_a_quoted_string_or_encoded_words(display, field):
    assert address_field("To", display, "ann@corp.example") == field


@given(st.text(max_size=200))
def test_every_display_name_reads_back_and_leaves_the_one_address_alone(display):
    field = address_field("From", display, "ann@corp.example")
    (mailbox,) = read(field).addresses
    assert mailbox.addr_spec == "ann@corp.example"
    # policy.default puts blanks between the encoded words of a name (3.11); the older reader follows RFC 2047 6.2.
    name = b" ".join(lines(field)).decode().removeprefix("From: ").rpartition("ann@corp.example")[0].rstrip(" <")
    if "=?" in name:
        assert str(make_header(decode_header(name))) == clean_line(display, NAME_LIMIT)
    else:
        assert mailbox.display_name == clean_line(display, NAME_LIMIT)
    assert max(map(len, lines(field))) <= 78


@pytest.mark.parametrize(
    ("address", "ascii_form"),
    [
        ("ann@corp.example", "ann@corp.example"),
        ("ann+t.k7@corp.example", "ann+t.k7@corp.example"),
        ("o'neil/x=1@localhost", "o'neil/x=1@localhost"),
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
    ],
)
def test_a_plain_or_international_domain_is_sendable(address, ascii_form):
    assert sendable(address) == ascii_form


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@corp.example",
        "ann@",
        "a@b> SIZE=1",
        "a@b\r\nRCPT TO:<x@y>",
        "a@b\n",
        "a,b@corp.example",
        "<a@b>",
        "a b@corp.example",
        '"a b"@corp.example',
        "josé@corp.example",
        "a..b@corp.example",
        ".a@corp.example",
        "a@corp..example",
        "a@-corp.example",
        "a@[127.0.0.1]",
        "a@b@corp.example",
        "=?utf-8?q?=0ABcc:_x?=@corp.example",
        "a@straße.example",
        "a@x\u200dy.example",
        "a@" + "ü" * 80 + ".example",
        "a@" + "x." * 100 + "example",
        "a@corp.example\u2028",
        "x" * 65 + "@corp.example",
    ],
)
def test_an_address_that_could_say_more_than_an_address_is_not_sendable(address):
    with pytest.raises(UnsendableAddress):
        sendable(address)


def test_a_field_for_an_unsendable_address_is_not_written():
    with pytest.raises(UnsendableAddress):
        address_field("To", "José", "josé@corp.example")


def test_several_addresses_are_folded_between_them():
    addresses = [f"mailbox-number-{number}@corp.example" for number in range(5)]
    field = addresses_field("Reply-To", addresses)
    assert [each.addr_spec for each in read(field).addresses] == addresses
    assert max(map(len, lines(field))) <= 78
    assert addresses_field("Reply-To", []) == b""


def test_a_long_exchange_id_stays_one_plain_line():
    assert len(LONG_EXCHANGE_ID) > 78
    assert ids_field("In-Reply-To", [LONG_EXCHANGE_ID]) == f"In-Reply-To: {LONG_EXCHANGE_ID}\r\n".encode()


def test_ids_are_folded_between_them_only():
    field = ids_field("References", [LONG_EXCHANGE_ID, "<a@b>", "<c@d>"])
    assert lines(field) == [f"References: {LONG_EXCHANGE_ID}".encode(), b" <a@b> <c@d>"]


def test_the_longest_id_still_fits_its_line():
    longest = "<" + "x" * (MAX_LINE - 6) + "@y>"
    assert is_id(longest)
    assert not is_id("<x" + longest[1:])
    assert max(map(len, lines(ids_field("In-Reply-To", [longest])))) <= MAX_LINE


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "<>",
        "<a>",
        "a@b",
        "<a@b>\r\nBcc: x",
        "<a b@c>",
        "<a@b><c@d>",
        "<ü@b>",
        "<=?utf-8?q?=0ABcc:_x?=@b>",
        "<@b>",
        "<a@>",
    ],
)
def test_what_is_no_id_is_left_out(hostile):
    assert ids_field("References", [hostile, "<a@b>"]) == b"References: <a@b>\r\n"
    assert ids_field("In-Reply-To", [hostile]) == b""


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "ü", "a\x00", "x" * 990])
def test_a_token_of_ours_that_is_not_printable_ascii_is_refused(value):
    with pytest.raises(ValueError, match="X-Deskbell-Id"):
        plain_field("X-Deskbell-Id", value)
