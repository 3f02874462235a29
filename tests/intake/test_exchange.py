"""What is special about an Exchange-like server: tokens, throttling, no keywords, guessed sizes, text made anew."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from intake.mailbox import (
    AccessRefused,
    Account,
    CommandRefused,
    ConnectionLost,
    Folder,
    FolderMissing,
    LoginRefused,
    ServerUnreachable,
    Throttled,
)
from intake.parse import parse
from tests.servers.dovecot import PASSWORD
from tests.servers.exchange import THROTTLED, Exchange
from tests.servers.tokens import TokenEndpoint

MAX = 1_000_000
MAIL = b"From: anna@corp.example\r\nMessage-ID: <1@pc>\r\nSubject: printer\r\n\r\nIt says paper jam.\r\n"
FORMED = (
    b'From: anna@corp.example\r\nMessage-ID: <2@pc>\r\nContent-Type: multipart/mixed; boundary="b1"\r\n'
    b"Subject: printer\r\n\r\n--b1\r\n\r\nIt says paper jam.\r\n--b1\r\n\r\nSee there.\r\n--b1--\r\n"
)


class Purse:
    """Tokens for a login, one after the other; remembers which was refused."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refused: list[str] = []

    def token(self) -> str:
        return self._tokens.pop(0)

    def after_refusal(self, refused: str) -> str | None:
        self.refused.append(refused)
        return self._tokens.pop(0) if self._tokens else None


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with TokenEndpoint() as tokens, Exchange(tokens=tokens) as server:
        tokens.good.add("good")
        yield server


def account(exchange: Exchange, **changed: Any) -> Account:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": exchange.imap, "tls": "none", "user": "help@corp.example"}
    source = {} if "tokens" in changed else {"password": lambda: PASSWORD}
    return Account(**values | source | changed, connect_timeout=10.0, read_timeout=10.0)


def opened(exchange: Exchange, **changed: Any) -> closing[Folder]:
    return closing(Folder.open(account(exchange, **changed), "INBOX"))


def served(exchange: Exchange) -> None:
    """Everything that is done with a mail."""
    with opened(exchange) as folder:
        list(folder.fetch(folder.uids_above(0), max_octets=MAX))
        folder.add_flags([1], r"\Seen")
        folder.move([1], "Deskbell")


def only(folder: Folder) -> bytes:
    """The text of the only mail, as it comes this time."""
    [[read]] = list(folder.fetch([1], max_octets=MAX))
    return read.raw


class TestTokens:
    def test_a_good_token_opens_the_folder(self, exchange: Exchange) -> None:
        exchange.deliver("help", MAIL)
        with opened(exchange, tokens=Purse("good")) as folder:
            assert folder.uids_above(0) == [1]

    def test_a_refused_token_is_replaced_once_within_the_same_login(self, exchange: Exchange) -> None:
        purse = Purse("ended", "good")
        with opened(exchange, tokens=purse) as folder:
            assert folder.state.exists == 0
        assert purse.refused == ["ended"]

    def test_two_refused_tokens_are_a_refused_login_that_tells_the_reason(self, exchange: Exchange) -> None:
        purse = Purse("ended", "wrong", "good")
        with pytest.raises(AccessRefused, match=r"refused the access token.*AUTHENTICATE failed.*status 401") as caught:
            Folder.open(account(exchange, tokens=purse), "INBOX")
        assert isinstance(caught.value, LoginRefused)
        assert purse.refused == ["ended"]
        assert not {"ended", "wrong"} & set(str(caught.value).split())

    def test_where_there_is_no_better_token_the_first_refusal_stands(self, exchange: Exchange) -> None:
        with pytest.raises(AccessRefused):
            Folder.open(account(exchange, tokens=Purse("ended")), "INBOX")

    @pytest.mark.parametrize("token", ["a\1auth=Bearer good", "a\r\nA1 NOOP", "\udcff"])
    def test_a_token_that_would_say_more_than_a_token_opens_nothing(self, exchange: Exchange, token: str) -> None:
        with pytest.raises(LoginRefused):
            Folder.open(account(exchange, tokens=Purse(token)), "INBOX")

    def test_a_broken_connection_in_mid_login_is_no_refused_token(self, exchange: Exchange) -> None:
        exchange.lost = ["AUTHENTICATE"]
        purse = Purse("good")
        with pytest.raises(ServerUnreachable):
            Folder.open(account(exchange, tokens=purse), "INBOX")
        assert purse.refused == []

    def test_what_the_source_of_tokens_raises_passes_unchanged(self, exchange: Exchange) -> None:
        with pytest.raises(IndexError):
            Folder.open(account(exchange, tokens=Purse()), "INBOX")

    def test_a_token_without_a_right_to_the_mailbox_is_told_as_such(self, exchange: Exchange) -> None:
        exchange.script["SELECT"] = ["BAD User is authenticated but not connected."]
        with pytest.raises(AccessRefused, match="has to allow the account or application to open this mailbox"):
            Folder.open(account(exchange, tokens=Purse("good")), "INBOX")

    @pytest.mark.parametrize("sources", [{}, {"password": lambda: "x", "tokens": Purse()}])
    def test_an_account_has_either_a_password_or_tokens(self, sources: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="either a password or tokens"):
            Account("localhost", 143, "none", "help", **sources)

    def test_no_token_is_shown_by_an_account(self) -> None:
        assert "Purse" not in repr(Account("localhost", 143, "none", "help", tokens=Purse()))


