"""Rules are rehearsed on typed, filed and stored mails, and nothing is changed by it."""

from dataclasses import replace

import pytest

from routing.classify import Routable
from routing.matcher import Matcher
from routing.reading import read_routing
from routing.rules import starter_text
from service.explain import Found
from service.parser import InlineParser
from service.rehearsal import as_value, file_case, in_words, moved, outcomes, stored_case, written_case
from store import mails
from tests.service.cast import HELP, HR, MortalParser, imap, mail, office, works

HOUSE = office()
PRINTERS_TO_HR = starter_text().replace(
    'name = "it-printer"\ndepartment = "it"', 'name = "it-printer"\ndepartment = "hr"'
)
CANDIDATE = Matcher(read_routing(PRINTERS_TO_HR, source="", default_domain="corp.example").rules)


def judged(case, candidate=None):
    (found,) = outcomes([case], HOUSE.matcher, candidate)
    return found


def test_what_is_typed_counts_as_come_in_at_its_mailbox():
    assert judged(written_case(Routable("hello", ""), HOUSE)).now.score == 0
    at_hr = judged(written_case(Routable("hello", "", mailbox=HR.upper()), HOUSE)).now
    assert (at_hr.department, at_hr.score) == ("hr", 1.0)


def test_a_filed_mail_counts_as_come_in_at_the_mailbox_it_is_addressed_to():
    raw = b"From: anna@corp.example\r\nTo: hr@corp.example\r\nSubject: hello\r\n\r\nhello\r\n"
    case = file_case(Found("a.eml", raw), HOUSE, InlineParser())
    assert (case.name, judged(case).now.department) == ("a.eml", "hr")


def test_a_mail_that_kills_the_parser_is_still_judged():
    case = file_case(Found("a.eml", mail()), HOUSE, MortalParser(poison={b"Printer"}))
    assert judged(case).now.department == "it"


def test_the_last_mails_that_opened_requests_are_told_by_reference_oldest_first():
    with works() as desk:
        desk.accept(*(imap(number) for number in (1, 2, 3)), imap(9, mail(3)))
        desk.settle()
        with desk.database.read() as connection:
            assert len(mails.opened_lately(connection, 10)) == 3
            ids = mails.opened_lately(connection, 2)
        cases = [stored_case(desk.database, one, HOUSE, InlineParser()) for one in ids]
    assert [(case.name, case.mail.subject) for case in cases] == [("R-1002", "Printer 2"), ("R-1003", "Printer 3")]
    assert {(case.mail.mailbox, case.mail.mailbox_department) for case in cases} == {(HELP, "it")}


def test_the_words_of_a_mail_are_hidden_where_one_of_its_departments_is_confidential():
    house = replace(HOUSE, departments=HOUSE.departments | {"hr": replace(HOUSE.departments["hr"], confidential=True)})
    raw = mail(1).replace(b"Subject:", f"To: {HELP}, {HR}\r\nSubject:".encode())
    with works() as desk:
        desk.accept(imap(1, raw), imap(2, mail(2)))
        desk.settle()
        cases = [stored_case(desk.database, one, house, InlineParser()) for one in (1, 2)]
    assert [case.is_hidden for case in cases] == [True, False]


@pytest.mark.parametrize(("subject", "moves"), [("printer toner", True), ("hello", False)])
def test_a_candidate_says_which_mails_would_move(subject, moves):
    found = judged(written_case(Routable(subject, ""), HOUSE), CANDIDATE)
    assert (found.moves, found.regraded) == (moves, False)
    assert moved([found, found]) == ({("it", "hr"): 2} if moves else {})
    assert set(as_value(found)) == {"mail", "subject", "before", "after"}


def test_another_category_alone_is_no_move():
    other = starter_text().replace('category = "printer"', 'category = "paper"')
    matcher = Matcher(read_routing(other, source="", default_domain="corp.example").rules)
    found = judged(written_case(Routable("printer", ""), HOUSE), matcher)
    assert (found.moves, found.regraded) == (False, True)


def test_people_are_told_the_scores_the_runner_up_and_the_words_that_hit():
    assert list(in_words(judged(written_case(Routable("printer", "salary", mailbox=HELP), HOUSE)))) == [
        "(typed)  printer",
        "  department it with 3.4, then payroll with 1.2 (margin 2.2)",
        "  category printer, priority normal",
        "  rule it-printer gives 2.4: subject: printer*",
        "  rule payroll-salary gives 1.2: body: salary",
    ]
    assert list(in_words(judged(written_case(Routable("hello", ""), HOUSE))))[-1] == "  no rule hits"
