"""Requests are found by their words, newest first, and confidential ones never."""

from dataclasses import replace

import pytest

from desk.mail import Address
from desk.outbox import NoticeKind, OutboxState
from desk.request import Entry, EntryKind
from service.confidential import NEUTRAL, confidential_departments, hiding, neutral, unaddressed, wordless
from service.search import PAGE, Question, search
from service.settings import load
from store import ledger, requests
from store.holding import Owed
from tests.service.cast import NOON, imap, works
from tests.store.cast import new_request

HR_PART = replace(new_request().parts[0], mailbox="hr@corp.example", department="hr")


@pytest.fixture
def office():
    with works() as office:
        office.accept(imap(1))
        yield office


def opened(office, *, text="", **known):
    with office.database.write() as connection:
        one = new_request(requests.next_number(connection), **known)
        requests.open_request(connection, one, category=None)
        requests.append(connection, one.number, Entry(EntryKind.MAIL, NOON, "x", text, None, 1))
        return one.number


def found(office, *words, department=None, hidden=(), limit=50, told=lambda _done, _every: None):
    with office.database.read() as connection:
        answer = search(connection, Question(words, department, hidden, limit), told)
    return [one.number for one, _ in answer.matches], answer.more


@pytest.mark.parametrize(
    "words",
    [
        ("drukarka",),
        ("DRUKÁRKA",),
        ("ukark",),
        ("zażółć",),
        ("zazolc",),
        ("anna@CORP.example",),
        ("Nowak", "drukarka", "gesla"),
        ("r-1001",),
        ("100%",),
        ("ＰＡＰＥＲ",),
    ],
)
def test_each_word_is_looked_for_everywhere_whatever_its_case_and_accents(office, words):
    opened(office, text="Zażółć gęślą jaźń.\nPaper 100% out")
    assert found(office, *words) == ([1001], False)


@pytest.mark.parametrize("words", [("toner",), ("drukarka", "toner"), ("1_0%",), ("d%a",)])
def test_a_word_that_does_not_occur_finds_nothing(office, words):
    opened(office, text="100% out")
    assert found(office, *words) == ([], False)


def test_the_newest_come_first_and_more_is_said_only_where_more_match(office):
    for _ in range(3):
        opened(office)
    assert found(office, "drukarka") == ([1003, 1002, 1001], False)
    assert found(office, "drukarka", limit=3) == ([1003, 1002, 1001], False)
    assert found(office, "drukarka", limit=2) == ([1003, 1002], True)


def test_every_page_is_read(office):
    opened(office, subject="The first of all")
    for _ in range(PAGE * 2):
        opened(office)
    told = []
    assert found(office, "first of all", told=lambda *how_far: told.append(how_far)) == ([1001], False)
    assert len(told) == 3


def test_hidden_departments_are_never_searched_and_one_can_be_chosen(office):
    opened(office, department="it")
    opened(office, department="hr")
    opened(office, department="facilities")
    assert found(office, "drukarka", hidden={"hr"}) == ([1003, 1001], False)
    assert found(office, "drukarka", department="it", hidden={"hr"}) == ([1001], False)


ROUTING = """
default = "it"
[calendars.office]
zone = "UTC"
hours = {{ mon-fri = ["09:00-17:00"] }}
[departments.it]
names = {{ en = "IT" }}
calendar = "office"
targets = {{ normal = {{ first_response = "4h", resolution = "16h" }} }}
[departments.hr]
names = {{ en = "HR" }}
calendar = "office"
targets = {{ normal = {{ first_response = "4h", resolution = "16h" }} }}
{more}
"""


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[[mailbox]]\naddress = "help@corp.example"\n[maildir]\npath = "out"\n', encoding="utf-8")
    path.chmod(0o600)
    (tmp_path / "routing.toml").write_text(ROUTING.format(more="confidential = true"), encoding="utf-8")
    return load(path)


def test_a_department_is_confidential_where_routing_says_so(settings):
    assert confidential_departments(settings) == {"hr"}
    settings.path.with_name("routing.toml").unlink()
    assert confidential_departments(settings) == frozenset()


