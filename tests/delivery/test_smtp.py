"""The SMTP transport against a server that does, attempt by attempt, what a script says."""

from dataclasses import replace

import pytest

from delivery.session import SmtpServer
from delivery.smtp import SmtpTransport
from delivery.transport import Ambiguous, Deferred, Outgoing, Refused, Scope, Sent
from tests.servers.sink import AUTHORITY, Manner, Sink

CONTENT = b"Message-ID: <1@desk>\r\n\r\nhello\r\n"
ANN = Outgoing("<1@desk>", "help@corp.example", "ann@corp.example", CONTENT)
BOB = replace(ANN, message_id="<2@desk>", recipient="bob@corp.example")
PATIENCE = 0.15


def yes():
    """Say yes to everything, as a courier does."""


def server_at(port, **other):
    known = {"host": "127.0.0.1", "tls": "none", "user": None, "password": None, "ca_file": None, "hostname": "desk"}
    times = {"connect_timeout": 5, "reply_timeout": 5, "dot_timeout": 5}
    return SmtpServer(port=port, **(known | times | other))


@pytest.fixture
def connect():
    """Makes transports and closes them at the end."""
    made = []

    def make(sink, clock=None, **other):
        server = server_at(sink.port, **other)
        made.append(SmtpTransport(server, clock) if clock else SmtpTransport(server))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


both_ways = pytest.mark.parametrize("pipelining", [True, False])


@both_ways
@pytest.mark.parametrize(
    ("action", "outcome", "scope"),
    [
        ("m451 4.7.1 later", Deferred, Scope.CONNECTION),
        ("m421 4.3.2 closing", Deferred, Scope.CONNECTION),
        ("m550 5.7.1 not your address", Refused, Scope.ACCOUNT),
        ("r450 4.2.0 greylisted", Deferred, Scope.RECIPIENT),
        ("r421 4.7.0 throttled", Deferred, Scope.CONNECTION),
        ("r550 5.1.1 no such user", Refused, Scope.RECIPIENT),
        ("r554 5.7.1 <ann@corp.example>: Relay access denied", Refused, Scope.ACCOUNT),
        ("d451 4.3.0 later", Deferred, Scope.RECIPIENT),
        ("d554 5.6.0 no", Refused, Scope.RECIPIENT),
        ("d250 what", Deferred, Scope.CONNECTION),
        ("451 4.3.0 later", Deferred, Scope.RECIPIENT),
        ("552 5.3.4 too large", Refused, Scope.RECIPIENT),
        ("550 5.7.60 not permitted to send as", Refused, Scope.ACCOUNT),
        ("421 4.3.2 closing", Deferred, Scope.CONNECTION),
        ("mcut", Deferred, Scope.CONNECTION),
        ("mrst", Deferred, Scope.CONNECTION),
        ("mhalf", Deferred, Scope.CONNECTION),
        ("rcut", Deferred, Scope.CONNECTION),
        ("rhalf", Deferred, Scope.CONNECTION),
        ("rrst", Deferred, Scope.CONNECTION),
        ("dcut", Deferred, Scope.CONNECTION),
        ("dhalf", Deferred, Scope.CONNECTION),
    ],
)
def test_a_complete_refusal_or_a_cut_before_the_dot_takes_no_mail(connect, pipelining, action, outcome, scope):
    with Sink([action], manner=Manner(pipelining=pipelining)) as sink:
        transport = connect(sink)
        result = transport.send(ANN, yes)
        assert isinstance(result, outcome)
        assert result.scope is scope
        assert isinstance(transport.send(BOB, yes), Sent)
        assert [taken.recipients for taken in sink.taken] == [("bob@corp.example",)]


@pytest.mark.parametrize("action", ["cut", "rst", "half", "399 what", "199 what"])
def test_anything_but_a_complete_refusal_after_the_dot_is_ambiguous(connect, action):
    with Sink([action]) as sink:
        transport = connect(sink)
        assert isinstance(transport.send(ANN, yes), Ambiguous)
        assert isinstance(transport.send(ANN, yes), Sent)
        first, second = sink.taken
        assert first == second


def test_a_reply_to_the_dot_that_never_comes_is_ambiguous(connect):
    with Sink(["stall"]) as sink:
        assert isinstance(connect(sink, dot_timeout=PATIENCE).send(ANN, yes), Ambiguous)


