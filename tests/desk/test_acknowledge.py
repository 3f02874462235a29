"""Who is answered: each rule reached, the order of the rules, and what the reason says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.acknowledge import RULES, AckDecision, Candidate, External, Mode, acknowledge
from desk.mail import Address, Attachment, Automatic, AutomaticKind, Mail

ANNA = Address("Anna", "anna@corp.example")
MAIL = Mail(sender=ANNA, subject="Printer", text="It is broken.", content_key="k")
OWN = Candidate(
    mail=MAIL,
    own_sender=True,
    own_mailbox=False,
    reachable=True,
    negative=None,
    mode=Mode.FULL,
    external=External.LIMITED,
)
OUTSIDE = replace(OWN, own_sender=False)
BOUNCE = replace(MAIL, automatic=Automatic(AutomaticKind.BOUNCE, ("a report", "null reverse-path")))
EMPTY = replace(MAIL, subject=" ", text="\n\t")
SCAN = Attachment("scan.pdf", "application/pdf", 3, "00", inline=False)

REACHED = [
    (replace(OWN, mail=BOUNCE), "automatic-mail", AckDecision.NEVER, "bounce: a report; null reverse-path"),
    (
        replace(OWN, mail=replace(MAIL, sender=None)),
        "no-usable-sender",
        AckDecision.NEVER,
        "the From field names no single usable address",
    ),
    (
        replace(OWN, reachable=False),
        "unreachable-sender",
        AckDecision.NEVER,
        "no mail can be addressed to the From address",
    ),
    (
        replace(OWN, negative="dmarc=fail"),
        "negative-evidence",
        AckDecision.NEVER,
        "the sender is contradicted: dmarc=fail",
    ),
    (
        replace(OWN, own_mailbox=True),
        "own-mailbox",
        AckDecision.NEVER,
        "it comes from a mailbox that deskbell watches: a receipt would come back here",
    ),
    (replace(OWN, mail=EMPTY), "empty-mail", AckDecision.NEVER, "no subject, no text and no attachment"),
    (replace(OWN, mode=Mode.OBSERVE), "mailbox-observes", AckDecision.NEVER, 'the mailbox is in mode "observe"'),
    (replace(OWN, too_old=True), "too-old", AckDecision.NEVER, "it came more than five days ago"),
    (OWN, "own-person", AckDecision.SEND, "a person of our own domains"),
    (
        replace(OUTSIDE, external=External.NONE),
        "external-not-answered",
        AckDecision.NEVER,
        'an outside sender, and the mailbox has external = "none"',
    ),
    (
        replace(OUTSIDE, external=External.ALL),
        "external-answered",
        AckDecision.SEND,
        'an outside person, and the mailbox has external = "all"',
    ),
    (OUTSIDE, "external-limited", AckDecision.LIMITED, "an outside person"),
]


@pytest.mark.parametrize(("candidate", "rule", "decision", "reason"), REACHED, ids=[row[1] for row in REACHED])
def test_each_rule_is_reached_and_says_why(candidate, rule, decision, reason):
    found = acknowledge(candidate)
    assert (found.rule, found.decision, found.reason) == (rule, decision, reason)


def test_the_rules_stand_in_this_order_and_each_has_its_row_above():
    assert [rule.name for rule in RULES] == [row[1] for row in REACHED]


SILENCERS = {
    "automatic-mail": lambda c: replace(c, mail=replace(c.mail, automatic=BOUNCE.automatic)),
    "no-usable-sender": lambda c: replace(c, mail=replace(c.mail, sender=None)),
    "unreachable-sender": lambda c: replace(c, reachable=False),
    "negative-evidence": lambda c: replace(c, negative="spf=fail at our own boundary"),
    "own-mailbox": lambda c: replace(c, own_mailbox=True),
    "empty-mail": lambda c: replace(c, mail=replace(c.mail, subject="", text="", attachments=())),
    "mailbox-observes": lambda c: replace(c, mode=Mode.OBSERVE),
    "too-old": lambda c: replace(c, too_old=True),
}
"""What silences whoever writes, in the order of the rules."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (first, second)
        for first in SILENCERS
        for second in SILENCERS
        if list(SILENCERS).index(first) < list(SILENCERS).index(second)
    ],
)
def test_where_two_silence_the_earlier_rule_is_named(first, second):
    assert acknowledge(SILENCERS[first](SILENCERS[second](OWN))).rule == first


