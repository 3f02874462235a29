"""Mail comes in at deskbell's own door, by LMTP and SMTP, and is answered through a relay or into folders."""

import hashlib
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.installation import PATIENCE, UNLIMITED, Installation, free_port, mailbox, smtp
from tests.servers.letters import Letter, bounce_of, letter, read
from tests.servers.sink import Sink

pytestmark = pytest.mark.slow

KINDS = {"lmtp": smtplib.LMTP, "smtp": smtplib.SMTP}
MOST_OCTETS = 20_000


@dataclass(frozen=True)
class Porch:
    """deskbell with two open doors and a relay behind it."""

    desk: Installation
    ports: dict[str, int]
    sink: Sink

    def client(self, protocol: str) -> smtplib.SMTP:
        return KINDS[protocol]("127.0.0.1", self.ports[protocol], local_hostname="client.example", timeout=PATIENCE)


@pytest.fixture(scope="module")
def porch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Porch]:
    ports = {"lmtp": free_port(), "smtp": free_port()}
    with Sink() as sink:
        config = doors(ports) + smtp(sink.port)
        with Installation(tmp_path_factory.mktemp("porch"), config) as desk:
            desk.start()
            yield Porch(desk, ports, sink)


def doors(ports: dict[str, int]) -> str:
    tables = mailbox("help@corp.example") + mailbox("hr@corp.example", department="hr")
    tables += f"{UNLIMITED}message_octets = {MOST_OCTETS}\n[listener]\n"
    return tables + "".join(f'{protocol} = "127.0.0.1:{port}"\n' for protocol, port in ports.items())


def known(desk: Installation, mail: Letter) -> int:
    """How many arrivals hold exactly these octets."""
    digest = hashlib.sha256(mail.raw).hexdigest()
    return desk.rows("SELECT count(*) FROM arrival WHERE raw_digest = ?", digest)[0][0]


@pytest.mark.parametrize("protocol", KINDS)
def test_a_mail_is_answered_250_only_when_its_octets_are_in_the_database(porch: Porch, protocol: str):
    """Whoever reads 250 may forget the mail."""
    for _ in range(5):
        mail = letter()
        with porch.client(protocol) as client:
            client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
            assert known(porch.desk, mail) == 1


@pytest.mark.parametrize("protocol", KINDS)
def test_a_mail_at_the_door_gets_receipt_and_notification(porch: Porch, protocol: str):
    """As one in a mailbox does; the ledger knows the way it came by."""
    mail = letter()
    with porch.client(protocol) as client:
        client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
    row = porch.desk.settled(mail.message_id)[0]
    assert sent_about(porch, mail) == ["anna@corp.example", "it@corp.example"]
    assert porch.desk.json("ledger", "show", str(row["id"]))["source"] == protocol


def sent_about(porch: Porch, mail: Letter) -> list[str]:
    porch.desk.wait_until_quiet()
    return sorted(one.recipients[0] for one in porch.sink.taken if read(one.content)["In-Reply-To"] == mail.message_id)


@pytest.mark.parametrize("protocol", KINDS)
@pytest.mark.parametrize("recipient", ["somebody@corp.example", "help@elsewhere.example", "help"])
def test_a_foreign_recipient_is_refused_for_good(porch: Porch, protocol: str, recipient: str):
    """Nothing is relayed: 550 at RCPT."""
    with porch.client(protocol) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("anna@corp.example", [recipient], letter().raw)
    assert refused.value.recipients[recipient][0] == 550


@pytest.mark.parametrize("recipient", ["HELP@corp.example", "help+urgent@CORP.example"])
def test_a_mailbox_is_known_by_each_spelling_of_its_address(porch: Porch, recipient: str):
    """ASCII letters of either case, with or without a plus-tag."""
    mail = letter()
    with porch.client("lmtp") as client:
        client.sendmail("anna@corp.example", [recipient], mail.raw)
    assert porch.desk.settled(mail.message_id)[0]["mailbox"] == "help@corp.example"


@pytest.mark.parametrize("protocol", KINDS)
def test_a_mail_beyond_the_limit_is_refused_for_good_and_leaves_nothing(porch: Porch, protocol: str):
    """552, whether its size was announced (RFC 1870) or only turned out."""
    mail = letter(text="x" * 60 + "\n" + ("0123456789" * 6 + "\n") * 400)
    with porch.client(protocol) as client:
        client.ehlo_or_helo_if_needed()
        assert client.docmd("MAIL", f"FROM:<anna@corp.example> SIZE={len(mail.raw)}")[0] == 552
        client.docmd("MAIL", "FROM:<anna@corp.example>")
        client.docmd("RCPT", "TO:<help@corp.example>")
        assert client.data(mail.raw)[0] == 552
    assert known(porch.desk, mail) == 0


def test_a_mail_for_two_mailboxes_is_one_arrival_each(porch: Porch):
    """Both recipients are ours: the second is recorded as the same mail."""
    mail = letter(to="help@corp.example, hr@corp.example")
    with porch.client("smtp") as client:
        client.sendmail("anna@corp.example", ["help@corp.example", "hr@corp.example"], mail.raw)
    first, second = porch.desk.settled(mail.message_id, times=2)
    assert (first["mailbox"], second["mailbox"]) == ("help@corp.example", "hr@corp.example")
    assert (first["fate"], second["fate"]) == ("opened", "duplicate")


@pytest.mark.parametrize("protocol", KINDS)
def test_the_null_sender_gets_no_receipt(porch: Porch, protocol: str):
    """RFC 5321 section 4.5.5: such a mail is a report, whatever its From says."""
    mail = letter()
    with porch.client(protocol) as client:
        client.sendmail("", ["help@corp.example"], mail.raw)
    assert porch.desk.settled(mail.message_id)[0]["receipt"].startswith("never: ")
    assert "anna@corp.example" not in sent_about(porch, mail)


def test_a_bounce_of_our_receipt_at_the_door_is_absorbed(porch: Porch):
    """It belongs to the request whose receipt did not arrive."""
    mail = letter()
    with porch.client("lmtp") as client:
        client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
        number = porch.desk.settled(mail.message_id)[0]["request_number"]
        porch.desk.wait_until_quiet()
        receipt = next(one for one in porch.sink.taken if read(one.content)["In-Reply-To"] == mail.message_id)
        bounce = bounce_of(receipt.content, "anna@corp.example")
        client.sendmail("", ["help@corp.example"], bounce.raw)
    row = porch.desk.settled(bounce.message_id)[0]
    assert (row["fate"], row["request_number"]) == ("absorbed", number)


def test_mail_can_go_out_into_folders(tmp_path: Path):
    """With [maildir] each recipient has a Maildir, made when the first mail for them goes out."""
    ports = {"smtp": free_port()}
    with Installation(tmp_path, doors(ports) + '[maildir]\npath = "outgoing"\n') as desk:
        desk.start()
        mail = letter()
        with smtplib.SMTP("127.0.0.1", ports["smtp"]) as client:
            client.sendmail("anna@corp.example", ["help@corp.example"], mail.raw)
        until(lambda: len(list((tmp_path / "outgoing").glob("*/new/*"))) == 2)
        (receipt,) = (tmp_path / "outgoing" / "anna@corp.example" / "new").iterdir()
        assert read(receipt.read_bytes())["In-Reply-To"] == mail.message_id
        assert len(list((tmp_path / "outgoing" / "it@corp.example" / "new").iterdir())) == 1
        desk.wait_until_quiet()
        assert desk.stop() == 0
