"""A mail comes in on a real IMAP server, and everybody who should hears of it, once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.conftest import HELP, HR, Office, Thread
from tests.servers.dovecot import Dovecot, until
from tests.servers.installation import PATIENCE, Installation, mailbox
from tests.servers.letters import BOB, EVE, body, bounce_of, letter, quoted, read
from tests.servers.sink import AUTHORITY, Manner, Sink

pytestmark = [pytest.mark.server, pytest.mark.slow]

REQUEST = {
    *("reference", "subject", "requester", "department", "assignee", "state", "priority", "language"),
    *("opened", "first_response_due", "resolution_due", "entries", "parts", "erased"),
}
LINE = {
    *("id", "mailbox", "folder", "uidvalidity", "uid", "received", "message_id", "fate", "reason", "reference"),
}


@pytest.fixture(scope="module")
def thread(office: Office) -> Thread:
    """A request of Anna's that is only written about."""
    return office.opened(letter())


def test_a_mail_delivered_by_lmtp_gets_one_receipt_and_one_notification(office: Office):
    """The receipt goes to who wrote, the notification to the department, each once, from the shared address."""
    mail = letter()
    row = office.put(mail)
    sent = office.sent_about(mail)
    assert (row["fate"], row["reason"], row["receipt"]) == ("opened", "new-request", "send: own-person")
    assert sorted(sent) == ["anna@corp.example", "it@corp.example"]
    assert sent["anna@corp.example"]["Subject"] == "Re: The printer is jammed"
    assert sent["it@corp.example"]["Subject"] == f"[R-{row['request_number']}] The printer is jammed"


def test_the_receipt_is_recognisable_as_automatic_and_threads_with_the_mail(thread: Thread):
    """RFC 3834: Auto-Submitted says auto-replied, and In-Reply-To and References name the mail."""
    assert thread.receipt["Auto-Submitted"] == "auto-replied"
    assert (thread.receipt["In-Reply-To"], thread.receipt["References"]) == (thread.mail.message_id,) * 2
    assert body(thread.receipt).splitlines()[-1].startswith(f"Ref: {thread.reference} ")


def test_a_mail_appended_by_imap_is_served_like_one_that_was_delivered(office: Office):
    """What another client puts into the folder is new mail too, as old as its INTERNALDATE says."""
    mail = letter()
    came = datetime.now().astimezone().replace(microsecond=0) - timedelta(hours=3)
    office.dovecot.append(HELP, mail.raw, date=came)
    assert office.desk.settled(mail.message_id)[0]["fate"] == "opened"
    assert len(office.taken_about(mail)) == 2
    received = office.desk.rows("SELECT received FROM arrival WHERE message_id = ?", mail.message_id)[0][0]
    assert datetime.fromisoformat(received).replace(tzinfo=UTC) == came


def test_the_request_can_be_listed_and_shown(office: Office):
    """With every key that scripts rely on."""
    mail = letter("Toner for the copier", "Please bring some toner.\n")
    reference = office.opened(mail).reference
    shown = office.desk.json("requests", "show", reference)
    assert shown in office.desk.json("requests", "list")
    assert set(shown) == REQUEST
    assert shown["requester"] == {"name": "Anna Nowak", "address": "anna@corp.example"}
    assert (shown["subject"], shown["department"], shown["state"]) == ("Toner for the copier", "it", "new")
    assert [(one["kind"], one["message_id"]) for one in shown["entries"]] == [("mail", mail.message_id)]
    assert "Please bring some toner." in shown["entries"][0]["text"]


def test_the_ledger_can_be_listed_and_shown(office: Office, thread: Thread):
    """The ledger says by which way a mail came, what became of it, and every step that led there."""
    listed = next(one for one in office.desk.json("ledger", "list") if one["message_id"] == thread.mail.message_id)
    shown = office.desk.json("ledger", "show", str(listed["id"]))
    assert set(listed) == LINE
    assert listed.items() <= shown.items()
    assert (listed["mailbox"], listed["folder"], listed["fate"]) == ("help@corp.example", "INBOX", "opened")
    assert (listed["reference"], shown["source"], shown["receipt"]) == (thread.reference, "imap", "send: own-person")
    assert set(shown["trace"]) >= {"automatic", "thread", "acknowledge", "classification", "language", "defects"}


def test_the_promised_moments_lie_ahead_and_in_order(office: Office, thread: Thread):
    """A person answers before it is solved, and neither moment was over when the mail came in."""
    query = "SELECT opened, first_response_due, resolution_due FROM request WHERE number = ?"
    opened, answered, solved = office.desk.rows(query, thread.number)[0]
    assert opened < answered <= solved


