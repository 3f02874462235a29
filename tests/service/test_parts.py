"""A mail to several of our mailboxes: one request, a part for each department, one receipt, and who hears what."""

import json
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from desk.acknowledge import Mode
from desk.arrival import Source
from desk.classification import Priority
from desk.department import TargetPolicy
from store import requests
from tests.service.cast import HELP, HR, NOON, door

BOTH, LAPTOP = f"To: {HELP}, {HR}", "Subject: My laptop is broken, and where is my payslip?"
ARRIVALS = "SELECT fate, reason, receipt, request_number FROM arrival ORDER BY id"
COPY = ("duplicate", "other-mailbox", "never: other-mailbox", 1001)
OPENED = ("opened", "new-request", "send: own-person", 1001)


SLOW = {"targets": {Priority.NORMAL: TargetPolicy(timedelta(hours=12), timedelta(hours=40))}}


def mail(*fields, number=1, sender="anna@corp.example", text="Thank you!"):
    """A mail of Anna's, to help@ and hr@ about laptop and payslip where the fields say nothing else."""
    given = {one.partition(":")[0] for one in fields}
    usual = [one for one in (BOTH, LAPTOP) if one.partition(":")[0] not in given]
    lines = [f"From: Anna Nowak <{sender}>", *fields, *usual, f"Message-ID: <{number}@corp.example>", "", text, ""]
    return "\r\n".join(lines).encode()


def at(mailbox, raw, **known):
    """A copy of it that came in at that mailbox."""
    return door(raw, mailbox=mailbox, **known)


def settled(desk, *arrivals):
    """Each was settled before the next one came."""
    for one in arrivals:
        desk.accept(one)
        desk.settle()


def changed(desk, boxes=(), **known):
    """The office with mailboxes in other modes, or departments (by key) of another kind."""
    house, modes = desk.house, dict(boxes)
    mailboxes = {one: replace(box, mode=modes.get(one, box.mode)) for one, box in house.mailboxes.items()}
    departments = {key: replace(one, **known.get(key, {})) for key, one in house.departments.items()}
    desk.pipeline.move_into(replace(house, mailboxes=mailboxes, departments=departments))


def sent(desk, kind="notification"):
    """What is owed of a kind, by recipient; nobody is owed two."""
    rows = desk.rows(
        "SELECT recipient, content FROM outbox JOIN outbox_content ON outbox_id = outbox.id "
        f"WHERE kind = '{kind}' ORDER BY outbox.id"
    )
    return [(to, message_from_bytes(bytes(content), policy=policy.default)) for to, content in rows]


def text(message):
    return message.get_body(("plain",)).get_content()


def told(desk):
    """The departments that were written to, each by the name of its address."""
    return [to.partition("@")[0] for to, _ in sent(desk)]


def request(desk, number=1001):
    with desk.database.read() as connection:
        return requests.find(connection, number)


def departments(desk):
    return request(desk).departments


def states(desk):
    return {part.department: part.state.value for part in request(desk).parts}


def reply(*fields, to, answers, number, sender="anna@corp.example", text="And one more thing."):
    return mail(f"To: {to}", f"In-Reply-To: {answers}", *fields, number=number, sender=sender, text=text)


def receipt_id(desk):
    return sent(desk, "receipt")[0][1]["Message-ID"]


def notification_id(desk, address):
    return next(message["Message-ID"] for to, message in sent(desk) if to.startswith(address))


@pytest.mark.parametrize("order", [(HELP, HR), (HR, HELP)])
def test_one_request_one_receipt_and_word_to_both_departments_whichever_copy_comes_first(desk, order):
    settled(desk, *(at(mailbox, mail()) for mailbox in order))
    assert desk.rows(ARRIVALS) == [OPENED, COPY]
    assert departments(desk) == ("it", "payroll")
    assert told(desk) == ["it", "payroll"]
    [(to, receipt)] = sent(desk, "receipt")
    assert (to, receipt["From"].addresses[0].addr_spec) == ("anna@corp.example", HELP)
    assert "It is now with IT support and Payroll." in text(receipt)


