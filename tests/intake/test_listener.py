"""The door answers 250 only for what is kept, and loses and doubles nothing, whoever fails or leaves."""

import asyncio
import logging
import re
import smtplib
import socket
import threading
from contextlib import suppress

import pytest

from desk.arrival import Envelope
from intake.listener import DoorLimits
from tests.servers.door import ANN, HELP, HR, MAIL, PATIENCE, Wire, client, sent, within_data


@pytest.mark.parametrize(("protocol", "kind"), [("smtp", smtplib.SMTP), ("lmtp", smtplib.LMTP)])
def test_a_mail_is_handed_over_with_its_envelope_octet_by_octet(doors, protocol, kind):
    running = doors()
    with client(running.open(protocol), kind) as connection:
        assert connection.sendmail(ANN, [HELP], MAIL) == {}
    assert running.desk.taken == [(Envelope(ANN, HELP), MAIL)]


def test_one_door_speaks_both_protocols_on_two_ports(doors):
    running = doors()
    for protocol, kind in (("smtp", smtplib.SMTP), ("lmtp", smtplib.LMTP)):
        with client(running.open(protocol), kind) as connection:
            connection.sendmail(ANN, [HELP], MAIL)
    assert len(running.desk.taken) == 2


def test_nothing_is_answered_before_take_has_returned(doors, wires):
    running = doors()
    running.desk.hold = asyncio.Event()
    wire = within_data(wires(running.open("smtp")))
    wire.send(MAIL + b".\r\n")
    assert running.desk.waiting.wait(PATIENCE)
    assert wire.silent()
    running.let_go()
    assert wire.reply() == "250 2.0.0 OK"


def test_each_recipient_gets_the_mail_once_even_if_named_twice(doors, wires):
    running = doors()
    wire = within_data(wires(running.open("smtp")), HELP, HR, HELP)
    wire.send(MAIL + b".\r\n")
    assert wire.reply() == "250 2.0.0 OK"
    assert [envelope.recipient for envelope, _ in running.desk.taken] == [HELP, HR]


@pytest.mark.parametrize("limits", [{"connections": 2}, {"per_peer": 2}])
def test_a_connection_too_many_is_told_so_and_the_place_of_one_that_left_is_free(doors, wires, limits):
    running = doors(**limits)
    port = running.open("smtp")
    leaver = wires(port)
    wires(port)
    crowded = Wire(port)
    assert crowded.reply().startswith("421 4.3.2 ")
    assert crowded.reply() == ""
    crowded.close()
    leaver.ask("QUIT")
    assert leaver.reply() == ""
    wires(port)


def test_a_silent_peer_is_sent_away(doors, wires):
    wire = wires(doors(command_timeout=0.05).open("smtp"), greeting="")
    assert wire.reply().startswith("421 4.4.2 ")
    assert wire.reply() == ""


def test_a_dripping_mail_ends_however_steadily_it_drips(doors, wires):
    running = doors(data_timeout=0.3)
    wire = within_data(wires(running.open("smtp")))
    ended = threading.Event()

    def drip():
        with suppress(OSError):
            while not ended.wait(0.01):
                wire.send(b"x\r\n")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        with suppress(ConnectionResetError):
            assert wire.reply()[:9] in {"421 4.4.2", ""}
    finally:
        ended.set()
        dripping.join(PATIENCE)
    assert running.desk.taken == []


@pytest.mark.parametrize(
    "limits", [{"max_octets": 0}, {"connections": 0}, {"data_timeout": -1}, {"max_octets": 10, "held_octets": 9}]
)
def test_limits_that_let_nothing_in_are_refused(limits):
    with pytest.raises(ValueError, match="limits of a door"):
        DoorLimits(**{"max_octets": 1, **limits})


def log_id(reply):
    return re.fullmatch(r"451 4\.3\.0 Cannot keep the mail now, please try again later \(([0-9a-f]{8})\)", reply)[1]