def test_a_settled_mail_carries_our_keyword_and_stays_unread(office: Office):
    r"""People see by \Seen what a person has read: deskbell leaves it alone."""
    mail = letter()
    office.put(mail)
    uid = office.desk.rows("SELECT uid FROM arrival WHERE message_id = ?", mail.message_id)[0][0]
    assert "\\Seen" not in office.wait_for_flag("$Deskbell", HELP, uid)


def test_a_mail_that_was_there_before_the_first_start_gets_nothing(office: Office):
    """It is neither in the ledger nor marked nor answered."""
    office.put(letter())
    assert not office.desk.rows("SELECT id FROM arrival WHERE message_id = ?", office.old.message_id)
    assert not office.taken_about(office.old)
    assert office.dovecot.flags(HELP, 1) == frozenset()


@pytest.mark.parametrize(
    "evidence", ["In-Reply-To", "References", "reference line", "number in the subject", "own mail"]
)
def test_a_reply_lands_in_the_same_request_without_a_second_receipt(office: Office, thread: Thread, evidence: str):
    """However poor the mail program is: one of these is left of the thread."""
    ours = {"receipt": thread.receipt["Message-ID"], "quote": quoted(body(thread.receipt))}
    subject, text, fields = {
        "In-Reply-To": ("Re: The printer is jammed", "", {"In-Reply-To": ours["receipt"]}),
        "References": ("Re: The printer is jammed", "", {"References": f"<a@client.example> {ours['receipt']}"}),
        "reference line": ("Something else", f"On Monday IT wrote:\n{ours['quote']}", {}),
        "number in the subject": (f"About {thread.reference}", "", {}),
        "own mail": ("Re: The printer is jammed", "", {"In-Reply-To": thread.mail.message_id}),
    }[evidence]
    follow_up = letter(subject, f"It works again now.\n\n{text}", fields=fields)
    row = office.put(follow_up)
    assert (row["fate"], row["request_number"]) == ("appended", thread.number)
    sent = office.sent_about(follow_up)
    assert list(sent) == ["it@corp.example"]
    assert "It works again now." in body(sent["it@corp.example"])


def test_equal_subjects_alone_never_join(office: Office):
    """Two mails with the same subject are two matters."""
    first, second = office.put(letter("Help")), office.put(letter("Help", "Another thing: my screen is black.\n"))
    assert first["request_number"] != second["request_number"]
    assert second["fate"] == "opened"


def test_an_answer_of_staff_marks_the_request_answered_and_the_next_mail_opens_it_again(office: Office):
    """Staff answer the notification from their own mail program; nobody is written to because of it."""
    new = office.opened(letter())
    answer = letter("Re: your printer", "Done.\n", sender=BOB, fields={"In-Reply-To": new.notification["Message-ID"]})
    assert office.put(answer, sender="bob@corp.example")["reason"] == "staff-answer"
    assert state(office, new) == "answered"
    assert not office.taken_about(answer)
    office.put(letter("Re: again", "Not yet.\n", fields={"In-Reply-To": new.receipt["Message-ID"]}))
    assert state(office, new) == "open"
    assert kinds(office, new) == ["mail", "answer", "mail"]


def state(office: Office, thread: Thread) -> str:
    return office.desk.rows("SELECT state FROM request WHERE number = ?", thread.number)[0][0]


def kinds(office: Office, thread: Thread) -> list[str]:
    query = "SELECT kind FROM entry WHERE request_number = ? ORDER BY id"
    return [kind for (kind,) in office.desk.rows(query, thread.number)]


@pytest.mark.parametrize("sender", [EVE, BOB])
def test_a_stranger_who_has_the_token_is_held(office: Office, thread: Thread, sender: str):
    """Staff see the mail with a warning; the stranger gets no receipt, and the state does not change."""
    mail = letter("Send it to me", f"To this address please.\n\n{quoted(body(thread.receipt))}", sender=sender)
    row = office.put(mail, sender="eve@elsewhere.example")
    assert (row["fate"], row["request_number"]) == ("held", thread.number)
    assert list(office.sent_about(mail)) == ["it@corp.example"]
    assert state(office, thread) == "new"


def test_an_outside_person_gets_a_receipt_that_echoes_nothing(office: Office):
    """Neither subject nor text nor the reference's department can be used to send words to a third party."""
    mail = letter("Buy cheap pills", "Great offer for your printer!\n", sender="Mallory <mallory@elsewhere.example>")
    assert office.put(mail, sender="mallory@elsewhere.example")["receipt"] == "limited: external-limited"
    receipt = office.sent_about(mail)["mallory@elsewhere.example"]
    assert "pills" not in receipt.as_string()
    assert "Mallory" not in body(receipt)


