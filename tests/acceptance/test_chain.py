"""The whole road of a company: Postfix takes the mail, Dovecot keeps it, deskbell answers through a relay."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers import dovecot as dovecot_module
from tests.servers import postfix as postfix_module
from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, mailbox, smtp
from tests.servers.letters import body, letter, read
from tests.servers.postfix import Postfix
from tests.servers.sink import Sink

REASON = dovecot_module.why_not() or postfix_module.why_not()
pytestmark = [pytest.mark.server, pytest.mark.skipif(REASON is not None, reason=REASON or "")]


@dataclass(frozen=True)
class Company:
    """help@ and hr@ behind Postfix."""

    postfix: Postfix
    sink: Sink
    desk: Installation

    def receipts(self, message_id: str) -> list[str]:
        """The envelope recipients of what answered the mail, once nothing is owed any more."""
        self.desk.wait_until_quiet()
        taken = [read(one.content) for one in self.sink.taken]
        return [str(one["To"]) for one in taken if one["In-Reply-To"] == message_id and "auto-replied" in str(one)]


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Iterator[Company]:
    with Dovecot() as dovecot, Postfix(dovecot.lmtp) as postfix, Sink() as sink:
        boxes = mailbox("help@corp.example", dovecot, user="help") + mailbox("hr@corp.example", dovecot, user="hr")
        config = f'own_domains = ["corp.example"]\n{boxes}{smtp(sink.port)}'
        with Installation(tmp_path_factory.mktemp("company"), config) as desk:
            desk.start()
            yield Company(postfix, sink, desk)


def test_a_mail_through_postfix_and_dovecot_gets_its_receipt(company: Company) -> None:
    mail = letter("Il monitor è nero", "Buongiorno,\n\nil monitor non si accende. Potete aiutarmi?\n")
    company.postfix.send(["help@corp.example"], mail.raw)
    assert company.desk.settled(mail.message_id)[0]["fate"] == "opened"
    company.desk.wait_until_quiet()
    receipt = next(read(one.content) for one in company.sink.taken if one.recipients == ("anna@corp.example",))
    assert receipt["In-Reply-To"] == mail.message_id
    assert "grazie per averci scritto" in body(receipt)


def test_a_mail_without_message_id_is_answered_by_the_one_that_postfix_gave_it(company: Company) -> None:
    raw = b"From: anna@corp.example\r\nTo: help@corp.example\r\nSubject: Keyboard\r\n\r\nThe keyboard is broken.\r\n"
    company.postfix.send(["help@corp.example"], raw)
    query = "SELECT message_id FROM arrival WHERE fate = 'opened' AND message_id LIKE '%mx.corp.example%'"
    until(lambda: len(company.desk.rows(query)) == 1, seconds=PATIENCE)
    company.desk.wait_until_quiet()
    (receipt,) = [found for one in company.sink.taken if (found := read(one.content))["Subject"] == "Re: Keyboard"]
    assert [(receipt["In-Reply-To"],)] == company.desk.rows(query)


def test_one_mail_to_both_mailboxes_gets_one_receipt(company: Company) -> None:
    mail = letter("Badge and laptop", "My badge and my laptop do not work.\n")
    company.postfix.send(["help@corp.example", "hr@corp.example"], mail.raw)
    company.desk.settled(mail.message_id, times=2)
    assert company.receipts(mail.message_id) == ["Anna Nowak <anna@corp.example>"]


def test_what_postfix_bounces_back_gets_no_receipt(company: Company) -> None:
    """A mail from help@ to nobody: Postfix reports it to help@ with the null reverse-path."""
    before = len(company.sink.taken)
    lost = letter("Hello", sender="help@corp.example", to="nobody@elsewhere.example")
    company.postfix.send(["nobody@elsewhere.example"], lost.raw, sender="help@corp.example")
    query = "SELECT fate, receipt FROM arrival WHERE envelope_sender = '' OR receipt LIKE '%automatic%'"
    until(lambda: len(company.desk.rows(query)) == 1, seconds=PATIENCE)
    assert company.desk.rows(query) == [("filed", "never: automatic-mail")]
    company.desk.wait_until_quiet()
    assert len(company.sink.taken) == before
