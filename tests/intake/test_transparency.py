"""A mail ends at CRLF . CRLF and nowhere else, and comes out as it was written, however it was cut on its way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.transparency import LAST_LINE, Received, has_line_beyond


def received(*chunks):
    mail = Received()
    for chunk in chunks:
        assert not mail.ended
        mail.feed(chunk)
    return mail


@pytest.mark.parametrize(
    ("sent", "raw"),
    [
        pytest.param(b".\r\n", b"", id="nothing at all"),
        pytest.param(b"\r\n.\r\n", b"\r\n", id="one empty line"),
        pytest.param(b"a\r\n.\r\n", b"a\r\n", id="one line"),
        pytest.param(b"..\r\n.\r\n", b".\r\n", id="a lone dot"),
        pytest.param(b"..a\r\n..b\r\n.\r\n", b".a\r\n.b\r\n", id="dots on the first and second line"),
        pytest.param(b".a\r\n.\r\n", b"a\r\n", id="a dot the client did not double"),
        pytest.param(b"...\r\n.\r\n", b"..\r\n", id="two dots"),
        pytest.param(b"a.\r\n.\r\n", b"a.\r\n", id="a sentence"),
        pytest.param(b"a\n..b\r\n.\r\n", b"a\n..b\r\n", id="dots behind a bare LF stay"),
        pytest.param(b"\xff\x00\r\r\n.\r\n", b"\xff\x00\r\r\n", id="any octets"),
    ],
)
def test_a_mail_comes_out_as_it_was_before_its_dots_were_doubled(sent, raw):
    whole, pieces = received(sent), received(*(bytes([octet]) for octet in sent))
    assert whole.ended
    assert pieces.ended
    assert (whole.raw(), pieces.raw()) == (raw, raw)


@pytest.mark.parametrize(
    "sent", [b"", b".", b".\r", b"a.\r\n", b"\n.\r\n", b"a\r\n.\n", b"a\n.\n", b"a\r.\r", b"a\r\n.\r", b"a\r\n.\0\r\n"]
)
def test_nothing_but_a_dot_alone_on_a_line_ends_a_mail(sent):
    assert not received(sent).ended


@given(st.lists(st.text(st.sampled_from(".\r\n\0a"), max_size=8)), st.lists(st.integers(1, 6), min_size=1))
def test_what_a_careful_client_sends_arrives_in_pieces_of_any_size(texts, sizes):
    lines = ["".join(text.split("\r\n")).rstrip("\r").lstrip("\n") for text in texts]
    sent = "".join(f".{line}\r\n" if line.startswith(".") else f"{line}\r\n" for line in lines).encode() + LAST_LINE
    mail, start, turn = Received(), 0, 0
    while start < len(sent):
        assert not mail.ended
        mail.feed(sent[start : start + sizes[turn % len(sizes)]])
        start, turn = start + sizes[turn % len(sizes)], turn + 1
    assert mail.ended
    assert mail.raw() == "".join(f"{line}\r\n" for line in lines).encode()


def test_a_dropped_mail_holds_nothing_and_still_finds_its_end():
    mail = received(b"a" * 1_000)
    mail.drop()
    mail.feed(b"b\r\n.\r\n")
    assert (mail.ended, mail.size, mail.raw()) == (True, 0, b"")


@pytest.mark.parametrize(
    ("raw", "beyond"),
    [
        (b"", False),
        (b"12345", False),
        (b"123456", True),
        (b"12345\n12345\n", False),
        (b"1234\r\n1\r\n", False),
        (b"12345\r\n", True),
        (b"1\n2\n3\n123456\n", True),
        (b"\n" * 20, False),
    ],
)
def test_a_line_is_too_long_from_one_octet_over_the_limit(raw, beyond):
    assert has_line_beyond(raw, 5) is beyond