def test_the_receipt_is_the_same_mail_whichever_copy_comes_first(desk):
    """A restored database, or a second daemon, that sees them the other way round sends the same one."""
    settled(desk, at(HR, mail()))
    first = receipt_id(desk)
    settled(desk, at(HELP, mail(number=2)))
    assert sent(desk, "receipt")[1][1]["From"] == sent(desk, "receipt")[0][1]["From"]
    assert first.startswith("<receipt.")


def test_one_copy_that_is_never_followed_by_the_other_is_enough(desk):
    settled(desk, at(HR, mail()))
    assert desk.rows(ARRIVALS) == [OPENED]
    assert len(sent(desk)) == 2


def test_the_receipt_promises_the_later_moments_and_each_part_keeps_its_own(desk):
    changed(desk, payroll=SLOW)
    settled(desk, at(HELP, mail()))
    parts = request(desk).parts
    moments = dict(desk.rows("SELECT kind, due FROM promise"))
    assert len(moments) == 2
    assert [part.state.value for part in parts] == ["new", "new"]
    last = max(part.first_response_due for part in parts), max(part.resolution_due for part in parts)
    found = [str(moments[kind])[:19] for kind in ("first-response", "resolution")]
    assert found == [one.strftime("%Y-%m-%d %H:%M:%S") for one in last]
    assert len({part.resolution_due for part in parts}) == 2


def test_each_department_hears_of_the_other_and_answers_from_its_own_mailbox(desk):
    settled(desk, at(HELP, mail()))
    [(_, it), (_, payroll)] = sent(desk)
    assert "It is also with Payroll." in text(it)
    assert "It is also with IT support." in text(payroll)
    for message, mailbox in ((it, HELP), (payroll, HR)):
        assert message["From"].addresses[0].addr_spec == mailbox
        assert [one.addr_spec for one in message["Reply-To"].addresses] == ["anna@corp.example", mailbox]
        assert f"To: {mailbox}" in text(message)


def test_a_matter_of_one_other_department_is_an_ordinary_request(desk):
    settled(desk, at(HELP, mail("Subject: The air conditioning is broken")), at(HR, mail(number=2, text="x")))
    assert departments(desk) == ("facilities",)
    assert len([to for to, _ in sent(desk) if to.startswith("facilities")]) == 1
    assert desk.rows("SELECT count(*) FROM part WHERE request_number = 1001") == [(0,)]


def test_a_mail_to_one_mailbox_writes_no_part_and_says_nothing_of_others(desk):
    settled(desk, at(HELP, mail(f"To: {HELP}, bob@corp.example")))
    assert desk.rows("SELECT id FROM part") == []
    assert "also with" not in text(sent(desk)[0][1])
    assert "parts" not in json.loads(desk.rows("SELECT CAST(trace AS TEXT) FROM arrival")[0][0])


@pytest.mark.parametrize("first", [HELP, HR])
def test_a_mailbox_in_cc_gets_a_copy_and_promises_nothing(desk, first):
    """Also where its copy of the mail comes first."""
    for mailbox in (first, HR if first == HELP else HELP):
        settled(desk, at(mailbox, mail(f"To: {HELP}", f"Cc: Human Resources <{HR}>", "Subject: Printer jam")))
    assert desk.rows(ARRIVALS) == [OPENED, COPY]
    assert departments(desk) == ("it",)
    [(_, it), (to, copy)] = sent(desk)
    assert "copy" not in text(it)
    assert to.startswith("hr")
    assert "This is a copy for your information: the answer is up to IT support." in text(copy)
    assert "Answer by" not in text(copy)
    assert "HR" not in text(sent(desk, "receipt")[0][1])