def test_an_outside_person_gets_two_receipts_a_day(office: Office):
    """The third mail of a day opens a request as well, but is not answered."""
    mails = [letter(f"Offer {number}", sender="Peddler <p@elsewhere.example>") for number in range(3)]
    rows = [office.put(mail, sender="p@elsewhere.example") for mail in mails]
    assert [row["receipt"] for row in rows] == ["limited: external-limited"] * 2 + ["never: external-limit-reached"]
    assert {row["fate"] for row in rows} == {"opened"}


def test_an_automatic_reply_to_our_receipt_is_absorbed(office: Office, thread: Thread):
    """Two machines never talk to each other, and the request only remembers that it came."""
    fields = {"In-Reply-To": thread.receipt["Message-ID"], "Auto-Submitted": "auto-replied"}
    mail = letter("Out of office: Re: The printer is jammed", "I am back on Monday.\n", fields=fields)
    row = office.put(mail)
    assert (row["fate"], row["request_number"]) == ("absorbed", thread.number)
    assert not office.taken_about(mail)


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto-Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"List-Id": "<news.elsewhere.example>"},
        {"X-Auto-Response-Suppress": "All"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_mail_written_by_a_machine_gets_no_receipt(office: Office, fields: dict[str, str]):
    """The department may read it; its sender is not written to."""
    mail = letter("Backup finished", "All is well with the printer.\n", fields=fields)
    assert office.put(mail)["receipt"] == "never: automatic-mail"
    assert "anna@corp.example" not in office.sent_about(mail)


def test_a_bounce_of_our_receipt_is_absorbed(office: Office, thread: Thread):
    """It is an event of the request the receipt was about, and is answered to nobody."""
    bounce = bounce_of(thread.receipt.as_bytes(), "anna@corp.example")
    row = office.put(bounce, sender="")
    assert (row["fate"], row["request_number"]) == ("absorbed", thread.number)
    assert not office.taken_about(bounce)
    assert kinds(office, thread)[-1] == "event"


@pytest.mark.parametrize("recipient", ["anna@corp.example", "it@corp.example"])
def test_our_own_mail_that_comes_back_is_absorbed(office: Office, thread: Thread, recipient: str):
    """A rule or an alias that leads back to us starts no loop."""
    ours = next(one for one in office.taken_about(thread.mail) if one.recipients == (recipient,))
    office.dovecot.deliver(f"{HELP}@corp.example", ours.content, "help@corp.example")
    assert office.desk.settled(read(ours.content)["Message-ID"])[0]["fate"] == "absorbed"
    assert len(office.taken_about(thread.mail)) == 2


def test_the_same_mail_twice_is_a_duplicate(office: Office):
    """A second copy by another hop is recorded, and nothing else happens."""
    mail = letter()
    office.put(mail)
    office.put(mail)
    first, second = office.desk.settled(mail.message_id, times=2)
    assert (first["fate"], second["fate"], second["reason"]) == ("opened", "duplicate", "same-mail")
    assert len(office.taken_about(mail)) == 2


def test_every_mailbox_is_served_in_its_own_name(office: Office):
    """A mail to hr@ is answered by hr@, with the department that answers there."""
    mail = letter("Sick note", "I attach my sick note.\n", to="hr@corp.example")
    assert office.put(mail, HR)["mailbox"] == "hr@corp.example"
    sent = office.sent_about(mail)
    assert sorted(sent) == ["anna@corp.example", "hr@corp.example"]
    assert sent["anna@corp.example"]["From"] == "Human resources <hr@corp.example>"


@pytest.mark.parametrize("relay", ["starttls", "tls"])
def test_mail_is_read_and_sent_over_encrypted_connections_alone(dovecot: Dovecot, tmp_path, relay: str):
    """One mailbox by TLS from the start, one by STARTTLS, with an authority of one's own (ca_file) and a login."""
    manner = Manner(tls=relay, account=("deskbell", "secret"))
    with Sink(manner=manner) as sink:
        config = mailbox("help@corp.example", dovecot, user=f"{relay}-help", tls="tls")
        config += mailbox("hr@corp.example", dovecot, user=f"{relay}-hr", tls="starttls", department="hr")
        config += f'[smtp]\nhost = "localhost"\nport = {sink.port}\ntls = "{relay}"\nca_file = "{AUTHORITY}"\n'
        config += 'user = "deskbell"\npassword = "secret"\n'
        with Installation(tmp_path, config) as desk:
            desk.start()
            for user in ("help", "hr"):
                dovecot.deliver(f"{relay}-{user}@corp.example", letter(to=f"{user}@corp.example").raw)
            sink.wait_for(4, PATIENCE)
            until(lambda: len(desk.rows("SELECT id FROM arrival WHERE effect = 'done'")) == 2)
            assert desk.stop() == 0