@pytest.mark.parametrize("action", ["mstall", "rstall", "dstall"])
def test_a_reply_before_the_dot_that_never_comes_defers(connect, action):
    with Sink([action]) as sink:
        assert isinstance(connect(sink, reply_timeout=PATIENCE).send(ANN, yes), Deferred)
        assert sink.taken == []


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        ("421 busy", Deferred),
        ("450 later", Deferred),
        ("554 5.7.1 blocked", Refused),
        ("cut", Deferred),
        ("half", Deferred),
    ],
)
def test_a_server_that_does_not_greet_has_heard_nothing(connect, greeting, outcome):
    with Sink(greetings=[greeting]) as sink:
        transport = connect(sink)
        result = transport.send(ANN, yes)
        assert isinstance(result, outcome)
        assert result.scope is (Scope.ACCOUNT if outcome is Refused else Scope.CONNECTION)
        assert sink.commands == []
        assert isinstance(transport.send(ANN, yes), Sent)


def test_a_closed_port_defers_and_names_the_server(connect):
    with Sink() as sink:
        transport = connect(sink)
    outcome = transport.send(ANN, yes)
    assert isinstance(outcome, Deferred)
    assert f"127.0.0.1:{sink.port} at connect: ConnectionRefusedError" in outcome.reason


def test_a_greylisted_mail_is_sent_at_the_next_attempt_over_the_same_connection(connect):
    with Sink(["r451 4.7.1 greylisted"]) as sink:
        transport = connect(sink)
        assert transport.send(ANN, yes) == Deferred("451 4.7.1 greylisted", Scope.RECIPIENT)
        assert transport.send(ANN, yes) == Sent("250 2.0.0 taken")
        assert sink.connections == 1
        assert "RSET" in sink.commands


def test_a_refusal_after_the_dot_keeps_the_connection(connect):
    with Sink(["552 5.3.4 too large"]) as sink:
        transport = connect(sink)
        transport.send(ANN, yes)
        assert isinstance(transport.send(BOB, yes), Sent)
        assert sink.connections == 1