@pytest.mark.parametrize(("asked_for", "hidden"), [(None, True), ("it", True), ("hr", False)])
def test_confidential_requests_are_shown_to_who_asks_for_their_department(settings, asked_for, hidden):
    hides = hiding(settings, asked_for=asked_for)
    assert hides(new_request(department="hr")) is hidden
    assert not hides(new_request(department="it"))
    assert hides(new_request(department="it", further=(HR_PART,))) is hidden


def test_a_request_with_a_confidential_part_is_not_searched_and_others_are_found_by_any_part(office):
    number = opened(office, further=(HR_PART,))
    for department in ("it", "hr", None):
        assert found(office, "drukarka", department=department) == ([number], False)
        assert found(office, "drukarka", department=department, hidden={"hr"}) == ([], False)
    assert found(office, "drukarka", department="payroll") == ([], False)


def test_a_neutral_request_says_nothing_of_who_and_what():
    shown = neutral(new_request(subject="My divorce", requester=Address("Eve", "eve@corp.example")))
    assert (shown.subject, shown.requester, shown.reference) == (NEUTRAL, None, "R-1001")
    assert "divorce" not in str(shown)
    assert "eve" not in str(shown)


def line(office):
    with office.database.read() as connection:
        return ledger.find(connection, 1)


def test_the_words_that_rules_hit_are_left_out_of_a_hidden_departments_trace(office):
    office.settle()
    seen = line(office)
    assert "printer" in str(seen.trace["classification"]["rules"]).lower()
    (rule,) = wordless(seen, {"it"}, departments=["it"]).trace["classification"]["rules"]
    assert (rule["rule"], rule["hits"]) == ("it-printer", [])
    assert wordless(seen, {"hr"}, departments=["it"]) == seen


def test_the_words_are_left_out_where_one_of_several_departments_is_hidden(office):
    office.settle()
    seen = line(office)
    verdict = seen.trace["classification"]
    shared = replace(seen, trace=seen.trace | {"parts": [verdict | {"department": "hr"}]})
    for hidden in ({"hr"}, {"it"}):
        trace = wordless(shared, hidden, departments=["it"]).trace
        assert "printer*" not in str((trace["classification"], trace["parts"]))
    assert wordless(shared, {"payroll"}, departments=["it"]) == shared


def test_an_answer_on_a_hidden_departments_request_has_no_words_whatever_its_own_point_to(office):
    office.settle()
    (rule,) = wordless(line(office), {"hr"}, departments=["hr"]).trace["classification"]["rules"]
    assert rule["hits"] == []


def test_what_a_header_says_of_itself_is_left_out_of_a_hidden_departments_trace(office):
    """A machine's From stands in the evidence and in the reason; the rule tells enough."""
    office.accept(
        imap(2, b"From: noreply-clinic@corp.example\r\nAuto-Submitted: auto-replied\r\nSubject: x\r\n\r\nx\r\n")
    )
    office.settle()
    with office.database.read() as connection:
        seen = ledger.find(connection, 2)
    assert "auto-replied" in str(seen.trace)
    shown = wordless(seen, {seen.trace["classification"]["department"]}, departments=()).trace
    assert "auto-replied" not in str(shown)
    assert (shown["automatic"]["kind"], shown["acknowledge"]["reason"]) == ("auto-reply", "automatic-mail")


def test_an_arrival_without_a_trace_has_no_words_to_leave_out(office):
    assert wordless(line(office), {"it"}, departments=["it"]) == line(office)


@pytest.mark.parametrize("reply", [None, "550 5.1.1 <eve@corp.example>: eve is unknown"])
def test_a_hidden_mail_of_ours_says_nothing_of_whom_it_is_for(reply):
    mail = Owed(
        7, NoticeKind.RECEIPT, "eve@corp.example", "<r1@corp.example>", OutboxState.DUE, None, 1, NOON, reply, (), "hr"
    )
    shown = unaddressed(mail)
    assert (shown.id, shown.recipient, shown.message_id) == (7, NEUTRAL, "<r1@corp.example>")
    assert shown.last_reply == (reply and "550 5.1.1 <(address)>: (address) is unknown")
