"""A session takes the octets as they are sent, refuses what is not ours, and stays within its limits."""

import asyncio

import pytest

from desk.arrival import Envelope
from tests.servers.door import ANN, HELP, HR, MAIL, PATIENCE, client, sent, within_data


@pytest.mark.parametrize(
    ("path", "sender"),
    [
        pytest.param("", "", id="null reverse-path"),
        pytest.param("Ann@Corp.Example", "Ann@Corp.Example", id="letters as written"),
        pytest.param("@a.example,@b.example:ann@corp.example", ANN, id="source route"),
        pytest.param('"ann > smith"@corp.example', '"ann > smith"@corp.example', id="quoted"),
        pytest.param(
            "=?utf-8?q?boss=40corp.example?=@evil.example", "=?utf-8?q?boss=40corp.example?=@evil.example", id="="
        ),
        pytest.param("root", "root", id="no domain"),
        pytest.param("łucja@corp.example", "łucja@corp.example", id="UTF-8"),
    ],
)
def test_the_sender_is_the_written_one_and_empty_for_the_null_reverse_path(doors, wires, path, sender):
    running = doors()
    wire = within_data(wires(running.open("smtp")), sender=path)
    wire.send(MAIL + b".\r\n")
    wire.reply()
    assert running.desk.taken == [(Envelope(sender, HELP), MAIL)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b".\r\n..\r\n.a\r\n", id="dots"),
        pytest.param(b"\xff\xfe\x80\r\n", id="8 bit"),
        pytest.param("zażółć gęślą jaźń\r\n".encode(), id="UTF-8"),
        pytest.param(b"x" * 65_534 + b"\r\n", id="a long line"),
        pytest.param(b"".join(b"%d.\r\n" % number for number in range(9_999)), id="sentences"),
        pytest.param(bytes(range(1, 12)) * 20_000 + b"\r\n", id="many octets without a dot"),
    ],
)
def test_the_octets_of_a_body_are_kept(doors, wires, body):
    running = doors()
    raw = b"Subject: x\r\n\r\n" + body
    assert sent(wires(running.open("smtp")), raw.replace(b"\r\n.", b"\r\n..")) == "250 2.0.0 OK"
    assert running.desk.taken[0][1] == raw


def test_a_utf8_recipient_is_taken(doors):
    running = doors()
    with client(running.open("smtp")) as connection:
        assert connection.sendmail("łucja@corp.example", ["zażółć@corp.example"], MAIL, ["SMTPUTF8"]) == {}
    assert running.desk.taken[0][0] == Envelope("łucja@corp.example", "zażółć@corp.example")


def test_postmaster_needs_no_domain(doors, wires):
    wire = wires(doors().open("smtp"))
    wire.ask("MAIL FROM:<>")
    assert wire.ask("RCPT TO:<postmaster>").startswith("250 ")


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_a_pipelined_session_is_answered_in_order(doors, wires, piece):
    """RFC 2920: commands, the mail and the next mail in one stream, in pieces of any size."""
    running = doors()
    wire = wires(running.open("smtp"))
    one = f"MAIL FROM:<{ANN}>\r\nRCPT TO:<{HELP}>\r\nRCPT TO:<no@corp.example>\r\nDATA\r\n".encode() + MAIL + b".\r\n"
    stream = one + b"NOOP\r\n" + one + b"QUIT\r\n"
    for start in range(0, len(stream), piece):
        wire.send(stream[start : start + piece])
    mail = ["250", "250", "550", "354", "250"]
    assert [wire.reply()[:3] for _ in range(12)] == [*mail, "250", *mail, "221"]
    assert [raw for _, raw in running.desk.taken] == [MAIL, MAIL]


@pytest.mark.parametrize(
    "smuggled", ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n.\0\r\n", "\r.\r\n", "\n.\r"]
)
def test_only_crlf_dot_crlf_ends_a_mail(doors, wires, smuggled):
    running = doors()
    wire = within_data(wires(running.open("smtp")))
    second = f"MAIL FROM:<boss@corp.example>\r\nRCPT TO:<{HR}>\r\nDATA\r\nSubject: pay\r\n\r\nall\r\n"
    wire.send(b"a" + smuggled.encode() + second.encode() + b".\r\n")
    assert wire.reply() == "250 2.0.0 OK"
    assert wire.ask("NOOP") == "250 2.0.0 OK"
    [(envelope, raw)] = running.desk.taken
    assert envelope == Envelope(ANN, HELP)
    assert raw.endswith(b"Subject: pay\r\n\r\nall\r\n")


# -- what is refused


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        pytest.param("<nobody@corp.example>", "550 5.1.1", id="unknown"),
        pytest.param("<help@other.example>", "550 5.1.1", id="foreign domain"),
        pytest.param("<>", "550 5.1.3", id="null"),
        pytest.param("<help%evil.example@corp.example>", "550 5.1.3", id="percent hack"),
        pytest.param("<evil.example!help@corp.example>", "550 5.1.3", id="bang path"),
        pytest.param("<@corp.example:help@evil.example>", "550 5.1.3", id="source route"),
        pytest.param('<"help"@corp.example>', "550 5.1.3", id="quoted local part"),
        pytest.param("<help@corp.example@evil.example>", "550 5.1.3", id="two at signs"),
        pytest.param("<help@corp.example> SIZE=1", "555 5.5.4", id="parameter"),
        pytest.param("<help@corp.example>RCPT", "553 5.1.3", id="text behind"),
        pytest.param("<help@corp.example", "553 5.1.3", id="open bracket"),
        pytest.param("<help\0@corp.example>", "553 5.1.3", id="NUL"),
        pytest.param("<help@corp.example\r>", "553 5.1.3", id="CR"),
        pytest.param("<(a)help@corp.example>", "550 5.1.3", id="comment"),
    ],
)
def test_only_a_plain_address_of_ours_is_a_recipient(doors, wires, path, reply):
    wire = wires(doors().open("smtp"))
    wire.ask(f"MAIL FROM:<{ANN}>")
    assert wire.ask(f"RCPT TO:{path}").startswith(reply)
    assert wire.ask("DATA").startswith("503 5.5.1")