@pytest.mark.parametrize("field", ["To: everybody@corp.example", f"To: {HELP}"])
def test_a_mailbox_that_no_field_names_adds_a_part_when_its_copy_comes(desk, field):
    """Bcc, or a list: its department is told, and no second receipt goes out."""
    raw = mail(field)
    settled(desk, at(HELP, raw), at(HR, raw), at(HR, raw), at(HELP, raw))
    same = ("duplicate", "same-mail", "never: same-mail", None)
    assert desk.rows(ARRIVALS) == [OPENED, ("appended", "further-part", "never: other-mailbox", 1001), same, same]
    assert departments(desk) == ("it", "payroll")
    assert len(sent(desk)) == 2
    assert len(sent(desk, "receipt")) == 1
    assert ("It is also with IT support." in text(sent(desk)[1][1])) is (HELP in field)
    assert desk.rows("SELECT count(*) FROM entry") == [(1,)]


def test_where_the_unnamed_copy_comes_first_both_have_it_at_once(desk):
    raw = mail(f"To: {HELP}")
    settled(desk, at(HR, raw), at(HELP, raw))
    assert desk.rows(ARRIVALS) == [OPENED, COPY]
    assert (departments(desk), told(desk)) == (("it", "payroll"), ["it", "payroll"])
    [(_, it), (_, payroll)] = sent(desk)
    assert "Payroll" not in text(it), "a blind copy stays one"
    assert "It is also with IT support." in text(payroll)


def test_old_mail_adds_no_part_and_history_tells_nobody(desk):
    raw = mail(f"To: {HELP}")
    settled(desk, at(HELP, raw), at(HR, raw, before_floor=True))
    settled(desk, at(HELP, mail(number=2), source=Source.IMPORT))
    assert desk.rows("SELECT count(*) FROM part WHERE request_number = 1001") == [(0,)]
    assert {part.state.value for part in request(desk, 1002).parts} == {"answered"}
    assert len(sent(desk)) == 1


def test_a_mailbox_that_observes_has_no_part_beside_one_that_does_not(desk):
    """Its copy may come first: the other one answers all the same."""
    changed(desk, {HELP: Mode.OBSERVE})
    settled(desk, at(HELP, mail()), at(HR, mail()))
    assert desk.rows(ARRIVALS) == [OPENED, COPY]
    assert request(desk).mailbox == HR
    assert len(sent(desk)) == 1
    assert sent(desk, "receipt")[0][1]["From"].addresses[0].addr_spec == HR


def test_where_all_observe_nobody_is_written_to_and_the_evening_can_say_what_would_have_been(desk):
    changed(desk, {HELP: Mode.OBSERVE, HR: Mode.OBSERVE})
    settled(desk, at(HELP, mail()))
    trace = json.loads(desk.rows("SELECT CAST(trace AS TEXT) FROM arrival")[0][0])
    assert trace["would"]["decision"] == "send"
    assert [(one["mailbox"], one["department"]) for one in trace["parts"]] == [(HR, "payroll")]
    assert desk.rows("SELECT id FROM outbox") == []


def test_a_department_whose_mailbox_only_sends_receipts_is_not_written_to(desk):
    changed(desk, {HELP: Mode.RECEIPTS})
    settled(desk, at(HELP, mail()))
    assert told(desk) == ["payroll"]
    assert sent(desk)[0][1]["From"].addresses[0].addr_spec == HR


def test_a_reply_to_the_receipt_is_told_to_both_and_both_owe_an_answer_again(desk):
    settled(desk, at(HELP, mail()))
    for number, (mailbox, to) in enumerate(((HELP, "it"), (HR, "payroll")), 2):
        answer = reply(to=mailbox, answers=notification_id(desk, to), number=number, sender=f"{to}-person@corp.example")
        settled(desk, at(mailbox, answer))
    assert states(desk) == {"it": "answered", "payroll": "answered"}
    settled(desk, at(HELP, reply(to=HELP, answers=receipt_id(desk), number=5)))
    assert states(desk) == {"it": "open", "payroll": "open"}
    assert len(sent(desk)) == 4


