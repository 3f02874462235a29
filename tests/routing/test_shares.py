"""A mail to several mailboxes: one department for each of them, and none twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.classify import Routable, classify
from routing.matcher import Matcher
from routing.rules import Rule, RuleSet
from routing.shares import further_share, shares

RULES = (
    Rule("laptops", "it", any=("laptop",)),
    Rule("leave", "hr", any=("leave",)),
    Rule("pay", "payroll", any=("payslip", "wage")),
    Rule("rooms", "facilities", any=("heating",)),
)
MATCHER = Matcher(RuleSet(RULES, "it"))
WORDS = ("laptop", "leave", "payslip", "wage", "heating", "hello")


def at(home, text):
    return Routable(subject=text, text="", mailbox=f"{home}@corp.example", mailbox_department=home)


def found(text, *homes):
    """The department at each mailbox."""
    verdicts = shares(MATCHER, [at(home, text) for home in homes])
    return [one.department if one is not None else None for one in verdicts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("hello", ["it", "hr"], id="each keeps its own where no rule says anything"),
        pytest.param("laptop", ["it", "hr"], id="what is the other mailbox's own goes there"),
        pytest.param("laptop payslip", ["it", "payroll"], id="one matter for each"),
        pytest.param("laptop payslip wage", ["it", "payroll"], id="though a third one outweighs the first"),
        pytest.param("leave payslip wage", ["payroll", "hr"], id="it stays with whom the rules say least of"),
        pytest.param("payslip", ["payroll", None], id="one matter of a third department"),
        pytest.param("payslip wage heating", ["payroll", "facilities"], id="and what is next to that"),
    ],
)
def test_two_mailboxes_share_a_mail(text, expected):
    assert found(text, "it", "hr") == expected


@given(st.lists(st.sampled_from(WORDS), max_size=6), st.permutations(["it", "hr", "payroll"]), st.integers(1, 3))
def test_no_department_has_a_mail_twice_and_somebody_always_has_it(words, homes, count):
    departments = [one for one in found(" ".join(words), *homes[:count]) if one is not None]
    assert departments
    assert len(set(departments)) == len(departments)


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_one_mailbox_has_what_it_would_have_alone(words):
    mail = at("hr", " ".join(words))
    assert shares(MATCHER, [mail]) == [classify(MATCHER, mail)]


@pytest.mark.parametrize(
    ("text", "taken", "expected"),
    [
        ("laptop payslip", ["it"], "payroll"),
        ("payslip", ["payroll"], None),
        ("hello", ["it"], "hr"),
        ("x", ["hr"], None),
    ],
)
def test_one_more_mailbox_has_what_is_left(text, taken, expected):
    share = further_share(MATCHER, at("hr", text), homes=["it"], taken=taken)
    assert (share.department if share is not None else None) == expected
