"""The evening report: what is in it, what never is, and that it goes out once."""

from dataclasses import replace
from datetime import time, timedelta
from email import message_from_bytes, policy

import pytest

from desk.acknowledge import Mode
from service.alarms import alarm
from service.evening import EveningReport, Evenings
from store import modes
from store.modes import Given
from tests.service.cast import HELP, HR, NOON, door, works

ADMINS = ("admin@corp.example", "Boss@corp.example")
SENT = (
    "SELECT recipient, content FROM outbox JOIN outbox_content ON outbox_id = outbox.id "
    "WHERE kind = 'evening' ORDER BY id"
)
FIVE = timedelta(hours=5)
"""From noon to the report."""


@pytest.fixture
def desk():
    """help@ observes."""
    with works() as desk:
        give(desk, Mode.OBSERVE)
        report(desk).step(NOON)
        yield desk


def give(desk, mode, mailbox=HELP):
    desk.transactions.run(lambda connection: modes.give(connection, mailbox, Given(mode, desk.clock(), "root")))


def report(desk, admins=ADMINS):
    return EveningReport(desk.transactions, desk.house, Evenings(time(17), admins))


def letter(subject, text, *, sender="anna@corp.example", **known):
    fields = f"From: Anna <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <{abs(hash(subject))}@corp.example>\r\n"
    return door(f"{fields}\r\n{text}\r\n".encode(), sender, **known)


def told(desk):
    """Each report that was owed: to whom, subject and text."""
    found = [(to, message_from_bytes(content, policy=policy.default)) for to, content in desk.rows(SENT)]
    return [(to, mail["Subject"], mail.get_content()) for to, mail in found]


def evening_of(desk, *mails):
    desk.accept(*mails)
    desk.settle()
    assert report(desk).step(NOON + FIVE)
    return told(desk)


def test_what_would_have_been_is_told_to_each_admin(desk):
    (first, subject, text), (second, *rest) = evening_of(
        desk,
        letter("Printer", "The printer on the third floor says paper jam, and there is no paper in it."),
        letter("Offer", "We have something for you and your colleagues.", sender="eve@shop.example"),
        door(
            b"From: cron@corp.example\r\nAuto-Submitted: auto-generated\r\nSubject: done\r\n\r\nThe backup is done.\r\n"
        ),
    )
    assert (first, second) == ("admin@corp.example", "boss@corp.example")
    assert rest == [subject, text]
    assert subject == "help@corp.example: Monday 2 March"
    assert 'help@corp.example is in mode "observe"' in text
    assert "What would have been sent (2):" in text
    assert "- 02.03. 12:00 anna@corp.example: a receipt; the request is with it (1)" in text
    assert "eve@shop.example: a receipt that tells nothing" in text
    assert "Who would have got no receipt, and why (1):" in text
    line = next(line for line in text.splitlines() if "cron@corp.example" in line)
    assert "Auto-Submitted: auto-generated" in line
    assert line.endswith("(3)")
    assert "What is unsure" in text


def test_nothing_but_the_report_is_sent_while_a_mailbox_observes(desk):
    evening_of(desk, letter("Printer", "It is broken."))
    assert {kind for (kind,) in desk.rows("SELECT kind FROM outbox")} == {"evening"}


def test_no_word_of_a_mail_is_in_the_report(desk):
    found = evening_of(desk, letter("Zebrafish", "My salary is wrong: quagmire."), letter("Zebra", "", mailbox=HR))
    assert not any("ebra" in text or "quagmire" in text for _, _, text in found)


def test_who_wrote_to_a_confidential_department_is_not_told(desk):
    it = desk.house.departments["it"]
    confidential = {**desk.house.departments, "it": replace(it, confidential=True)}
    open_ = [text for _, _, text in evening_of(desk, letter("Printer", "It is broken."))]
    assert all("anna@corp.example" in text for text in open_)
    secret = report(desk)
    secret.move_into(replace(secret._house, departments=confidential))
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '2026-03-01T17:00:00+00:00 0' WHERE key LIKE 'evening%'")
    secret.step(NOON + FIVE + timedelta(days=1))
    text = told(desk)[-1][2]
    assert "somebody: a receipt" in text
    assert "anna@" not in text


def test_a_report_goes_out_once_whoever_asks_and_however_often(desk):
    evening_of(desk, letter("Printer", "It is broken."))
    for _ in range(2):
        again = report(desk)
        again.step(NOON + FIVE + timedelta(minutes=1))
        assert not again.step(NOON + FIVE + timedelta(minutes=2))
    assert len(told(desk)) == 2


def test_a_report_that_was_forgotten_by_the_database_is_the_same_mail(desk):
    """A restored database does not know of it; the Message-ID does."""
    evening_of(desk, letter("Printer", "It is broken."))
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '2026-03-01T17:00:00+00:00 0' WHERE key LIKE 'evening%'")
    report(desk).step(NOON + FIVE)
    assert len(told(desk)) == 2


def test_what_came_after_the_evening_is_told_on_the_next_one(desk):
    evening_of(desk, letter("Printer", "It is broken."))
    desk.clock.pass_by(hours=6)
    desk.accept(letter("Chair", "It wobbles."))
    desk.settle()
    report(desk).step(NOON + FIVE + timedelta(days=1))
    last = told(desk)[-1]
    assert last[1] == "help@corp.example: Tuesday 3 March"
    assert "(1)" not in last[2].replace("(1):", "")
    assert "(2)" in last[2]