@pytest.mark.parametrize(
    "error", [OSError("/var/lib/secret is full"), ValueError("boom"), TimeoutError(), KeyError(ANN)]
)
def test_a_failing_take_is_temporary_and_only_the_log_says_why(doors, wires, caplog, error):
    running = doors()
    running.desk.failing = {HELP: error}
    wire = wires(running.open("smtp"))
    with caplog.at_level(logging.ERROR, "deskbell.door"):
        reply = sent(wire, MAIL)
    [record] = [record for record in caplog.records if record.name == "deskbell.door"]
    assert log_id(reply) in record.getMessage()
    assert record.exc_info[1] is error
    running.desk.failing = {}
    assert sent(wire, MAIL) == "250 2.0.0 OK"


def test_smtp_answers_451_for_all_if_one_recipient_fails(doors, wires):
    running = doors()
    running.desk.failing = {HELP: OSError("disk full")}
    wire = within_data(wires(running.open("smtp")), HELP, HR)
    wire.send(MAIL + b".\r\n")
    assert log_id(wire.reply())
    assert wire.ask("NOOP") == "250 2.0.0 OK"


def test_lmtp_answers_for_each_recipient_in_the_order_of_rcpt(doors, wires):
    running = doors()
    running.desk.failing = {HR: OSError("disk full")}
    wire = within_data(wires(running.open("lmtp"), "LHLO client.example"), HELP, HR, HELP)
    wire.send(MAIL + b".\r\n")
    assert wire.reply() == "250 2.0.0 OK"
    assert log_id(wire.reply())
    assert wire.reply() == "250 2.0.0 OK"
    assert [envelope.recipient for envelope, _ in running.desk.taken] == [HELP]


def test_any_other_failure_is_temporary_too(doors, wires, caplog):
    running = doors()
    running.door._room.is_ours = lambda _address: 1 / 0
    wire = wires(running.open("smtp"))
    wire.ask(f"MAIL FROM:<{ANN}>")
    assert re.fullmatch(
        r"451 4\.3\.0 Temporary failure, please try again later \([0-9a-f]{8}\)", wire.ask("RCPT TO:<a@b>")
    )
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "cut",
    [pytest.param(lambda octets: octets[: len(octets) - 2], id="CR missing"), pytest.param(lambda _: b"", id="none")],
)
def test_a_mail_whose_end_never_came_is_not_taken(doors, wires, cut):
    running = doors()
    wire = within_data(wires(running.open("smtp")))
    wire.send(cut(MAIL + b".\r\n"))
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.reply() == ""
    assert running.desk.taken == []


def test_a_peer_that_leaves_during_take_cancels_it(doors, wires):
    running = doors()
    running.desk.hold = asyncio.Event()
    wire = within_data(wires(running.open("smtp")))
    wire.send(MAIL + b".\r\n")
    assert running.desk.waiting.wait(PATIENCE)
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.reply() == ""
    assert running.desk.taken == []


# -- closing


def test_closing_sends_idle_sessions_away_and_accepts_no_more(doors, wires):
    running = doors()
    port = running.open("smtp")
    idle = wires(port)
    running.run(running.door.close(PATIENCE))
    assert idle.reply().startswith("421 4.3.2 ")
    assert idle.reply() == ""
    with pytest.raises(ConnectionRefusedError):
        Wire(port)


def test_closing_lets_a_mail_in_hand_finish(doors, wires):
    running = doors()
    port = running.open("smtp")
    wire, idle = within_data(wires(port)), wires(port)
    wire.send(MAIL)
    closing = running.start(running.door.close(PATIENCE))
    assert idle.reply().startswith("421 4.3.2 ")
    wire.send(b".\r\n")
    assert wire.reply() == "250 2.0.0 OK"
    assert wire.reply().startswith("421 4.3.2 ")
    closing.result(PATIENCE)
    assert [raw for _, raw in running.desk.taken] == [MAIL]


def test_a_mail_in_hand_that_does_not_finish_is_cut_off_without_an_answer(doors, wires):
    running = doors()
    wire = within_data(wires(running.open("smtp")))
    wire.send(MAIL)
    running.run(running.door.close(0))
    with suppress(ConnectionResetError):
        assert wire.reply() == ""
    assert running.left_over() == []
    assert running.desk.taken == []


def test_a_port_in_use_is_an_error_at_opening(doors):
    running = doors()
    port = running.open("smtp")
    with pytest.raises(OSError, match=r"address already in use|[Aa]ddress"):
        running.run(running.door.open("lmtp", "127.0.0.1", port))