@pytest.mark.parametrize("silencer", SILENCERS)
@pytest.mark.parametrize("external", External)
@pytest.mark.parametrize("own_sender", [True, False])
def test_what_silences_holds_for_colleagues_and_strangers_alike(silencer, external, own_sender):
    candidate = SILENCERS[silencer](replace(OWN, own_sender=own_sender, external=external))
    assert acknowledge(candidate).rule == silencer


@pytest.mark.parametrize("kind", [kind for kind in AutomaticKind if kind is not AutomaticKind.PERSON])
def test_no_kind_of_automatic_mail_is_answered(kind):
    assert acknowledge(replace(OWN, mail=replace(MAIL, automatic=Automatic(kind)))).decision is AckDecision.NEVER


@pytest.mark.parametrize(
    ("mail", "rule"),
    [
        (replace(EMPTY, subject="Printer"), "own-person"),
        (replace(EMPTY, text="x"), "own-person"),
        (replace(EMPTY, attachments=(SCAN,)), "own-person"),
        (replace(EMPTY, subject="\u3000\u00a0", text=" \n "), "empty-mail"),
    ],
)
def test_a_mail_is_empty_only_without_subject_text_and_attachment(mail, rule):
    assert acknowledge(replace(OWN, mail=mail)).rule == rule


@pytest.mark.parametrize("external", External)
def test_a_colleague_is_answered_whatever_holds_for_strangers(external):
    assert acknowledge(replace(OWN, external=external)).decision is AckDecision.SEND


def test_in_mode_receipts_a_colleague_is_answered():
    assert acknowledge(replace(OWN, mode=Mode.RECEIPTS)).decision is AckDecision.SEND


CANDIDATES = st.builds(
    Candidate,
    mail=st.builds(
        Mail,
        sender=st.sampled_from([None, ANNA]),
        subject=st.sampled_from(["", "Printer"]),
        text=st.sampled_from(["", "It is broken."]),
        automatic=st.builds(Automatic, kind=st.sampled_from(AutomaticKind)),
    ),
    own_sender=st.booleans(),
    own_mailbox=st.booleans(),
    reachable=st.booleans(),
    negative=st.sampled_from([None, "dmarc=fail"]),
    mode=st.sampled_from(Mode),
    external=st.sampled_from(External),
    too_old=st.booleans(),
)


@given(CANDIDATES)
def test_whoever_is_answered_is_a_reachable_uncontradicted_person_outside_our_mailboxes(candidate):
    if acknowledge(candidate).decision is not AckDecision.NEVER:
        assert candidate.mail.automatic.kind is AutomaticKind.PERSON
        assert candidate.mail.sender is not None
        assert candidate.reachable
        assert candidate.negative is None
        assert not candidate.own_mailbox
        assert candidate.mode is not Mode.OBSERVE
        assert not candidate.too_old


@given(CANDIDATES, st.sampled_from(sorted(SILENCERS)))
def test_nothing_added_against_a_mail_makes_an_answer_of_silence(candidate, silencer):
    if acknowledge(candidate).decision is AckDecision.NEVER:
        assert acknowledge(SILENCERS[silencer](candidate)).decision is AckDecision.NEVER


@given(CANDIDATES)
def test_a_stranger_learns_something_only_where_all_are_answered(candidate):
    if not candidate.own_sender and candidate.external is not External.ALL:
        assert acknowledge(candidate).decision is not AckDecision.SEND


@given(CANDIDATES)
def test_each_decision_has_a_reason_in_words(candidate):
    assert acknowledge(candidate).reason.strip()