def test_the_envelope_is_said_as_it_is(connect):
    with Sink() as sink:
        connect(sink).send(replace(ANN, envelope_sender=""), yes)
        assert sink.commands == ["ehlo desk", "MAIL FROM:<>", "RCPT TO:<ann@corp.example>", "DATA"]


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b".\r\nMAIL FROM:<x@y>\r\n", b".\r\nMAIL FROM:<x@y>\r\n"),
        (b"a\n.\nb\r.\rc", b"a\r\n.\r\nb\r\n.\r\nc\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_no_content_can_end_itself(connect, content, taken):
    with Sink() as sink:
        connect(sink).send(replace(ANN, content=content), yes)
        assert [each.content for each in sink.taken] == [taken]
        assert sum(command.startswith("MAIL") for command in sink.commands) == 1


def test_a_courier_that_says_no_has_the_connection_dropped_without_a_dot(connect):
    def refuse():
        raise LookupError

    with Sink() as sink:
        transport = connect(sink)
        with pytest.raises(LookupError):
            transport.send(ANN, refuse)
        assert isinstance(transport.send(BOB, yes), Sent)
        assert [taken.recipients for taken in sink.taken] == [("bob@corp.example",)]
        assert sink.connections == 2


def test_a_connection_that_died_while_idle_is_replaced_within_the_same_send(connect):
    with Sink() as sink:
        transport = connect(sink)
        transport.send(ANN, yes)
        sink.hang_up()
        asked = []
        assert isinstance(transport.send(BOB, lambda: asked.append(1)), Sent)
        assert asked == [1]
        assert sink.connections == 2


def test_a_server_that_says_421_to_an_idle_connection_is_called_again_at_once(connect):
    with Sink(["ok", "m421 4.4.2 idle too long"]) as sink:
        transport = connect(sink)
        transport.send(ANN, yes)
        assert isinstance(transport.send(BOB, yes), Sent)
        assert sink.connections == 2


def test_a_fresh_connection_that_dies_is_not_tried_twice(connect):
    with Sink(["mcut"]) as sink:
        assert isinstance(connect(sink).send(ANN, yes), Deferred)
        assert sink.connections == 1


def test_a_connection_is_renewed_after_its_mails(connect):
    with Sink() as sink:
        transport = connect(sink, max_mails=2)
        assert all(isinstance(transport.send(ANN, yes), Sent) for _ in range(5))
        assert sink.connections == 3
        assert sink.commands.count("QUIT") == 2


def test_a_connection_is_renewed_after_its_time(connect):
    now = [0.0]
    with Sink() as sink:
        transport = connect(sink, clock=lambda: now[0], max_seconds=60)
        transport.send(ANN, yes)
        now[0] = 59.9
        transport.send(ANN, yes)
        assert sink.connections == 1
        now[0] = 60.0
        transport.send(ANN, yes)
        assert sink.connections == 2


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_mail_goes_out_encrypted_to_the_server_that_was_meant(connect, tls):
    with Sink(manner=Manner(tls=tls, account=("desk", "secret"))) as sink:
        account = {"user": "desk", "password": lambda: "secret"}
        transport = connect(sink, host="localhost", tls=tls, ca_file=str(AUTHORITY), **account)
        assert isinstance(transport.send(ANN, yes), Sent)
        assert [command.partition(" ")[0] for command in sink.commands].count("AUTH") == 1


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("meant", [{"host": "127.0.0.1", "ca_file": str(AUTHORITY)}, {"host": "localhost"}])
def test_a_certificate_of_another_name_or_authority_defers_and_says_nothing(connect, tls, meant):
    with Sink(manner=Manner(tls=tls)) as sink:
        outcome = connect(sink, tls=tls, **meant).send(ANN, yes)
        assert isinstance(outcome, Deferred)
        assert outcome.scope is Scope.CONNECTION
        assert "SSLCertVerificationError" in outcome.reason
        assert not [command for command in sink.commands if command.startswith(("MAIL", "AUTH"))]


def test_without_starttls_nothing_is_sent_in_the_clear(connect):
    with Sink() as sink:
        transport = connect(sink, host="localhost", tls="starttls", ca_file=str(AUTHORITY))
        outcome = transport.send(ANN, yes)
        assert isinstance(outcome, Deferred)
        assert "STARTTLS" in outcome.reason
        assert sink.commands == ["ehlo desk"]


@pytest.mark.parametrize(("password", "words"), [("wrong", "535 5.7.8"), ("grün", "not ASCII")])
def test_a_login_that_fails_holds_the_account(connect, password, words):
    with Sink(manner=Manner(account=("desk", "secret"))) as sink:
        outcome = connect(sink, user="desk", password=lambda: password).send(ANN, yes)
        assert isinstance(outcome, Refused)
        assert outcome.scope is Scope.ACCOUNT
        assert words in outcome.reply
        assert password not in outcome.reply


def test_a_server_that_wants_a_login_we_do_not_have_holds_the_account(connect):
    with Sink(manner=Manner(account=("desk", "secret"))) as sink:
        assert connect(sink).send(ANN, yes) == Refused("530 5.7.0 authentication required", Scope.ACCOUNT)


def test_a_server_without_auth_defers(connect):
    with Sink() as sink:
        outcome = connect(sink, user="desk", password=lambda: "secret").send(ANN, yes)
        assert isinstance(outcome, Deferred)
        assert "AUTH" in outcome.reason


@pytest.mark.parametrize(("error", "raised"), [(OSError("token command failed"), False), (LookupError("x"), True)])
def test_a_password_source_that_fails_sends_nothing(connect, error, raised):
    def fail():
        raise error

    with Sink(manner=Manner(account=("desk", "secret"))) as sink:
        transport = connect(sink, user="desk", password=fail)
        if raised:
            with pytest.raises(LookupError):
                transport.send(ANN, yes)
        else:
            assert "token command failed" in transport.send(ANN, yes).reason
        assert not [command for command in sink.commands if command.startswith("MAIL")]


@pytest.mark.parametrize(
    "wrong", [{"host": "relay.example", "user": "desk", "password": str}, {"user": "desk"}, {"password": str}]
)
def test_a_login_in_the_clear_or_half_a_login_is_no_configuration(wrong):
    with pytest.raises(ValueError, match="smtp:"):
        server_at(25, **wrong)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_login_in_the_clear_over_loopback_is_allowed(host):
    assert server_at(25, host=host, user="desk", password=str).host == host
