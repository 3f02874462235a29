"""The limiter as a simulation: people and machines write, and what they are told stays within its budgets."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.freemail import is_freemail
from desk.limiter import DAY, ECHO, HOUR, RULES, Asked, Limits, Told, Verdict, limited_as, rule_on, said
from desk.mail import Attachment, Mail

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIMITS = Limits()
OWN = Asked(own=True, everyone=False, words="a", received_at=START, now=START)
OUTSIDE = replace(OWN, own=False)


@dataclass
class Desk:
    """Tells one address what the limiter allows; a receipt that waits takes in what comes while it waits."""

    own: bool = True
    everyone: bool = False
    limits: Limits = LIMITS
    told: list = field(default_factory=list)
    verdicts: list = field(default_factory=list)

    def takes(self, words, now):
        """A mail comes; the moment at which its receipt goes out, None for silence."""
        known = sorted((one for one in self.told if one.at > now - DAY), key=lambda one: one.at)
        asked = Asked(self.own, self.everyone, words, now, now, tuple(known))
        ruling = rule_on(asked, self.limits)
        self.verdicts.append(ruling.verdict)
        if ruling.verdict is Verdict.SILENT:
            return None
        waits = ruling.verdict is Verdict.WAIT
        waiting = next((one for one in known if one.at > now), None) if waits else None
        if waiting is not None:
            return waiting.at
        at = ruling.until if waits else now
        self.told.append(Told(at, words, waited=waits, echo=asked.echo))
        return at


def most_within(moments, window):
    """The largest number of moments in any window of that length."""
    return max((sum(start <= one < start + window for one in moments) for start in moments), default=0)


MAILS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.timedeltas(timedelta(0), timedelta(hours=3))), min_size=1, max_size=120
)
BUDGETS = st.builds(
    Limits,
    own_per_hour=st.integers(1, 6),
    own_per_day=st.integers(1, 12),
    same_words_per_day=st.integers(1, 4),
    external_per_day=st.integers(0, 3),
)


@settings(max_examples=200)
@given(MAILS, BUDGETS)
def test_no_sequence_of_mails_makes_more_receipts_than_the_budgets_of_a_colleague(mails, limits):
    desk, now = Desk(limits=limits), START
    for words, pause in mails:
        now += pause
        desk.takes(words, now)
    moments = [one.at for one in desk.told]
    assert most_within(moments, HOUR) <= limits.own_per_hour
    assert most_within(moments, DAY) <= limits.own_per_day


@given(MAILS, BUDGETS)
def test_no_sequence_of_mails_makes_more_receipts_than_the_budget_of_an_outsider(mails, limits):
    desk, now = Desk(own=False, limits=limits), START
    for words, pause in mails:
        now += pause
        desk.takes(words, now)
    assert Verdict.WAIT not in desk.verdicts
    assert most_within([one.at for one in desk.told], DAY) <= limits.external_per_day


@given(st.lists(st.timedeltas(SECOND, timedelta(hours=3)), min_size=1, max_size=150))
def test_a_colleague_who_says_something_else_each_time_is_told_of_each_mail(pauses):
    """Delayed and joined, never dropped; a person does not write within a quarter of an hour of each late receipt."""
    desk, now = Desk(), START
    for number, pause in enumerate(pauses):
        now += pause
        while any(one.waited and one.at <= now <= one.at + ECHO for one in desk.told):
            now += ECHO
        at = desk.takes(str(number), now)
        assert at is not None
        assert now <= at <= now + DAY


@pytest.mark.parametrize("pause", [SECOND, 5 * SECOND, MINUTE, 5 * MINUTE])
@pytest.mark.parametrize(("words", "most"), [("same", 5), ("other", 13)])
@pytest.mark.parametrize(("own", "everyone"), [(True, False), (False, True), (False, False)])
def test_a_machine_that_answers_each_receipt_falls_silent(pause, words, most, own, everyone):
    """It quotes nothing and marks nothing; its words are the same each time, or never."""
    desk, now = Desk(own=own, everyone=everyone), START
    for number in range(100):
        at = desk.takes("same" if words == "same" else str(number), now)
        if at is None:
            break
        now = at + pause
    assert desk.verdicts[-1] is Verdict.SILENT
    assert len(desk.told) <= most


def test_a_machine_that_answers_slowly_with_the_same_words_falls_silent_too():
    desk, now = Desk(), START
    while (at := desk.takes("same", now)) is not None:
        now = at + 20 * MINUTE
    assert len(desk.told) == 6


def test_after_silence_a_person_at_that_address_is_answered():
    """Half an hour later, with other words."""
    desk, now = Desk(), START
    while (at := desk.takes("same", now)) is not None:
        now = at + SECOND
    assert desk.takes("a person", now + 30 * MINUTE) == now + 30 * MINUTE


def told(*before, words="x", **known):
    """Receipts so many minutes before START."""
    return tuple(Told(START - minutes * MINUTE, words, **known) for minutes in sorted(before, reverse=True))


REACHED = [
    (replace(OUTSIDE, told=told(1, 2)), "external-limit-reached", Verdict.SILENT, None),
    (replace(OUTSIDE, domain_told=20), "domain-limit-reached", Verdict.SILENT, None),
    (
        replace(OWN, told=(*told(12, waited=True, echo=True), *told(5, waited=True))),
        "answers-receipts",
        Verdict.SILENT,
        None,
    ),
    (replace(OWN, told=told(20, 30, 40, 50, 60, 70, words="a")), "repeats-itself", Verdict.SILENT, None),
    (replace(OWN, told=told(20, 30, 40, words="a")), "same-words", Verdict.WAIT, START + HOUR),
    (replace(OWN, crowd="100 receipts"), "circuit-open", Verdict.WAIT, START + 10 * MINUTE),
    (replace(OWN, told=told(*range(1, 11))), "many-this-hour", Verdict.WAIT, START + 50 * MINUTE),
    (replace(OWN, told=told(*range(70, 100))), "many-today", Verdict.WAIT, START + DAY - 99 * MINUTE),
]


@pytest.mark.parametrize(("asked", "rule", "verdict", "until"), REACHED, ids=[row[1] for row in REACHED])
def test_each_rule_is_reached_and_says_why(asked, rule, verdict, until):
    ruling = rule_on(asked, LIMITS)
    assert (ruling.rule, ruling.verdict, ruling.until) == (rule, verdict, until)
    assert ruling.reason


def test_the_rules_stand_in_this_order_and_each_has_its_row_above():
    assert [rule.name for rule in RULES] == [row[1] for row in REACHED]


@pytest.mark.parametrize(
    "asked",
    [
        OWN,
        replace(OUTSIDE, told=told(1)),
        replace(OUTSIDE, told=told(1441, 1442)),
        replace(OUTSIDE, everyone=True, told=told(1, 2)),
        replace(OWN, told=told(*range(1, 10))),
        replace(OWN, told=told(60, *range(1, 10))),
        replace(OWN, domain_told=1_000_000),
        replace(OWN, told=told(20, 30, words="a")),
        replace(OWN, told=told(5, waited=True)),
    ],
)
def test_below_its_limits_an_address_is_told_at_once(asked):
    """Own domains have no budget of their own, and one answer to a late receipt may be chance."""
    assert rule_on(asked, LIMITS).verdict is Verdict.NOW


@pytest.mark.parametrize("rule", [row for row in REACHED if row[2] is Verdict.WAIT], ids=lambda row: row[1])
def test_where_a_colleague_waits_an_outsider_hears_nothing(rule):
    asked = replace(rule[0], own=False, everyone=True)
    assert rule_on(asked, LIMITS).verdict is Verdict.SILENT


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("Anna@Corp.Example", "anna@corp.example"),
        ("anna+lists@corp.example", "anna@corp.example"),
        ("+odd@corp.example", "+odd@corp.example"),
        ("a+b+c@corp.example", "a@corp.example"),
        ("İ@corp.example", "İ@corp.example"),
    ],
)
def test_a_budget_belongs_to_the_address_without_its_tag(address, counted_as):
    assert limited_as(address) == counted_as


LONG = "Your message was received and a colleague will look at it soon."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Mail(subject="Ticket 17", text=LONG), Mail(subject="Ticket 18 received: Ticket 17", text=LONG), True),
        (Mail(text=f"{LONG} No. 17"), Mail(text=f"{LONG}  no 4711!"), True),
        (Mail(subject="Re: Re: [T#1] Hello", text="x"), Mail(subject="Hello", text="x"), True),
        (Mail(subject="Toner", text="see above"), Mail(subject="Chair", text="see above"), False),
        (Mail(text=LONG), Mail(text=LONG + " Or later."), False),
        (Mail(text=LONG, reply="Yes"), Mail(text=LONG, reply="No"), False),
        (
            Mail(subject="Scan", attachments=(Attachment("a", "a/b", 1, "00", inline=False),)),
            Mail(subject="Scan", attachments=(Attachment("a", "a/b", 1, "01", inline=False),)),
            False,
        ),
        (Mail(subject="プリンター", text="紙詰まり"), Mail(subject="プリンター", text="トナー"), False),
    ],
)
def test_words_are_the_same_whatever_numbers_and_tags_stand_between_them(one, other, same):
    assert (said(one) == said(other)) is same


@pytest.mark.parametrize(
    ("domain", "free"), [("gmail.com", True), ("yahoo.it", True), ("shop.example", False), ("notgmail.com", False)]
)
def test_freemail_is_no_group_of_people(domain, free):
    assert is_freemail(domain) is free
