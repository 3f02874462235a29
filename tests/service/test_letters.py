"""What goes out: the receipt to the one From and nobody else, and word to the department."""

from dataclasses import replace
from datetime import timedelta, timezone
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.acknowledge import AckDecision, Acknowledgement
from desk.arrival import Evidence, Fate
from desk.classification import Classification, Priority
from desk.decision import Decision, News
from desk.lifecycle import State
from desk.mail import Address, Attachment, Mail
from desk.outbox import NoticeKind
from desk.promise import Delay, Targets
from desk.request import EntryKind, Request
from desk.token import quoted_references
from intake.evidence import Proof
from service.judged import Judged
from service.letters import SHOWN_TEXT, Matter, answer_subject, notification, receipt
from tests.service.cast import HELP, NOON, door, office

HOUSE = office()
MAILBOX = HOUSE.mailboxes[HELP]
ANNA, EVE = Address("Anna Nowak", "Anna@Corp.example"), Address("Eve Evil", "eve@attack.example")
MAIL = Mail(
    message_id="<2@corp.example>",
    references=("<0@corp.example>", "<1@corp.example>"),
    sender=ANNA,
    reply_to=(Address("", "elsewhere@attack.example"),),
    cc=(Address("", "bob@corp.example"),),
    subject="Printer on floor 3",
    thread_topic="Printer on floor 3",
    text="It jams.\n> quoted",
    reply="It jams.",
    content_key="k",
)
TARGETS = Targets(NOON + timedelta(days=1), NOON + timedelta(days=2), Delay.CLOSED, "Founders' Day")
SEND = Acknowledgement(AckDecision.SEND, "own-person", "a person of our own domains")
LIMITED = Acknowledgement(AckDecision.LIMITED, "external-limited", "an outside person")
NEVER = Acknowledgement(AckDecision.NEVER, "negative-evidence", "the sender is contradicted: dmarc=fail")
OPENED = Decision(Fate.OPENED, "new-request", SEND, EntryKind.MAIL, news=News.OPENED)


def matter(mail=MAIL, decision=OPENED, language="en", negative=None, **request):
    known = Request(1042, mail.subject, mail.sender, HELP, "it", State.NEW, Priority.NORMAL, language, NOON, NOON, NOON)
    proof = Proof(Evidence.E0, negative, "nothing is proven")
    judged = Judged(door(b""), mail, proof, language, Classification("it"))
    return Matter(replace(known, **request), TARGETS, judged, decision, NOON)


def answered(mail=MAIL, acknowledgement=SEND, house=HOUSE, **known):
    """The receipt, as sent and as a mail program reads it."""
    notice = receipt(matter(mail, replace(OPENED, acknowledgement=acknowledgement), **known), house)
    return notice, message_from_bytes(notice.content, policy=policy.default)


def told(mail=MAIL, news=News.OPENED, acknowledgement=SEND, **known):
    """The notification, as sent and as a mail program reads it."""
    decision = replace(OPENED, news=news, acknowledgement=acknowledgement)
    notice = notification(matter(mail, decision, **known), HOUSE, MAILBOX)
    return notice, message_from_bytes(notice.content, policy=policy.default)


def everything(message):
    """All that a reader could find in the message."""
    fields = [f"{name}: {value}" for name, value in message.items()]
    return "\n".join([*fields, *(part.get_content() for part in message.walk() if not part.is_multipart())])


def plain(message):
    return message.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Printer", "Re: Printer"),
        ("", "Re: "),
        ("Re: Printer", "Re: Printer"),
        ("RE: Printer", "RE: Printer"),
        ("re:Printer", "re:Printer"),
        ("Re Printer", "Re: Re Printer"),
        ("AW: Drucker", "Re: AW: Drucker"),
        ("Recall", "Re: Recall"),
        ("プリンター", "Re: プリンター"),
    ],
)
def test_the_answers_subject_is_re_and_the_subject_never_twice(subject, answer):
    assert answer_subject(subject) == answer


@given(st.text())
def test_answering_an_answer_changes_no_subject(subject):
    once = answer_subject(subject)
    assert answer_subject(once) == once
    assert once.endswith(subject)


def test_a_receipt_goes_to_the_from_alone_whatever_else_the_mail_names():
    notice, message = answered()
    assert (notice.recipient, notice.envelope_sender) == ("anna@corp.example", HELP)
    assert message["To"] == "Anna Nowak <Anna@Corp.example>"
    assert message["Cc"] is None
    assert "elsewhere" not in everything(message)
    assert "bob@" not in everything(message)


