"""A whole message: complete, deterministic, and not to be injected into."""

import re
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import compose as composing
from delivery.compose import LAST_REFERENCES, Letter, LetterKind, Words, compose, reworded, self_test
from delivery.header import UnsendableAddress, clean_line
from desk.mail import Address

O01 = "x =?utf-8?q?=0ABcc:_evil=40e?="

LETTER = Letter(
    from_name="IT Service",
    from_address="help@corp.example",
    to=Address("Ann Lee", "ann@corp.example"),
    subject="Re: VPN down",
    message_id="<Receipt.k7f3qz@corp.example>",
    in_reply_to="<1@corp.example>",
    references=("<0@corp.example>", "<1@corp.example>"),
    reply_to=("help@corp.example",),
    date=datetime.fromisoformat("2026-03-02T09:12:00+01:00"),
    language="de",
    text="Danke, bis morgen.\n",
    thread_topic="VPN down",
    kind=LetterKind.RECEIPT,
    identity="desk-1.k7f3qz",
)

RECEIPT = b"""\
Date: Mon, 02 Mar 2026 09:12:00 +0100
From: IT Service <help@corp.example>
Reply-To: help@corp.example
To: Ann Lee <ann@corp.example>
Subject: Re: VPN down
Thread-Topic: VPN down
Message-ID: <Receipt.k7f3qz@corp.example>
In-Reply-To: <1@corp.example>
References: <0@corp.example> <1@corp.example>
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply
Precedence: bulk
X-Autoreply: yes
X-Deskbell-Id: desk-1.k7f3qz
Content-Language: de
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8; format=fixed
Content-Transfer-Encoding: quoted-printable

Danke, bis morgen.
""".replace(b"\n", b"\r\n")


def names(raw: bytes) -> list[str]:
    """The header names by a split of our own, at whatever some reader may take for a line break."""
    block = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    return [line.partition(":")[0] for line in re.split("\r\n|\r|\n|\x0b|\x0c|\x85", block) if line[:1] not in " \t"]


def parsed(raw: bytes):
    return message_from_bytes(raw, policy=policy.default)


def shown(raw: bytes, *subtypes: str) -> str:
    body = parsed(raw).get_body(subtypes or ("plain",))
    return body.get_content().replace("\r\n", "\n")


def expected(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines if lines.endswith("\n") else lines + "\n"


def test_a_receipt_is_exactly_these_bytes():
    assert compose(LETTER) == RECEIPT


def test_a_reworded_message_is_the_letter_that_would_have_said_it_at_once():
    """Whatever it said before; its fields stay as they are, but for the date."""
    later = datetime.fromisoformat("2026-03-03T08:00:00+01:00")
    said = replace(LETTER, text="Entschuldigung.\n", html="<p>Entschuldigung.</p>", date=later)
    words = Words(message_id=LETTER.message_id, date=later, text=said.text, html=said.html)
    for before in (LETTER, replace(LETTER, html="<p>MIME-Version: 1.0</p>", text="MIME-Version: 1.0\n")):
        assert reworded(compose(before), words) == compose(said)


def test_the_same_letter_always_gives_the_same_bytes():
    letter = replace(LETTER, html="<p>Danke</p>")
    assert compose(letter) == compose(replace(letter))


def test_a_notification_is_generated_and_no_answer():
    message = parsed(compose(replace(LETTER, kind=LetterKind.NOTIFICATION)))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"
    assert "X-Autoreply" not in message


def test_a_letter_without_a_parent_names_none():
    raw = compose(replace(LETTER, in_reply_to=None, references=(), reply_to=(), thread_topic=""))
    absent = {"In-Reply-To", "References", "Reply-To", "Thread-Topic"}
    assert names(raw) == [name for name in names(RECEIPT) if name not in absent]


def test_references_keep_the_last_twenty():
    ids = tuple(f"<{number}@corp.example>" for number in range(50))
    assert parsed(compose(replace(LETTER, references=ids)))["References"].split() == list(ids[-LAST_REFERENCES:])


def test_an_html_letter_offers_both_and_the_boundary_comes_from_the_message_id():
    letter = replace(LETTER, html="<p>Dänke</p>")
    message = parsed(compose(letter))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert shown(compose(letter), "html") == "<p>Dänke</p>\n"
    other = parsed(compose(replace(letter, message_id="<2@corp.example>")))
    assert other.get_boundary() != message.get_boundary()


def test_a_text_that_imitates_the_boundary_stays_one_part():
    boundary = parsed(compose(replace(LETTER, html="x"))).get_boundary()
    letter = replace(LETTER, html="<p>x</p>", text=f"a\n--{boundary}--\nContent-Type: text/html\n\nb\n")
    assert shown(compose(letter)) == letter.text
    assert len(list(parsed(compose(letter)).iter_parts())) == 2


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Hello", "quoted-printable"),
        ("", "quoted-printable"),
        ("Grüße aus dem Büro, wir melden uns bis Dienstag.", "quoted-printable"),
        ("Добрый день", "base64"),
        ("ありがとうございます。", "base64"),
    ],
)
def test_mostly_ascii_text_stays_readable_and_other_text_is_base64(text, encoding):
    raw = compose(replace(LETTER, text=text))
    assert parsed(raw)["Content-Transfer-Encoding"] == encoding
    assert shown(raw) == expected(text)


