"""Our door answers 250 when the writer has committed, 4xx when it could not, and ends when told."""

import logging
import smtplib
import socket
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk.arrival import Envelope, Source
from service.door import FrontDoor, Opening
from service.notation import HostPort
from service.settings import load
from tests.servers.door import ANN, MAIL, PATIENCE, Wire, client, within_data
from tests.servers.dovecot import until
from tests.servers.installation import free_port
from tests.service.cast import HELP, HR, office


class Writer:
    """Keeps what comes in once it is let go, or fails."""

    def __init__(self):
        self.taken = []
        self.future = None

    def take(self, arrival):
        self.taken.append(arrival)
        return self.future or done(None)


def done(error):
    future = Future()
    future.set_exception(error) if error else future.set_result(None)
    return future


class Serving:
    """A front door in a thread of its own."""

    def __init__(self, folder: Path, *protocols: str, port: int = 0):
        config = folder / "config.toml"
        config.write_text(f'mailbox = [{{address = "{HELP}"}}]\nmaildir.path = "out"\nlimits.message_octets = 5000\n')
        self.writer = Writer()
        self.ports = {protocol: port or free_port() for protocol in protocols}
        self.opened: list[str] = []
        self._stopped = threading.Event()
        front = FrontDoor(self.writer.take, office(), load(config))
        openings = [Opening(protocol, HostPort("127.0.0.1", at)) for protocol, at in self.ports.items()]
        arguments = (openings, self.opened.append, self._stopped.is_set)
        self._thread = threading.Thread(target=front.serve, args=arguments)

    def __enter__(self):
        self.start()
        until(lambda: self.opened == list(self.ports))
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.mark.parametrize(("protocol", "kind"), [("lmtp", smtplib.LMTP), ("smtp", smtplib.SMTP)])
def test_an_arrival_holds_octets_envelope_way_and_moment(tmp_path, protocol, kind):
    """The moment is that of taking; no header is believed."""
    before = datetime.now(UTC)
    with Serving(tmp_path, protocol) as serving, client(serving.ports[protocol], kind) as sender:
        sender.sendmail(ANN, [HELP], MAIL)
    (arrival,) = serving.writer.taken
    assert (arrival.mailbox, arrival.source, arrival.raw, arrival.size) == (HELP, Source(protocol), MAIL, len(MAIL))
    assert arrival.envelope == Envelope(ANN, HELP)
    assert before <= arrival.received_at <= datetime.now(UTC)
    assert (arrival.position, arrival.complete, arrival.replayed) == (None, True, False)


@pytest.mark.parametrize(
    ("recipient", "mailbox"),
    [("it@corp.example", HELP), ("Help+urgent@CORP.example", HELP), ("hr+t.abc@corp.example", HR)],
)
def test_an_alias_or_a_plus_tag_leads_to_its_mailbox_and_stays_in_the_envelope(tmp_path, recipient, mailbox):
    """RFC 5233: what follows the plus is kept for whoever reads it."""
    with Serving(tmp_path, "lmtp") as serving, client(serving.ports["lmtp"], smtplib.LMTP) as sender:
        sender.sendmail(ANN, [recipient], MAIL)
    (arrival,) = serving.writer.taken
    assert (arrival.mailbox, arrival.envelope.recipient) == (mailbox, recipient)


def test_the_null_sender_is_empty_and_not_unknown(tmp_path):
    """None would mean that nobody told us."""
    with Serving(tmp_path, "smtp") as serving, client(serving.ports["smtp"]) as sender:
        sender.sendmail("", [HELP], MAIL)
    assert serving.writer.taken[0].envelope.sender == ""


def test_nothing_is_answered_before_the_commit(tmp_path):
    """The sender holds the mail until 250."""
    with Serving(tmp_path, "smtp") as serving:
        serving.writer.future = Future()
        wire = greeted(serving.ports["smtp"])
        within_data(wire).send(MAIL + b".\r\n")
        until(lambda: len(serving.writer.taken) == 1)
        assert wire.silent()
        serving.writer.future.set_result(None)
        assert wire.reply() == "250 2.0.0 OK"
        wire.close()


def test_a_commit_that_failed_is_answered_451_and_the_next_mail_is_taken(tmp_path, caplog):
    """The sender tries again; the reason stands in the log alone."""
    with Serving(tmp_path, "smtp") as serving:
        serving.writer.future = done(OSError("disk full"))
        wire = greeted(serving.ports["smtp"])
        within_data(wire).send(MAIL + b".\r\n")
        refused = wire.reply()
        assert refused.startswith("451 4.3.0 ")
        assert "disk" not in refused
        serving.writer.future = None
        within_data(wire).send(MAIL + b".\r\n")
        assert wire.reply() == "250 2.0.0 OK"
        wire.close()
    assert "disk full" in caplog.text


def test_the_limit_of_the_settings_is_that_of_the_door(tmp_path):
    """Announced by EHLO (RFC 1870)."""
    with Serving(tmp_path, "smtp") as serving, client(serving.ports["smtp"]) as sender:
        sender.ehlo()
        assert sender.esmtp_features["size"] == "5000"


def test_both_doors_open_in_order_and_close_when_stopped(tmp_path):
    """Afterwards nobody listens."""
    with Serving(tmp_path, "lmtp", "smtp") as serving:
        assert serving.opened == ["lmtp", "smtp"]
    for port in serving.ports.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


@pytest.mark.slow
def test_a_taken_port_is_named_and_tried_again_until_it_is_free(tmp_path, caplog):
    """The daemon stays up; senders keep their mail meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serving = Serving(tmp_path, "smtp", port=port)
        serving.start()
        until(lambda: f"smtp at 127.0.0.1 port {port} cannot be opened" in caplog.text)
        assert serving.opened == []
    until(lambda: serving.opened == ["smtp"])
    serving.stop()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * len(caplog.records)


def greeted(port):
    wire = Wire(port)
    assert wire.reply().startswith("220 ")
    assert wire.ask("EHLO client.example").startswith("250 ")
    return wire