def test_a_receipt_continues_the_thread_in_each_way_that_programs_know():
    _, message = answered()
    assert message["Subject"] == "Re: Printer on floor 3"
    assert message["Thread-Topic"] == "Printer on floor 3"
    assert message["In-Reply-To"] == "<2@corp.example>"
    assert message["References"] == "<0@corp.example> <1@corp.example> <2@corp.example>"
    assert "R-1042" not in message["Subject"]


def test_a_receipt_for_a_mail_without_id_names_none():
    _, message = answered(replace(MAIL, message_id=None, references=()))
    assert (message["In-Reply-To"], message["References"]) == (None, None)


def test_a_receipt_says_that_a_machine_wrote_it():
    _, message = answered()
    assert message["Auto-Submitted"] == "auto-replied"


def test_a_receipts_id_stands_in_the_outbox_in_the_mail_and_beside_it():
    notice, message = answered()
    assert notice.kind is NoticeKind.RECEIPT
    assert message["Message-ID"] == notice.message_id
    assert f"<{message['X-Deskbell-Id']}>" == notice.message_id
    assert notice.message_id.startswith("<receipt.a.")
    assert notice.message_id.endswith("@corp.example>")


def test_a_receipt_tells_who_has_it_until_when_and_why_not_today():
    notice, message = answered()
    text = plain(message)
    assert all(words in text for words in ("Anna Nowak", "IT support", "Founders' Day", "R-1042"))
    assert notice.targets == TARGETS


def test_the_same_matter_makes_the_same_bytes():
    assert answered()[0] == answered()[0]


@pytest.mark.parametrize(
    "other",
    [
        {"mail": replace(MAIL, content_key="l")},
        {"mail": replace(MAIL, sender=replace(ANNA, address="bob@corp.example"))},
    ],
)
def test_another_mail_or_another_person_makes_another_id(other):
    assert answered(**other)[0].message_id != answered()[0].message_id


def test_equal_words_without_id_at_another_moment_are_another_mail_but_with_one_they_are_the_same():
    def at(mail, moment):
        about = matter(mail)
        judged = replace(about.judged, arrival=replace(about.judged.arrival, received_at=moment))
        return receipt(replace(about, judged=judged), HOUSE).message_id

    nameless, later = replace(MAIL, message_id=None), NOON + timedelta(hours=1)
    assert at(MAIL, NOON) == at(MAIL, later)
    assert at(nameless, NOON) != at(nameless, later)
    assert at(nameless, NOON) == at(nameless, NOON.astimezone(timezone(timedelta(hours=9))))


def test_the_number_of_the_request_does_not_change_the_id():
    assert answered(number=1043)[0].message_id == answered()[0].message_id


@pytest.mark.parametrize("language", ["en", "pl", "it", "ar", "ja"])
def test_the_quoted_receipt_leads_back_to_its_request_in_each_language(language):
    _, message = answered(language=language)
    quoted = "".join(f"> {line}\n" for line in plain(message).splitlines())
    ((reference, token),) = quoted_references(quoted)
    assert reference == "R-1042"
    assert HOUSE.keyring.confirms(token, reference=reference, recipient=ANNA.key)


def test_the_readers_own_clock_is_used_where_the_mail_tells_it():
    written = NOON.astimezone(timezone(timedelta(hours=9)))
    _, message = answered(replace(MAIL, date=written))
    _, other = answered()
    assert plain(message) != plain(other)


@pytest.mark.parametrize("acknowledgement", [NEVER, SEND, LIMITED])
def test_without_a_decision_or_a_requester_there_is_no_receipt(acknowledgement):
    nobody = matter(replace(MAIL, sender=None), replace(OPENED, acknowledgement=acknowledgement))
    assert receipt(nobody, HOUSE) is None


def test_where_the_decision_is_never_there_is_no_receipt():
    assert receipt(matter(decision=replace(OPENED, acknowledgement=NEVER)), HOUSE) is None


HOSTILE = replace(
    MAIL,
    sender=replace(EVE, name="Buy at evil.example"),
    subject="Win at evil.example",
    thread_topic="Win at evil.example",
    text="Click evil.example",
    reply="Click evil.example",
)


def test_a_stranger_is_told_nothing_of_us_and_hears_nothing_of_what_was_written():
    urgent = {"it": replace(HOUSE.departments["it"], urgent_contact="call 4444")}
    _, message = answered(HOSTILE, LIMITED, replace(HOUSE, departments=urgent))
    seen = everything(message)
    for words in ("evil.example", "IT support", "Founders", "4444", "Printer"):
        assert words not in seen
    assert message["To"] == "eve@attack.example"
    assert message["From"] == HELP
    assert message["Thread-Topic"] is None


def test_a_strangers_receipt_has_a_subject_of_its_own_and_goes_to_the_from_alone():
    notice, message = answered(HOSTILE, LIMITED)
    assert notice.recipient == "eve@attack.example"
    assert message["Subject"] == answered(replace(HOSTILE, subject="another"), LIMITED)[1]["Subject"]
    assert message["In-Reply-To"] == "<2@corp.example>"