def test_a_report_covers_the_days_on_which_nobody_could_write_it(desk):
    desk.accept(letter("Printer", "It is broken."))
    desk.settle()
    report(desk).step(NOON + FIVE + timedelta(days=3))
    assert "anna@corp.example" in told(desk)[0][2]


def test_a_day_without_anything_to_tell_has_no_report(desk):
    assert report(desk).step(NOON + FIVE)
    assert told(desk) == []


def test_without_admins_there_is_no_report(desk):
    desk.accept(letter("Printer", "It is broken."))
    desk.settle()
    report(desk, ()).step(NOON + FIVE)
    assert told(desk) == []


def test_a_mailbox_that_sends_is_told_about_only_where_somebody_has_to_look(desk):
    """A mail nobody could settle; receipts and requests are no news."""
    give(desk, Mode.FULL)
    desk.parser.poison.add(b"poison")
    desk.accept(letter("poison", "x"), letter("Printer", "It is broken."))
    desk.settle()
    desk = desk.restarted()
    report(desk).step(NOON + FIVE)
    (_, subject, text), _ = told(desk)
    assert subject == "help@corp.example: Monday 2 March, please look"
    assert "For a person to look at:\n- 02.03. 12:00 a mail: failed 3 times (1)" in text.replace("\r\n", "\n")
    assert "anna@" not in text
    assert "deskbell mode" not in text


def test_a_mailbox_obeys_at_the_next_mail(desk):
    """What an admin gave overrides the configuration, both ways, while deskbell runs."""
    for number, mode in enumerate((Mode.OBSERVE, Mode.FULL, Mode.RECEIPTS, Mode.OBSERVE)):
        give(desk, mode)
        desk.accept(letter(f"Trouble {number}", "x" * (number + 1)))
        desk.settle()
    receipts = desk.rows("SELECT receipt FROM arrival ORDER BY id")
    assert [row[0] for row in receipts] == [
        "never: mailbox-observes",
        "send: own-person",
        "send: own-person",
        "never: mailbox-observes",
    ]
    assert desk.rows("SELECT kind, request_number FROM outbox ORDER BY id") == [
        ("receipt", 1002),
        ("notification", 1002),
        ("receipt", 1003),
    ]


def test_the_house_of_the_configuration_is_left_as_it_is(desk):
    before = replace(desk.house)
    evening_of(desk, letter("Printer", "It is broken."))
    assert desk.house == before


def test_the_first_report_tells_what_was_settled_before_anybody_asked_for_one(desk):
    """The first mails may come faster than the first look at the clock."""
    with desk.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key LIKE 'evening%'")
    desk.accept(letter("Printer", "It is broken."))
    desk.settle()
    report(desk).step(NOON + timedelta(hours=1))
    assert told(desk) == []
    report(desk).step(NOON + FIVE)
    assert "anna@corp.example" in told(desk)[0][2]


def test_a_report_has_so_many_lines_that_it_can_be_read(desk):
    found = evening_of(desk, *(letter(f"Trouble {number}", "x" * number) for number in range(203)))
    text = found[0][2]
    assert "What would have been sent (203):" not in text
    assert text.count("anna@corp.example: a receipt") == 200
    assert "and 3 more: deskbell ledger list" in text


def test_an_alarm_is_told_with_the_mailbox_it_is_about_else_with_the_first(desk):
    for key in ("brake", f"circuit {HR}", "circuit deskbell"):
        desk.transactions.run(lambda connection, key=key: alarm(connection, key, f"about {key}", now=NOON))
    report(desk, ADMINS[:1]).step(NOON + FIVE)
    (_, _, first), (_, subject, second) = told(desk)
    assert [line for line in first.splitlines() if "about" in line] == [
        "- 02.03. 12:00 about brake",
        "- 02.03. 12:00 about circuit deskbell",
    ]
    assert f"- 02.03. 12:00 about circuit {HR}" in second
    assert subject.startswith(HR)


def test_an_alarm_that_goes_on_is_told_each_half_hour(desk):
    times = [timedelta(minutes=minutes) for minutes in (0, 1, 29, 30, 31, 61)]
    told = [desk.transactions.run(lambda c, at=at: alarm(c, "brake", "x", now=NOON + at)) for at in times]
    assert told == [True, False, False, True, False, True]


def test_of_a_mail_to_two_departments_both_are_told_and_no_writer_where_one_is_confidential(desk):
    give(desk, Mode.OBSERVE, HR)
    raw = (
        f"From: Anna <anna@corp.example>\r\nTo: {HELP}, {HR}\r\nSubject: laptop, and payslip\r\n"
        "Message-ID: <both@corp.example>\r\n\r\nHello.\r\n"
    )
    hidden = {"payroll": replace(desk.house.departments["payroll"], confidential=True)}
    desk.house = replace(desk.house, departments={**desk.house.departments, **hidden})
    [(_, _, text), _] = evening_of(desk, door(raw.encode()))
    assert "the request is with it and payroll" in text
    assert "somebody: " in text
    assert "anna" not in text
