"""A relay is tried without a mail: what it says at each stage comes back with that stage."""

import pytest

from delivery.retry import Stage
from delivery.session import SmtpServer
from delivery.trial import RelayFault, trial
from tests.servers.sink import AUTHORITY, Manner, Sink

HELP, HR = "help@corp.example", "hr@corp.example"


def server(port, *, host="localhost", tls="none", ca_file=None, login=None):
    user, password = login or (None, None)
    return SmtpServer(
        host=host,
        port=port,
        tls=tls,
        user=user,
        password=(lambda: password) if password else None,
        ca_file=ca_file,
        hostname="desk.corp.example",
        connect_timeout=5,
        reply_timeout=5,
    )


@pytest.mark.parametrize("tls", ["none", "tls", "starttls"])
def test_a_relay_that_is_well_hands_over_nothing(tls):
    with Sink(manner=Manner(tls=tls)) as sink:
        found = trial(server(sink.port, tls=tls, ca_file=str(AUTHORITY)), [HELP, HR])
        assert (found.refused, "8BITMIME" in found.features) == ((), True)
        assert [one for one in sink.commands if one.startswith(("MAIL", "RCPT", "DATA"))] == [
            f"MAIL FROM:<{HELP}>",
            f"MAIL FROM:<{HR}>",
        ]
        assert sink.taken == []


def test_each_refused_sender_comes_with_the_relays_words():
    with Sink(["m550 5.7.60 not you"]) as sink:
        assert trial(server(sink.port), [HELP, HR]).refused == ((HELP, "550 5.7.60 not you"),)


def test_a_sender_nobody_can_write_as_is_refused_without_asking():
    with Sink() as sink:
        ((sender, words),) = trial(server(sink.port), ["żółw@corp.example"]).refused
        assert (sender, "plain ASCII" in words) == ("żółw@corp.example", True)


@pytest.mark.parametrize(
    ("manner", "known", "stage", "certificate"),
    [
        (Manner(tls="tls"), {"tls": "tls"}, Stage.CONNECT, True),
        (Manner(tls="starttls"), {"tls": "starttls"}, Stage.STARTTLS, True),
        (Manner(), {"tls": "starttls"}, Stage.STARTTLS, False),
        (Manner(), {"tls": "tls"}, Stage.CONNECT, False),
        (Manner(account=("desk", "right")), {"host": "127.0.0.1", "login": ("desk", "a guess")}, Stage.AUTH, False),
    ],
)
def test_a_fault_names_its_stage_and_whether_the_certificate_is_to_blame(manner, known, stage, certificate):
    with Sink(manner=manner) as sink, pytest.raises(RelayFault) as caught:
        trial(server(sink.port, **known), [HELP])
    assert (caught.value.stage, caught.value.certificate) == (stage, certificate)
    assert "a guess" not in str(caught.value)


@pytest.mark.parametrize("greeting", ["421 busy", "554 no", "cut"])
def test_a_relay_that_does_not_greet_is_a_fault(greeting):
    with Sink(greetings=[greeting]) as sink, pytest.raises(RelayFault):
        trial(server(sink.port), [HELP])
