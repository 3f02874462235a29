"""What every transport promises the courier, over each of them."""

from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes

import pytest

from delivery.maildir import MaildirTransport
from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Outgoing, Refused, Scope, Sent, Transport
from tests.servers.sink import Manner, Sink

CONTENT = b"Message-ID: <1@desk>\r\nSubject: x\r\n\r\n.\r\n..dots\r\n.x\r\nend\r\n"
OUTGOING = Outgoing("<1@desk>", "help@corp.example", "ann@corp.example", CONTENT)


class Stop(Exception):
    """Raised by a courier that must not hand over."""


class Dot:
    """Counts how often the courier was asked, and what was delivered by then."""

    def __init__(self, delivered=list):
        self.seen = []
        self._delivered = delivered

    def __call__(self):
        self.seen.append(len(self._delivered()))


def refuse():
    raise Stop


@contextmanager
def over_smtp(_folder, pipelining=True):
    with Sink(manner=Manner(pipelining=pipelining)) as sink:
        server = SmtpServer("127.0.0.1", sink.port, "none", None, None, None, "desk.example", reply_timeout=5)
        transport = SmtpTransport(server)
        yield transport, lambda: [(taken.recipients[0], taken.content) for taken in sink.taken]
        transport.close()


@contextmanager
def over_smtp_one_by_one(folder):
    with over_smtp(folder, pipelining=False) as port:
        yield port


@contextmanager
def over_maildir(folder):
    yield (
        MaildirTransport(folder),
        lambda: [(path.parent.parent.name, path.read_bytes()) for path in sorted(folder.glob("*/new/*"))],
    )


@pytest.fixture(params=[over_smtp, over_smtp_one_by_one, over_maildir])
def port(request, tmp_path):
    """A transport, and what it has delivered: (recipient, content)."""
    with request.param(tmp_path) as (transport, delivered):
        yield transport, delivered


def test_a_sent_mail_is_delivered_once_byte_for_byte(port):
    transport, delivered = port
    assert isinstance(transport.send(OUTGOING, Dot()), Sent)
    assert delivered() == [("ann@corp.example", CONTENT)]


def test_the_courier_is_asked_once_and_before_anything_is_delivered(port):
    transport, delivered = port
    dot = Dot(delivered)
    transport.send(OUTGOING, dot)
    assert dot.seen == [0]


def test_where_the_courier_says_no_nothing_is_delivered_and_it_hears_its_own_error(port):
    transport, delivered = port
    with pytest.raises(Stop):
        transport.send(OUTGOING, refuse)
    assert isinstance(transport.send(replace(OUTGOING, recipient="bob@corp.example"), Dot()), Sent)
    assert [recipient for recipient, _ in delivered()] == ["bob@corp.example"]


def test_mails_to_several_people_are_kept_apart_and_in_order(port):
    transport, delivered = port
    for name in ("ann", "bob", "cleo"):
        transport.send(Outgoing(f"<{name}@desk>", "", f"{name}@corp.example", CONTENT), Dot())
    assert [recipient for recipient, _ in delivered()] == [f"{name}@corp.example" for name in ("ann", "bob", "cleo")]


@pytest.mark.parametrize("recipient", ["", "a@b> SIZE=1", "a@b\r\nRCPT TO:<x@y>", "josé@corp.example", "../../x"])
def test_an_unsendable_recipient_is_refused_before_anything_is_said(port, recipient):
    transport, delivered = port
    dot = Dot()
    outcome = transport.send(replace(OUTGOING, recipient=recipient), dot)
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.RECIPIENT
    assert dot.seen == delivered() == []


def test_an_unsendable_envelope_sender_is_our_own_fault(port):
    transport, _ = port
    outcome = transport.send(replace(OUTGOING, envelope_sender="help"), Dot())
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.ACCOUNT


def test_an_international_domain_is_written_to_in_its_ascii_form(port):
    transport, delivered = port
    transport.send(replace(OUTGOING, recipient="ann@münchen.example"), Dot())
    assert [recipient for recipient, _ in delivered()] == ["ann@xn--mnchen-3ya.example"]


def test_a_mail_without_a_last_line_end_is_delivered(port):
    transport, delivered = port
    transport.send(replace(OUTGOING, content=b"Subject: x\r\n\r\nend"), Dot())
    ((_, content),) = delivered()
    assert message_from_bytes(content).get_payload().rstrip() == "end"


def test_a_closed_transport_can_be_closed_again_and_still_sends(port):
    transport: Transport = port[0]
    transport.send(OUTGOING, Dot())
    transport.close()
    transport.close()
    assert isinstance(transport.send(replace(OUTGOING, message_id="<2@desk>"), Dot()), Sent)