def test_an_answer_moves_the_part_of_the_department_that_gave_it(desk):
    """Whose notification it answers counts, not the mailbox it happened to come in at."""
    settled(desk, at(HELP, mail()))
    answers = notification_id(desk, "payroll")
    settled(desk, at(HELP, reply(to=HELP, answers=answers, number=2, sender="petra@corp.example")))
    assert states(desk) == {"it": "new", "payroll": "answered"}
    assert len(sent(desk)) == 2


def test_the_talk_with_a_confidential_department_stays_with_it(desk):
    """What she answers to payroll is not told to IT; what she answers to the receipt is told to both."""
    changed(desk, payroll={"confidential": True})
    settled(desk, at(HELP, mail()))
    to_payroll = reply(to=HR, answers=notification_id(desk, "payroll"), number=2, text="My new account is 12-34.")
    settled(desk, at(HR, to_payroll))
    assert told(desk)[2:] == [told(desk)[1]]
    settled(desk, at(HELP, reply(to=HELP, answers=receipt_id(desk), number=3)))
    assert sorted(told(desk)[3:]) == sorted(told(desk)[:2])
    assert all("12-34" not in text(message) for to, message in sent(desk) if to == sent(desk)[0][0])


def test_without_a_mail_of_ours_to_go_by_the_mailbox_says_whose_talk_it_is(desk):
    """An answer to a colleague's own mail names no mail of ours."""
    changed(desk, payroll={"confidential": True})
    settled(desk, at(HELP, mail()))
    settled(desk, at(HR, reply(to=HR, answers="<1@corp.example>", number=2, text="Private.")))
    assert told(desk)[2:] == [told(desk)[1]]


def test_a_follow_up_that_names_another_mailbox_is_copied_to_its_department(desk):
    """Its copy comes too, and says nothing new."""
    settled(desk, at(HELP, mail(f"To: {HELP}", "Subject: Printer jam")))
    more = reply(f"Cc: {HR}", to=HELP, answers=receipt_id(desk), number=2)
    settled(desk, at(HELP, more), at(HR, more))
    assert [row[:2] for row in desk.rows(ARRIVALS)] == [
        ("opened", "new-request"),
        ("appended", "follow-up"),
        ("duplicate", "other-mailbox"),
    ]
    assert departments(desk) == ("it",)
    assert [to.partition("@")[0][:2] for to, _ in sent(desk)] == ["it", "it", "hr"]


def test_equal_mails_without_message_id_at_two_mailboxes_are_one(desk):
    raw = mail().replace(b"Message-ID: <1@corp.example>\r\n", b"")
    settled(desk, at(HELP, raw), at(HR, raw, received_at=NOON))
    assert desk.rows(ARRIVALS) == [OPENED, COPY]


def test_an_outsider_learns_neither_department(desk):
    settled(desk, at(HELP, mail(sender="eve@elsewhere.example")))
    [(_, receipt)] = sent(desk, "receipt")
    assert "IT" not in text(receipt)
    assert "Payroll" not in text(receipt)


def test_a_receipt_that_waits_tells_both_when_it_goes_out_and_moves_no_part_to_the_others_date(desk):
    """After three hours away it is late: it waits a minute for others, and is worded anew."""
    changed(desk, payroll=SLOW)
    desk.accept(at(HELP, mail()))
    desk.clock.pass_by(hours=3)
    desk.settle()
    [(_, receipt)] = sent(desk, "receipt")
    assert "IT support and Payroll" in text(receipt)
    assert "We are sorry" in text(receipt)
    assert len({part.resolution_due for part in request(desk).parts}) == 2
    settled(desk, at(HELP, mail(f"To: {HELP}", number=2, text="Printer")))
    [(_, joint)] = sent(desk, "receipt")
    assert "R-1002" in text(joint)
    assert "IT support and Payroll" in text(joint)
