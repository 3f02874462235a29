"""deskbell with an account at an Exchange-like provider: tokens, a folder for settled mail, mails that are renamed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.exchange import QUOTA, THROTTLED, Exchange, Submission
from tests.servers.installation import PATIENCE, Installation
from tests.servers.letters import Letter, letter, read
from tests.servers.tokens import TokenEndpoint

pytestmark = pytest.mark.slow

SECRET = "hunter2"


@dataclass(frozen=True)
class Cloud:
    """The provider, and an installation that logs in there by tokens."""

    endpoint: TokenEndpoint
    exchange: Exchange
    relay: Submission
    desk: Installation

    def put(self, mail: Letter) -> dict[str, object]:
        """The mail came in and was settled: its row in the ledger."""
        self.exchange.deliver("help@corp.example", mail.raw)
        return self.desk.settled(mail.message_id)[0]


def config(endpoint: TokenEndpoint, exchange: Exchange, relay: Submission, folder: Path) -> str:
    """The account as an admin writes it; the same application for both ways."""
    (folder / "client.secret").touch(mode=0o600)
    (folder / "client.secret").write_text(SECRET + "\n")
    soon = datetime.now(UTC).date() + timedelta(days=3)
    oauth = f'provider = "m365", client_id = "app", client_secret_file = "client.secret", token_url = "{endpoint.url}"'
    account = 'host = "127.0.0.1"\ntls = "none"\nuser = "help@corp.example"\n'
    account += f"oauth = {{ {oauth}, secret_expires = {soon} }}\n"
    mailbox = f'[[mailbox]]\naddress = "help@corp.example"\ndepartment = "it"\n[mailbox.imap]\nport = {exchange.imap}\n'
    return f"{mailbox}{account}[smtp]\nport = {relay.port}\n{account}"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with (
        TokenEndpoint() as endpoint,
        Exchange(tokens=endpoint) as exchange,
        Submission(tokens=endpoint) as relay,
        Installation(tmp_path, config(endpoint, exchange, relay, tmp_path)) as desk,
    ):
        yield Cloud(endpoint, exchange, relay, desk)


def test_a_mail_is_answered_and_lies_in_the_folder_for_settled_mail(cloud: Cloud) -> None:
    """IMAP and SMTP share one token; nothing secret is in the log, which names the day the secret ends."""
    cloud.desk.start()
    mail = letter()
    cloud.put(mail)
    cloud.relay.wait_for(2, deadline=PATIENCE)
    until(lambda: cloud.exchange.raws("help", "Deskbell") == [mail.raw], seconds=PATIENCE)
    assert cloud.exchange.raws("help", "INBOX") == []
    assert len(cloud.endpoint.asked) == 1
    cloud.desk.wait_for("the client secret of application app expires on ")
    assert "in 3 days" in cloud.desk.said
    assert SECRET not in cloud.desk.said
    assert "token-1" not in cloud.desk.said


def test_an_answer_that_names_only_the_id_that_the_provider_gave_is_found_by_it(cloud: Cloud) -> None:
    cloud.desk.start()
    number = cloud.put(letter())["request_number"]
    cloud.relay.wait_for(2, deadline=PATIENCE)
    cloud.desk.wait_until_quiet()
    receipt = next(read(one.content) for one in cloud.relay.taken if one.recipients == ("anna@corp.example",))
    assert receipt["Message-ID"] != receipt["X-Microsoft-Original-Message-ID"]
    answer = cloud.put(letter("Thanks", "That was quick.\n", fields={"In-Reply-To": receipt["Message-ID"].strip()}))
    assert (answer["fate"], answer["request_number"]) == ("appended", number)
    cloud.relay.wait_for(3, deadline=PATIENCE)
    cloud.desk.wait_until_quiet()
    assert len(cloud.desk.rows("SELECT message_id FROM outbox_alias")) == len(cloud.relay.taken) == 3


def test_withdrawn_tokens_are_replaced_without_a_word_to_anybody(cloud: Cloud) -> None:
    cloud.desk.start()
    cloud.endpoint.withdraw()
    cloud.exchange.kick()
    assert cloud.put(letter())["fate"] == "opened"
    cloud.relay.wait_for(2, deadline=PATIENCE)
    assert len(cloud.endpoint.asked) == 2
    assert "refused" not in cloud.desk.said


def test_a_lost_answer_to_the_move_moves_the_mail_once_and_answers_it_once(cloud: Cloud) -> None:
    cloud.exchange.lost = ["MOVE"]
    cloud.desk.start()
    mail = letter()
    cloud.put(mail)
    until(lambda: cloud.desk.rows("SELECT effect FROM arrival") == [("done",)], seconds=PATIENCE)
    cloud.desk.wait_until_quiet()
    assert cloud.exchange.raws("help", "Deskbell") == [mail.raw]
    assert len(cloud.relay.taken) == 2
    assert cloud.desk.rows("SELECT fate FROM arrival") == [("opened",)]


def test_mail_that_was_moved_is_counted_where_it_lies_until_somebody_takes_it_from_there(cloud: Cloud) -> None:
    """The same Message-ID twice is two mails; what is in neither folder is surplus, and nothing is missing."""
    cloud.desk.start()
    mails = [letter(), letter(), letter()]
    for mail in mails:
        cloud.put(mail)
    until(lambda: len(cloud.exchange.raws("help", "Deskbell")) == len(mails), seconds=PATIENCE)
    cloud.desk.wait_until_quiet()
    (found,) = cloud.desk.json("ledger", "reconcile")
    assert (found["on_server"], found["in_ledger"], found["missing"], found["surplus"]) == (3, 3, [], [])
    with cloud.exchange.changed:
        there = cloud.exchange.folders("help")["Deskbell"].mails
        uid, gone = next((uid, one.raw) for uid, one in there.items())
        del there[uid]
    row = cloud.desk.rows("SELECT uid FROM arrival WHERE message_id = ?", read(gone)["Message-ID"])
    (found,) = cloud.desk.json("ledger", "reconcile")
    assert (found["on_server"], found["in_ledger"], found["missing"]) == (2, 3, [])
    assert [tuple(found["surplus"])] == row


def test_throttling_is_told_as_such_and_not_as_a_wrong_password(cloud: Cloud) -> None:
    cloud.exchange.script["AUTHENTICATE"] = [THROTTLED]
    cloud.desk.launch()
    cloud.desk.wait_for("help@corp.example INBOX: The mail server asks us to slow down. (")
    assert "Suggested Backoff Time: 4500 milliseconds" in cloud.desk.said
    assert "password" not in cloud.desk.said
    assert cloud.exchange.logins == []


def test_a_quota_of_the_account_holds_the_outbox_and_refuses_no_recipient(cloud: Cloud) -> None:
    cloud.relay.script.append(QUOTA)
    cloud.desk.start()
    cloud.put(letter())
    cloud.desk.wait_for("the relay refuses us as a sender, nothing is sent for a while: 554 5.2.0 STOREDRV")
    until(lambda: cloud.desk.rows("SELECT DISTINCT state FROM outbox") == [("due",)], seconds=PATIENCE)
    assert cloud.relay.taken == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (401, {"error": "invalid_client"}),
            "refuses us (invalid_client): check client_id app and its secret (secret",
        ),
        ((503, {}), "gives no token now (status 503)"),
    ],
)
def test_an_endpoint_that_gives_no_token_is_named_in_one_line(
    cloud: Cloud, answer: tuple[int, dict[str, object]], words: str
) -> None:
    cloud.endpoint.answers.append(answer)
    cloud.desk.launch()
    cloud.desk.wait_for(words)
    assert "Traceback" not in cloud.desk.said
    assert SECRET not in cloud.desk.said
