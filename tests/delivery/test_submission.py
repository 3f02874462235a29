"""Submission as Exchange Online does it: tokens, limits that are about us, and ids of its own."""

import pytest

from delivery.alias import alias_in
from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Ambiguous, Deferred, Outgoing, Refused, Scope, Sent
from tests.servers.exchange import QUOTA, Submission
from tests.servers.sink import AUTHORITY, Manner, Sink
from tests.servers.tokens import TokenEndpoint

OURS = "<1@desk.example>"
ANN = Outgoing(
    OURS, "help@corp.example", "ann@corp.example", b"Message-ID: <1@desk.example>\r\nSubject: x\r\n\r\nhello\r\n"
)


class Purse:
    """Tokens for a login, one after the other; remembers which was refused."""

    def __init__(self, *tokens):
        self._tokens = list(tokens)
        self.refused = []

    def token(self):
        return self._tokens.pop(0)

    def after_refusal(self, refused):
        self.refused.append(refused)
        return self._tokens.pop(0) if self._tokens else None


def yes():
    """Say yes to everything, as a courier does."""


@pytest.fixture
def endpoint():
    with TokenEndpoint() as running:
        running.good.add("good")
        yield running


@pytest.fixture
def connect():
    """A transport to a server; what it keeps open ends with the test."""
    opened = []

    def made(server, **known):
        usual = {"host": "127.0.0.1", "port": server.port, "tls": "none", "user": "help@corp.example"}
        usual |= {"password": None, "ca_file": None, "hostname": "desk", "reply_timeout": 5, "dot_timeout": 5}
        opened.append(SmtpTransport(SmtpServer(**usual | known)))
        return opened[-1]

    yield made
    for transport in opened:
        transport.close()


def test_a_good_token_logs_in_and_the_token_stands_on_a_line_of_its_own(connect, endpoint):
    with Submission(tokens=endpoint) as server:
        assert isinstance(connect(server, tokens=Purse("good")).send(ANN, yes), Sent)
    assert "AUTH XOAUTH2" in server.commands


def test_a_token_goes_out_encrypted(connect, endpoint):
    manner = Manner(tls="starttls", takes_token=lambda token: token in endpoint.good)
    with Sink(manner=manner) as server:
        transport = connect(server, host="localhost", tls="starttls", ca_file=str(AUTHORITY), tokens=Purse("good"))
        assert isinstance(transport.send(ANN, yes), Sent)
        commands = [command.upper() for command in server.commands]
        assert commands.index("STARTTLS") < commands.index("AUTH XOAUTH2")


def test_a_refused_token_is_replaced_once_within_the_same_login(connect, endpoint):
    purse = Purse("ended", "good")
    with Submission(tokens=endpoint) as server:
        assert isinstance(connect(server, tokens=purse).send(ANN, yes), Sent)
        assert server.connections == 1
    assert purse.refused == ["ended"]


@pytest.mark.parametrize("tokens", [("ended",), ("ended", "wrong", "good")])
def test_refused_tokens_hold_the_account_and_refuse_no_recipient(connect, endpoint, tokens):
    with Submission(tokens=endpoint) as server:
        outcome = connect(server, tokens=Purse(*tokens)).send(ANN, yes)
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.ACCOUNT
    assert "535 5.7.3" in outcome.reply
    assert outcome.reply.endswith("(status 401)")
    assert not set(tokens) & set(outcome.reply.split())


def test_a_server_without_xoauth2_defers_and_gets_no_token(connect):
    purse = Purse("good")
    with Sink(manner=Manner(account=("desk", "secret"))) as server:
        outcome = connect(server, tokens=purse).send(ANN, yes)
    assert outcome == Deferred(outcome.reason, Scope.CONNECTION)
    assert "the server offers no AUTH XOAUTH2" in outcome.reason
    assert purse.token() == "good"


def test_a_source_of_tokens_that_fails_sends_nothing(connect, endpoint):
    with Submission(tokens=endpoint) as server:
        transport = connect(server, tokens=Purse())
        with pytest.raises(IndexError):
            transport.send(ANN, yes)
        assert server.taken == []


@pytest.mark.parametrize(
    ("user", "password", "tokens"),
    [("help", None, None), (None, None, Purse()), ("help", lambda: "x", Purse()), (None, lambda: "x", None)],
)
def test_a_user_comes_with_one_source_and_a_source_with_a_user(user, password, tokens):
    with pytest.raises(ValueError, match="together or not at all"):
        SmtpServer("localhost", 25, "none", user, password, None, "desk", tokens=tokens)


@pytest.mark.parametrize(
    "reply",
    [
        QUOTA,
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process",
        "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent",
        "554 5.2.252 SendAsDenied; help@corp.example not allowed to send as hr@corp.example",
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        "550 5.1.8 Access denied, bad outbound sender AS(42004)",
        "550 5.7.705 Access denied, tenant has exceeded threshold",
    ],
)
@pytest.mark.parametrize("stage", ["r", "d", ""])
def test_a_refusal_of_the_account_holds_the_outbox_at_every_stage(connect, endpoint, reply, stage):
    with Submission([stage + reply], tokens=endpoint) as server:
        outcome = connect(server, tokens=Purse("good")).send(ANN, yes)
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.ACCOUNT


@pytest.mark.parametrize(
    ("reply", "scope"),
    [
        ("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Scope.CONNECTION),
        ("430 4.7.650 The mail server has been temporarily rate limited", Scope.CONNECTION),
        ("421 4.3.2 The maximum number of concurrent server connections has exceeded a limit", Scope.CONNECTION),
        ("450 4.7.3 The recipient is receiving mail at a rate that prevents additional messages", Scope.RECIPIENT),
    ],
)
def test_a_rate_limit_defers(connect, endpoint, reply, scope):
    with Submission([reply], tokens=endpoint) as server:
        outcome = connect(server, tokens=Purse("good")).send(ANN, yes)
    assert isinstance(outcome, Deferred)
    assert outcome.scope is scope


def test_the_reply_names_the_id_that_the_mail_goes_on_with(connect, endpoint):
    with Submission(tokens=endpoint) as server:
        outcome = connect(server, tokens=Purse("good")).send(ANN, yes)
        [taken] = server.taken
    alias = alias_in(outcome.reply, known=(OURS, ANN.recipient, ANN.envelope_sender))
    assert f"Message-ID: {alias}\r\n".encode() in taken.content
    assert f"X-Microsoft-Original-Message-ID: {OURS}\r\n".encode() in taken.content


def test_a_lost_reply_to_a_renamed_mail_is_ambiguous(connect, endpoint):
    with Submission(["cut"], tokens=endpoint) as server:
        assert isinstance(connect(server, tokens=Purse("good")).send(ANN, yes), Ambiguous)
