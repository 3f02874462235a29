"""One mail to two watched mailboxes on a real IMAP server: one request, word to both departments, one receipt."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.acceptance.conftest import HELP, HR, Office
from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, mailbox, smtp
from tests.servers.letters import Letter, body, letter, read
from tests.servers.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.slow]

BOTH = "help@corp.example, hr@corp.example"
SUBJECT, TEXT = "My laptop is broken, and where is my payslip?", "I cannot find it in the folder.\n"
TOLD = {"anna@corp.example", "it@corp.example", "payroll@corp.example"}


def to_both() -> Letter:
    return letter(SUBJECT, TEXT, to=BOTH)


def check_receipt(receipt: EmailMessage) -> None:
    assert receipt["From"].addresses[0].addr_spec == "help@corp.example"
    assert "It is now with IT support and Payroll." in body(receipt)


@pytest.mark.parametrize("order", [(HELP, HR), (HR, HELP)])
def test_one_request_is_told_to_two_departments_and_in_one_receipt_that_names_both(
    office: Office, order: tuple[str, str]
):
    """In whichever order the copies come, and before the second one does."""
    mail = to_both()
    opened = office.put(mail, order[0])
    sent = office.sent_about(mail)
    assert set(sent) == TOLD
    check_receipt(sent["anna@corp.example"])
    office.dovecot.deliver(f"{order[1]}@corp.example", mail.raw, "anna@corp.example")
    rows = office.desk.settled(mail.message_id, times=2)
    assert [(row["fate"], row["reason"]) for row in rows] == [("opened", "new-request"), ("duplicate", "other-mailbox")]
    assert {row["request_number"] for row in rows} == {opened["request_number"]}
    assert len(office.taken_about(mail)) == len(TOLD)
    shown = office.desk.json("requests", "show", f"R-{opened['request_number']}")
    assert [(one["mailbox"], one["department"], one["state"]) for one in shown["parts"]] == [
        ("help@corp.example", "it", "new"),
        ("hr@corp.example", "payroll", "new"),
    ]
    for department in ("it", "payroll"):
        assert shown in office.desk.json("requests", "list", "--department", department)
    assert "a part of its own" in office.desk.deskbell("requests", "show", shown["reference"]).stdout


def test_a_mailbox_in_cc_gets_a_copy(office: Office):
    mail = letter("Printer jam", "Paper everywhere.\n", fields={"Cc": "hr@corp.example"})
    office.put(mail, HR)
    office.put(mail)
    sent = office.sent_about(mail)
    assert set(sent) == {"anna@corp.example", "it@corp.example", "hr@corp.example"}
    assert "This is a copy for your information" in body(sent["hr@corp.example"])
    assert "Human" not in body(sent["anna@corp.example"])


@pytest.mark.parametrize("first", ["help", "hr"])
def test_killed_between_the_two_copies_it_goes_on_with_the_second(dovecot: Dovecot, tmp_path: Path, first: str):
    """With kill -9, as soon as the first one is in the ledger; the other comes while nothing runs."""
    mail, second = to_both(), "hr" if first == "help" else "help"
    with Sink() as sink:
        config = mailbox("help@corp.example", dovecot, user=f"kill2-{first}-help")
        config += mailbox("hr@corp.example", dovecot, user=f"kill2-{first}-hr", department="hr")
        with Installation(tmp_path, config + smtp(sink.port)) as desk:
            desk.start()
            dovecot.deliver(f"kill2-{first}-{first}@corp.example", mail.raw)
            until(lambda: bool(desk.rows("SELECT id FROM arrival")), seconds=PATIENCE)
            desk.kill()
            dovecot.deliver(f"kill2-{first}-{second}@corp.example", mail.raw)
            desk.start()
            desk.wait_until_quiet(2)
            rows = desk.settled(mail.message_id, times=2)
            assert sorted(row["fate"] for row in rows) == ["duplicate", "opened"]
            assert desk.rows("SELECT count(*) FROM request") == [(1,)]
            assert desk.rows("SELECT department FROM part") == [("payroll",)]
            sent = {one.recipients[0]: one.content for one in sink.taken}
            assert set(sent) == TOLD
            assert desk.rows("SELECT count(*) FROM outbox") == [(len(TOLD),)]
            check_receipt(read(sent["anna@corp.example"]))