def test_a_recipient_that_is_no_text_is_refused(doors, wires):
    wire = wires(doors().open("smtp"))
    wire.ask(f"MAIL FROM:<{ANN}>")
    wire.send(b"RCPT TO:<\xff@corp.example>\r\n")
    assert wire.reply().startswith("553 ")


def test_a_refused_recipient_does_not_spoil_the_others(doors):
    running = doors()
    with client(running.open("smtp")) as connection:
        refused = connection.sendmail(ANN, ["nobody@corp.example", HELP], MAIL)
    assert refused["nobody@corp.example"][0] == 550
    assert [envelope.recipient for envelope, _ in running.desk.taken] == [HELP]


def test_more_recipients_than_the_limit_are_asked_to_wait(doors, wires):
    wire = wires(doors(recipients=2).open("smtp"))
    wire.ask(f"MAIL FROM:<{ANN}>")
    assert [wire.ask(f"RCPT TO:<{HELP}>")[:9] for _ in range(3)] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("VRFY help@corp.example", "252 2.0.0"),
        ("VRFY nobody@corp.example", "252 2.0.0"),
        ("AUTH PLAIN AGFubgBwYXNz", "502 5.5.1"),
        ("STARTTLS", "454 4.7.0"),
        ("EXPN help", "502 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:ann", "553 "),
        ("MAIL FROM:<a> ENVID=1", "555 5.5.4"),
        ("NOSUCH", "500 5.5.2"),
        ("MAIL FROM:<" + "a" * 3_000 + ">", "500 5.5.2"),
        ("NOOP " + "a" * 200_000, "500 5.5.2"),
    ],
)
def test_other_commands_have_an_answer_of_their_own(doors, wires, command, reply):
    wire = wires(doors().open("smtp"))
    assert wire.ask(command).startswith(reply)
    assert wire.ask("NOOP") == "250 2.0.0 OK"


def test_the_offer_names_the_extensions_and_the_size_and_no_login(doors):
    with client(doors(max_octets=4_711).open("smtp")) as connection:
        connection.ehlo()
        assert connection.esmtp_features == {
            "size": "4711",
            "8bitmime": "",
            "smtputf8": "",
            "pipelining": "",
            "enhancedstatuscodes": "",
        }


def test_lmtp_wants_lhlo(doors, wires):
    wire = wires(doors().open("lmtp"), greeting="")
    assert wire.ask("EHLO client.example").startswith("500 ")
    assert wire.ask("LHLO client.example").startswith("250 ")


# -- limits


@pytest.mark.parametrize(
    ("length", "reply"), [pytest.param(5_000, "250 2.0.0", id="the limit"), pytest.param(5_001, "552 5.3.4", id="more")]
)
def test_a_mail_may_be_as_large_as_announced_transparency_not_counted(doors, wires, length, reply):
    running = doors(max_octets=5_000)
    wire = wires(running.open("smtp"))
    assert sent(wire, b"..\r\n" * 1_000 + b"x" * (length - 3_002) + b"\r\n").startswith(reply)
    assert [len(raw) for _, raw in running.desk.taken] == ([5_000] if length == 5_000 else [])


def test_a_mail_too_large_is_refused_before_and_after_it_is_sent_and_the_session_goes_on(doors, wires):
    running = doors(max_octets=200_000)
    wire = wires(running.open("smtp"))
    assert wire.ask(f"MAIL FROM:<{ANN}> SIZE=200001").startswith("552 5.3.4")
    assert sent(wire, b"x" * 5_000_000 + b"\r\n") == "552 5.3.4 Message exceeds the size limit"
    assert sent(wire, MAIL) == "250 2.0.0 OK"
    assert [raw for _, raw in running.desk.taken] == [MAIL]


def test_lmtp_refuses_a_mail_too_large_once_for_each_recipient(doors, wires):
    wire = within_data(wires(doors(max_octets=10).open("lmtp"), "LHLO client.example"), HELP, HR)
    wire.send(MAIL + b".\r\n")
    assert [wire.reply()[:9] for _ in range(2)] == ["552 5.3.4", "552 5.3.4"]
    assert wire.ask("NOOP") == "250 2.0.0 OK"


def test_a_line_beyond_the_limit_is_refused(doors, wires):
    wire = wires(doors(line=1_000).open("smtp"))
    assert sent(wire, b"x" * 1_000 + b"\n" + b"x" * 999 + b"\r\n").startswith("250 ")
    assert sent(wire, b"x" * 1_001 + b"\r\n").startswith("500 5.6.0")


def test_all_mails_together_are_bounded_and_room_comes_back(doors, wires):
    running = doors(max_octets=3_000, held_octets=4_000)
    port = running.open("smtp")
    running.desk.hold = asyncio.Event()
    one = within_data(wires(port))
    one.send(b"x" * 2_998 + b"\r\n.\r\n")
    assert running.desk.waiting.wait(PATIENCE)
    other = wires(port)
    assert sent(other, b"x" * 2_998 + b"\r\n").startswith("452 4.3.1")
    running.let_go()
    assert one.reply().startswith("250 ")
    assert sent(other, b"x" * 2_998 + b"\r\n").startswith("250 ")