@pytest.mark.parametrize(
    "text", [".\n", ".\r\nMAIL FROM:<x>\n", "a\rb", "trailing \n\t\n", "From here\n", "=\n", "\0\n"]
)
def test_a_text_that_looks_like_protocol_comes_back_as_it_was(text):
    raw = compose(replace(LETTER, text=text))
    assert shown(raw) == expected(text)
    assert not re.search(rb"\r\n\.\r\n", raw)


hostile = st.text(max_size=120) | st.sampled_from(
    [O01, "x\r\nBcc: e@evil.example", "x\u2028Bcc: e\x85Cc: f\x0bTo: g\0"]
)


@given(subject=hostile, name=hostile, topic=hostile, ids=st.lists(hostile, max_size=3))
def test_no_string_adds_a_field_or_a_line_end_of_its_own(subject, name, topic, ids):
    letter = replace(
        LETTER,
        subject=subject,
        from_name=name,
        to=Address(name, "ann@corp.example"),
        thread_topic="t" + topic,
        in_reply_to="".join(ids),
        references=(*ids, "<1@corp.example>"),
    )
    raw = compose(letter)
    assert set(names(RECEIPT)) - set(names(raw)) <= {"In-Reply-To"}
    assert len(names(raw)) == len(set(names(raw)))
    assert set(names(raw)) <= set(names(RECEIPT))
    assert parsed(raw).keys() == names(raw)
    assert parsed(raw)["Subject"] == clean_line(subject)
    assert parsed(raw)["To"].addresses[0].addr_spec == "ann@corp.example"


@given(text=st.text(max_size=400), html=st.none() | st.text(max_size=200))
def test_every_text_comes_back_over_short_seven_bit_lines(text, html):
    raw = compose(replace(LETTER, text=text, html=html))
    assert shown(raw) == expected(text)
    assert html is None or shown(raw, "html") == expected(html)
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_a_lone_surrogate_does_not_stop_a_letter():
    assert shown(compose(replace(LETTER, text="a\ud800b"))) == "a?b\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": Address("José", "josé@corp.example")},
        {"to": Address("", "a@b> SIZE=1")},
        {"from_address": "a@b\r\nBcc: x"},
        {"reply_to": ("help@corp.example", "a@b, c@d")},
    ],
)
def test_an_address_nobody_can_write_to_is_refused(wrong):
    with pytest.raises(UnsendableAddress):
        compose(replace(LETTER, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [{"date": datetime(2026, 3, 2)}, {"message_id": "x"}, {"message_id": "<a@b>\r\nBcc: c"}],  # noqa: DTZ001 - the fault
)
def test_a_letter_without_zone_or_message_id_is_refused(wrong):
    with pytest.raises(ValueError, match=r"zone|Message-ID"):
        replace(LETTER, **wrong)


@pytest.mark.parametrize("wrong", [{"language": "de\r\nBcc: x"}, {"identity": "ü"}])
def test_a_token_of_ours_that_is_not_ascii_is_refused(wrong):
    with pytest.raises(ValueError, match="not one line of printable ASCII"):
        compose(replace(LETTER, **wrong))


def pasted(name: str, *values: object) -> bytes:
    words = (" ".join(value) if isinstance(value, tuple) else str(value) for value in values)
    return f"{name}: {' '.join(words)}\r\n".encode()


@pytest.mark.parametrize("writer", ["text_field", "address_field", "ids_field"])
def test_the_self_test_passes_with_our_header_writers_and_fails_with_any_that_pastes(monkeypatch, writer):
    """Each of those that write what a mail says."""
    with monkeypatch.context() as broken:
        broken.setattr(composing, writer, pasted)
        with pytest.raises(RuntimeError, match="nothing is sent"):
            self_test()
    self_test()
