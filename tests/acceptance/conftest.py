"""An office with two shared mailboxes on a real IMAP server, a relay, and deskbell between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest

from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, UNLIMITED, Installation, mailbox, smtp
from tests.servers.letters import Letter, letter, read
from tests.servers.sink import Sink, Taken

HELP, HR = "office-help", "office-hr"
"""Their names on the server, which other tests share."""


@dataclass(frozen=True)
class Office:
    """help@ and hr@, watched by a running deskbell that sends to the sink."""

    dovecot: Dovecot
    sink: Sink
    desk: Installation
    old: Letter
    """Lay in help@ before deskbell was ever started."""

    def put(self, mail: Letter, user: str = HELP, *, sender: str = "anna@corp.example") -> dict[str, Any]:
        """The mail came in by LMTP and was settled: its row in the ledger."""
        self.dovecot.deliver(f"{user}@corp.example", mail.raw, sender)
        return self.desk.settled(mail.message_id)[0]

    def taken_about(self, mail: Letter) -> list[Taken]:
        """Every mail that deskbell sent because of this one; none is owed any more."""
        self.desk.wait_until_quiet()
        return [one for one in self.sink.taken if mail.message_id == str(read(one.content)["In-Reply-To"]).strip()]

    def sent_about(self, mail: Letter) -> dict[str, EmailMessage]:
        """The same by envelope recipient, of whom each got one."""
        taken = self.taken_about(mail)
        by_recipient = {one.recipients[0]: read(one.content) for one in taken}
        assert len(by_recipient) == len(taken), [one.recipients for one in taken]
        return by_recipient

    def opened(self, mail: Letter) -> "Thread":
        """The new request about a mail of Anna's."""
        row = self.put(mail)
        sent = self.sent_about(mail)
        return Thread(mail, row["request_number"], sent["anna@corp.example"], sent["it@corp.example"])

    def wait_for_flag(self, flag: str, user: str, uid: int) -> frozenset[str]:
        """The flags of a mail on the server once that one is among them."""
        until(lambda: flag in self.dovecot.flags(user, uid), seconds=PATIENCE)
        return self.dovecot.flags(user, uid)


@dataclass(frozen=True)
class Thread:
    """A request with the mail that opened it and the two mails it led to."""

    mail: Letter
    number: int
    receipt: EmailMessage
    notification: EmailMessage

    @property
    def reference(self) -> str:
        return f"R-{self.number}"


@pytest.fixture(scope="session")
def office(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One office for all tests that do not break it; they keep apart by Message-ID."""
    old = letter("From last week", "This was answered long ago.\n")
    dovecot.deliver(f"{HELP}@corp.example", old.raw)
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user=HELP)
        config += mailbox("hr@corp.example", dovecot, user=HR, department="hr")
        with Installation(tmp_path_factory.mktemp("office"), config + smtp(sink.port) + UNLIMITED) as desk:
            desk.start()
            yield Office(dovecot, sink, desk, old)
