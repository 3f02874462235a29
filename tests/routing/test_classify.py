"""Scores, vetoes, priors and priorities in exact values; order and additions as properties."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.classification import Classification, Priority, RuleHit
from routing.classify import Routable, classify
from routing.matcher import Matcher
from routing.rules import Condition, Rule, RuleSet, Where

DEPARTMENTS = ("it", "hr", "payroll")


def rule(name: str, department: str, *any_of: str, **more: object) -> Rule:
    return Rule(**({"name": name, "department": department, "any": any_of} | more))


def verdict(rules: list[Rule], mail: Routable) -> Classification:
    return classify(Matcher(RuleSet(tuple(rules), "it")), mail)


def mail(subject: str = "", text: str = "", **more: object) -> Routable:
    return Routable(subject=subject, text=text, **more)


@pytest.mark.parametrize(
    ("subject", "text", "score"),
    [
        ("", "toner", 1.0),
        ("Toner", "", 2.0),
        ("Toner", "toner toner", 2.0),
        ("Toner", "drum", 3.0),
        ("", "toner drum fuser tray jam ink", 5.0),
        ("toner", "drum fuser tray jam ink", 6.0),
        ("toner drum fuser tray jam ink", "", 10.0),
    ],
)
def test_each_keyword_counts_once_two_in_the_subject_and_five_at_most(subject, text, score):
    rules = [rule("printer", "it", "toner", "drum", "fuser", "tray", "jam", "ink")]
    assert verdict(rules, mail(subject, text)).score == score


def test_weight_multiplies_and_rules_of_a_department_add_up():
    rules = [rule("a", "hr", "leave", weight=1.5), rule("b", "hr", "sick", weight=0.1), rule("c", "it", "vpn")]
    result = verdict(rules, mail("Leave", "sick, no vpn"))
    assert (result.department, result.score) == ("hr", 3.1)
    assert (result.runner_up, result.margin) == ("it", 2.1)


def test_the_trace_names_rule_score_and_each_keyword_as_the_admin_wrote_it():
    rules = [rule("it-printer", "it", "Drukark*", "toner", "scanner"), rule("hr-leave", "hr", "urlop*")]
    result = verdict(rules, mail("DRUKARKA", "Brak toner"))
    assert result.rules == (RuleHit("it-printer", 3.0, ("subject: Drukark*", "body: toner")),)


@pytest.mark.parametrize(
    ("text", "hits"),
    [("vpn home slow", True), ("vpn home", True), ("vpn", False), ("home slow", False), ("vpn home movie", False)],
)
def test_all_must_be_found_and_none_vetoes(text, hits):
    rules = [rule("r", "hr", "slow", "vpn", all=("vpn", "home"), none=("movie",))]
    assert (verdict(rules, mail("", text)).department == "hr") is hits


def test_any_and_all_may_be_met_by_the_same_keyword_which_scores_once():
    assert verdict([rule("r", "hr", "Leave", all=("leave",))], mail("", "leave")).score == 1.0


@pytest.mark.parametrize(
    ("where", "subject", "text", "score"),
    [
        ((Where.SUBJECT,), "leave", "", 2.0),
        ((Where.SUBJECT,), "", "leave", 0.0),
        ((Where.BODY,), "leave", "", 0.0),
        ((Where.BODY,), "leave", "leave", 1.0),
        ((Where.SUBJECT,), "leave", "veto", 2.0),
        ((Where.SUBJECT,), "leave veto", "", 0.0),
    ],
)
def test_a_rule_looks_only_where_it_says(where, subject, text, score):
    rules = [rule("r", "hr", "leave", none=("veto",), where=where)]
    assert verdict(rules, mail(subject, text)).score == score


@pytest.mark.parametrize(
    ("where", "header", "pattern", "hits"),
    [
        (Where.SENDER, "", "anna@corp.example", True),
        (Where.SENDER, "", "Anna@CORP.example", True),
        (Where.SENDER, "", "nna@corp.example", False),
        (Where.SENDER, "", "*@corp.example", True),
        (Where.SENDER, "", "*@example", False),
        (Where.SENDER, "", "corp", True),
        (Where.SENDER, "", "ann", True),
        (Where.SENDER, "", "bob", False),
        (Where.MAILBOX, "", "help@corp.example", True),
        (Where.MAILBOX, "", "anna@corp.example", False),
        (Where.HEADER, "x-origin", "Scanner Zwei", True),
        (Where.HEADER, "x-origin", "printer", False),
        (Where.HEADER, "x-other", "scanner", False),
    ],
)
def test_a_condition_looks_at_sender_mailbox_or_one_header(where, header, pattern, hits):
    seen = mail(
        sender="Anna@Corp.Example",
        mailbox="help@corp.example",
        headers=(("x-origin", "no"), ("x-origin", "SCANNER  zwei 2")),
    )
    condition = Condition(where, header, any=("nothing@nowhere.example", pattern))
    assert (verdict([rule("r", "hr", conditions=(condition,))], seen).department == "hr") is hits


def test_each_pattern_that_holds_counts_like_a_word_in_the_subject():
    conditions = (Condition(Where.SENDER, any=("anna",), all=("corp",)), Condition(Where.MAILBOX, none=("hr@",)))
    result = verdict(
        [rule("r", "hr", "leave", conditions=conditions)],
        mail("", "leave", sender="anna@corp.example", mailbox="help@corp.example"),
    )
    assert result.rules == (RuleHit("r", 5.0, ("body: leave", "sender: anna", "sender: corp")),)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(Where.SENDER, any=("bob",)),
        Condition(Where.SENDER, all=("anna", "bob")),
        Condition(Where.SENDER, none=("anna",)),
        Condition(Where.HEADER, "x-origin", any=("scanner",)),
    ],
)
def test_one_condition_not_met_silences_the_rule(condition):
    result = verdict([rule("r", "hr", "leave", conditions=(condition,))], mail("leave", sender="anna@corp.example"))
    assert (result.department, result.rules) == ("it", ())


def test_the_mailbox_gives_its_department_a_prior_of_one():
    result = verdict([rule("r", "hr", "leave")], mail("Leave", "", mailbox_department="payroll"))
    assert (result.department, result.score) == ("hr", 2.0)
    assert (result.runner_up, result.margin) == ("payroll", 1.0)


def test_of_equals_the_mailbox_wins_and_then_the_rule_that_stands_first():
    rules = [rule("h", "hr", "leave"), rule("p", "payroll", "bonus"), rule("i", "it", "vpn")]
    assert verdict(rules, mail("", "vpn bonus leave")).department == "hr"
    assert verdict([*reversed(rules)], mail("", "vpn bonus leave")).department == "it"
    assert verdict(rules, mail("", "leave", mailbox_department="payroll")).department == "payroll"


def test_without_a_hit_the_mailbox_has_the_mail_and_else_the_default_department():
    rules = [rule("r", "hr", "leave")]
    assert verdict(rules, mail("hello")) == Classification(department="it")
    at_payroll = verdict(rules, mail("hello", mailbox_department="payroll"))
    assert at_payroll == Classification(department="payroll", score=1.0, margin=1.0)


def test_the_highest_priority_of_the_winners_rules_counts_and_no_other():
    rules = [
        rule("low", "hr", "leave", priority=Priority.LOW),
        rule("high", "hr", "tomorrow", priority=Priority.HIGH),
        rule("urgent", "it", "vpn", priority=Priority.URGENT),
        rule("plain", "payroll", "bonus"),
    ]
    assert verdict(rules, mail("leave", "tomorrow vpn")).priority is Priority.HIGH
    assert verdict(rules, mail("leave", "vpn")).priority is Priority.LOW
    assert verdict(rules, mail("bonus", "vpn")).priority is Priority.NORMAL


def test_a_rule_of_every_department_sets_the_priority_and_gives_no_score():
    rules = [rule("now", "*", "urgent", priority=Priority.URGENT, weight=50), rule("r", "hr", "leave")]
    result = verdict(rules, mail("urgent", "leave"))
    assert (result.department, result.score, result.priority) == ("hr", 1.0, Priority.URGENT)
    assert result.rules[0] == RuleHit("now", 0.0, ("subject: urgent",))
    assert verdict(rules, mail("urgent")).department == "it"


def test_a_rule_without_weight_gives_its_department_nothing():
    rules = [rule("r", "hr", "leave", weight=0, priority=Priority.HIGH)]
    result = verdict(rules, mail("leave"))
    assert (result.department, result.priority, result.runner_up) == ("it", Priority.NORMAL, None)


def test_the_category_is_that_of_the_winners_best_rule_which_has_one():
    rules = [
        rule("a", "hr", "leave", "days", "august"),
        rule("b", "hr", "sick", category="sick note"),
        rule("c", "hr", "contract", category="contract", weight=3),
        rule("d", "it", "vpn", category="network", weight=5),
    ]
    assert verdict(rules, mail("", "leave days august sick contract")).category == "contract"
    assert verdict(rules, mail("", "leave days august sick")).category == "sick note"
    assert verdict(rules, mail("", "leave")).category is None
    assert verdict(rules, mail("", "contract vpn")).category == "network"


def test_a_subject_does_not_flow_into_the_text():
    assert verdict([rule("r", "hr", "sick note")], mail("sick", "note")).rules == ()


def test_lone_surrogates_and_zeros_are_no_obstacle():
    assert verdict([rule("r", "hr", "leave")], mail("le\ud800ave\x00", "\x00" * 10)).department == "hr"


WORDS = ("vpn", "leave", "bonus", "プリンタ", "طابعة", "hasło", "toner*")
RULES = st.builds(
    rule,
    st.uuids().map(str),
    st.sampled_from((*DEPARTMENTS, "*")),
    st.sampled_from(WORDS),
    all=st.lists(st.sampled_from(WORDS), max_size=1).map(tuple),
    none=st.lists(st.sampled_from(WORDS), max_size=1).map(tuple),
    weight=st.sampled_from((0.0, 0.1, 0.3, 0.7, 1.0, 2.5)),
    priority=st.none() | st.sampled_from(Priority),
    where=st.sampled_from(((Where.SUBJECT, Where.BODY), (Where.SUBJECT,), (Where.BODY,))),
)
TEXTS = st.lists(st.sampled_from(("vpn", "leave", "bonus", "プリンター", "طابعة", "Hasło", "toners", "x")), max_size=6)
MAILS = st.builds(
    lambda subject, text, home: mail(" ".join(subject), " ".join(text), mailbox_department=home),
    TEXTS,
    TEXTS,
    st.none() | st.sampled_from(DEPARTMENTS),
)


def score_of(department: str, rules: list[Rule], seen: Routable) -> float:
    """The score a department gets, asked of it alone, with a home that cannot win a tie for it."""
    result = verdict([one for one in rules if one.department == department], replace(seen, mailbox_department=None))
    return result.score


@given(st.lists(RULES, max_size=8), MAILS, st.randoms(use_true_random=False))
def test_without_a_tie_the_order_of_rules_does_not_matter(rules, seen, random):
    first = verdict(rules, seen)
    second = verdict(random.sample(rules, len(rules)), seen)
    assert (first.score, first.margin, {*first.rules}) == (second.score, second.margin, {*second.rules})
    if first.margin > 0:
        assert (first.department, first.priority) == (second.department, second.priority)


@given(st.lists(RULES, max_size=6), RULES, MAILS)
def test_one_more_rule_for_a_department_raises_no_other(rules, added, seen):
    before, after = verdict(rules, seen), verdict([*rules, added], seen)
    assert after.department in {before.department, added.department}
    for department in {*DEPARTMENTS} - {added.department}:
        assert score_of(department, [*rules, added], seen) == score_of(department, rules, seen)


@given(st.lists(RULES, max_size=6), MAILS)
def test_every_mail_has_a_department_and_the_margin_is_what_lies_between(rules, seen):
    result = verdict(rules, seen)
    assert result.department in DEPARTMENTS
    assert result.runner_up != result.department
    assert 0 <= result.margin <= result.score
    assert result == verdict(rules, seen)