@pytest.mark.parametrize("hostile", ["x\r\nBcc: eve@attack.example", "=?utf-8?q?=0D=0ABcc:_eve=40attack.example?="])
def test_nothing_a_mail_says_becomes_a_field_of_ours(hostile):
    mail = replace(MAIL, subject=hostile, thread_topic=hostile, sender=replace(ANNA, name=hostile))
    staff = HOUSE.departments["it"].address
    for (_, message), (_, harmless), to in ((answered(mail), answered(), ANNA.address), (told(mail), told(), staff)):
        assert message.keys() == harmless.keys()
        assert [value.addresses[0].addr_spec for value in message.get_all("To")] == [to]


def test_a_notification_goes_to_the_departments_address_from_the_shared_mailbox():
    notice, message = told()
    assert notice.kind is NoticeKind.NOTIFICATION
    assert notice.recipient == HOUSE.departments["it"].address
    assert message["To"].addresses[0].addr_spec == HOUSE.departments["it"].address
    assert message["From"].addresses[0].addr_spec == HELP
    assert message["From"].addresses[0].display_name == "Anna Nowak"
    assert notice.targets is None


def test_an_answer_to_a_notification_goes_to_the_writer_and_to_the_shared_mailbox():
    _, message = told()
    assert message["Reply-To"] == f"Anna@Corp.example, {HELP}"


def test_an_answer_about_a_held_mail_goes_to_the_requester_and_never_to_the_stranger():
    _, message = told(replace(MAIL, sender=EVE), News.HELD, requester=ANNA)
    assert message["Reply-To"] == f"Anna@Corp.example, {HELP}"


@pytest.mark.parametrize("sender", [None, Address("", "not sendable"), Address("", "a@b\r\nBcc: c@d")])
def test_where_nobody_can_be_written_to_an_answer_goes_to_the_shared_mailbox(sender):
    _, message = told(replace(MAIL, sender=sender), News.DOUBTFUL, NEVER)
    assert message["Reply-To"] == HELP


def test_the_number_stands_in_the_subject_of_staff_mail():
    _, message = told()
    assert "R-1042" in message["Subject"]
    assert "Printer on floor 3" in message["Subject"]
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_notification_carries_no_token_that_would_make_a_participant():
    _, message = told()
    assert quoted_references(everything(message)) == ()


def test_staff_see_the_whole_first_mail_and_of_a_follow_up_what_is_new():
    assert "quoted" in plain(told()[1])
    assert "quoted" not in plain(told(news=News.FOLLOWED_UP)[1])
    assert "quoted" in plain(told(replace(MAIL, reply=""), News.FOLLOWED_UP)[1])


def test_a_very_long_mail_is_shown_from_its_beginning():
    text = plain(told(replace(MAIL, text="x" * SHOWN_TEXT + "END"))[1])
    assert "END" not in text
    assert "[...]" in text
    assert "END" in plain(told(replace(MAIL, text="x" * (SHOWN_TEXT - 3) + "END"))[1])


def test_staff_are_told_why_no_receipt_went_out_and_what_was_noticed():
    mail = replace(MAIL, defects=("Date: not a date",))
    text = plain(told(mail, News.DOUBTFUL, NEVER, negative="dmarc=fail for corp.example")[1])
    assert NEVER.reason in text
    assert "dmarc=fail for corp.example" in text
    assert "Date: not a date" in text


@pytest.mark.parametrize("news", [News.FOLLOWED_UP, News.HELD])
def test_of_a_follow_up_nobody_expects_a_receipt_so_none_is_explained(news):
    assert NEVER.reason not in plain(told(news=news, acknowledgement=NEVER)[1])


@pytest.mark.parametrize(
    ("name", "size", "listed"),
    [
        ("scan.pdf", 0, "scan.pdf (1 kB)"),
        ("scan.pdf", 12_300, "scan.pdf (12 kB)"),
        ("scan.pdf", 1_000_000, "scan.pdf (1.0 MB)"),
        ("", 34_567_890, "application/pdf (34.6 MB)"),
    ],
)
def test_attachments_are_listed_with_their_size(name, size, listed):
    attachment = Attachment(name, "application/pdf", size, "00", inline=False)
    assert listed in plain(told(replace(MAIL, attachments=(attachment,)))[1])


def test_no_news_is_no_notification():
    assert notification(matter(decision=replace(OPENED, news=None)), HOUSE, MAILBOX) is None


def test_receipt_and_notification_of_one_mail_have_ids_of_their_own():
    assert answered()[0].message_id != told()[0].message_id