class TestThrottling:
    @pytest.mark.parametrize(
        ("command", "reply", "seconds"),
        [
            ("AUTHENTICATE", "NO [THROTTLED] Backoff due to request rate limits", 0),
            ("AUTHENTICATE", THROTTLED, 4.5),
            ("SELECT", THROTTLED, 4.5),
            ("SEARCH", THROTTLED, 4.5),
            ("FETCH", "NO [THROTTLED] slow down", 0),
            ("FETCH", THROTTLED, 4.5),
            ("STORE", "NO Too many simultaneous connections. (Failure)", 0),
            ("STORE", "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", 0),
            ("MOVE", THROTTLED, 4.5),
            ("CREATE", "NO Request is throttled. Suggested Backoff Time: 90000 milliseconds", 90),
        ],
    )
    def test_a_server_that_asks_to_slow_down_is_understood_at_every_command(
        self, exchange: Exchange, command: str, reply: str, seconds: float
    ) -> None:
        exchange.deliver("help", MAIL)
        exchange.script[command] = [reply] * 2
        with pytest.raises(Throttled) as caught:
            served(exchange)
        assert caught.value.seconds == seconds
        assert not isinstance(caught.value, LoginRefused)

    def test_a_throttled_folder_is_closed_and_a_new_one_goes_on(self, exchange: Exchange) -> None:
        exchange.script["SEARCH"] = [THROTTLED]
        with opened(exchange) as folder:
            with pytest.raises(Throttled):
                folder.uids_above(0)
            with pytest.raises(ConnectionLost):
                folder.uids_above(0)
        with opened(exchange) as folder:
            assert folder.uids_above(0) == []

    def test_a_missing_folder_is_not_taken_for_throttling(self, exchange: Exchange) -> None:
        with pytest.raises(FolderMissing):
            Folder.open(account(exchange), "Sent")


class TestMoving:
    def test_mails_are_moved_to_a_folder_that_is_made(self, exchange: Exchange) -> None:
        for _ in range(3):
            exchange.deliver("help", MAIL)
        with opened(exchange) as folder:
            assert (folder.state.keywords, folder.state.moves) == (False, True)
            folder.move([1, 3, 99], "Deskbell")
            assert folder.uids_above(0) == [2]
        assert len(exchange.raws("help", "Deskbell")) == 2

    def test_a_folder_that_is_there_is_used_and_a_name_may_be_of_any_script(self, exchange: Exchange) -> None:
        for name in ("Zgłoszenia & 日本語", "Zgłoszenia & 日本語"):
            exchange.deliver("help", MAIL)
            with opened(exchange) as folder:
                folder.move(folder.uids_above(0), name)
        assert len(exchange.raws("help", "Zg&AUI-oszenia &- &ZeVnLIqe-")) == 2

    @pytest.mark.parametrize("command", ["CREATE", "MOVE"])
    def test_asking_again_after_a_lost_answer_moves_nothing_twice(self, exchange: Exchange, command: str) -> None:
        exchange.deliver("help", MAIL)
        exchange.lost = [command]
        with opened(exchange) as folder, pytest.raises(ConnectionLost):
            folder.move([1], "Deskbell")
        with opened(exchange) as folder:
            folder.move([1], "Deskbell")
            assert folder.uids_above(0) == []
        assert exchange.raws("help", "Deskbell") == [MAIL]
        assert exchange.raws("help", "INBOX") == []

    @pytest.mark.parametrize("command", ["CREATE", "MOVE"])
    def test_a_refused_move_leaves_mail_and_connection(self, exchange: Exchange, command: str) -> None:
        exchange.deliver("help", MAIL)
        exchange.script[command] = ["NO The mailbox is full."]
        with opened(exchange) as folder:
            with pytest.raises(CommandRefused, match=f"{command}.*The mailbox is full"):
                folder.move([1], "Deskbell")
            assert folder.uids_above(0) == [1]

    def test_a_keyword_is_taken_and_not_kept(self, exchange: Exchange) -> None:
        """So whoever trusts the OK instead of PERMANENTFLAGS would never find his mark again."""
        exchange.deliver("help", MAIL)
        with opened(exchange) as folder:
            folder.add_flags([1], "$Deskbell")
        assert exchange.flags("help", 1) == frozenset()


class TestMadeAnew:
    @pytest.mark.parametrize("raw", [MAIL, FORMED])
    def test_the_size_is_that_of_what_came_not_of_what_was_told(self, exchange: Exchange, raw: bytes) -> None:
        exchange.deliver("help", raw)
        with opened(exchange) as folder:
            [[first]] = list(folder.fetch([1], max_octets=MAX))
            [[again]] = list(folder.fetch([1], max_octets=MAX))
        assert (first.raw, first.size) == (raw, len(raw))
        assert (again.raw != raw, again.size) == (True, len(again.raw))

    @pytest.mark.parametrize("raw", [MAIL, FORMED])
    def test_a_mail_whose_text_was_made_anew_is_the_same_mail(self, exchange: Exchange, raw: bytes) -> None:
        exchange.deliver("help", raw)
        with opened(exchange) as folder:
            keys = {parse(only(folder)).content_key for _ in range(3)}
        assert len(keys) == 1


def test_an_idle_that_the_server_ends_after_a_while_is_a_lost_connection(exchange: Exchange) -> None:
    exchange.idle_seconds = 0.01
    with opened(exchange) as folder, pytest.raises(ConnectionLost):
        folder.wait(30, None)
