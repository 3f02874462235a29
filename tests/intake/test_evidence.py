"""What proves a sender and what speaks against one. Ids like S20 are the rows of the table of hostile inputs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.arrival import Evidence
from desk.mail import Address, Mail
from intake.evidence import MAX_FIELD, MAX_RESULTS, EvidencePolicy, Proof, weigh
from intake.parse import parse

OWN = frozenset(("corp.example",))
TRUSTED = EvidencePolicy("trusted_ar", OWN, frozenset(("mx.corp.example",)))
PASS = "mx.corp.example; dmarc=pass header.from=corp.example"
FAIL = "mx.corp.example; dmarc=fail (p=none) header.from=corp.example"
RECEIVED = ("received", "from x by mx.corp.example with ESMTPS id 1; Mon, 2 Mar 2026 09:00:00 +0100")
E0, E1, E2 = Evidence.E0, Evidence.E1, Evidence.E2


def mail(*headers: str | tuple[str, str], sender: str = "alice@corp.example") -> Mail:
    named = (header if isinstance(header, tuple) else ("authentication-results", header) for header in headers)
    return Mail(sender=Address("", sender), headers=tuple(named))


def judged(found: Proof) -> tuple[Evidence, bool]:
    return found.level, found.negative is not None


@pytest.mark.parametrize(
    ("row", "headers", "level", "negative"),
    [
        ("nothing", [], E0, False),
        ("pass", [PASS], E2, False),
        ("pass", [PASS, RECEIVED], E2, False),
        ("fail", [FAIL], E0, True),
        ("S20", [RECEIVED, PASS], E0, False),
        ("S20", [("received", "from x by mx.corp.example; now"), RECEIVED, PASS], E0, False),
        ("S21", [PASS, FAIL], E0, True),
        ("S21", [PASS, PASS], E0, False),
        ("S21", [PASS + "; dmarc=none header.from=corp.example"], E0, False),
        ("S22", ["evil.example; x=(mx.corp.example;) dmarc=pass header.from=corp.example"], E0, False),
        ("S22", ["evil.example (mx.corp.example); dmarc=pass header.from=corp.example"], E0, False),
        ("S22", ['evil.example; spf=pass reason="mx.corp.example; dmarc=pass header.from=corp.example"'], E0, False),
        ("S22", ['"mx.corp.example"; dmarc=pass header.from=corp.example'], E0, False),
        ("S22", ["mx.corp.example.evil.example; dmarc=pass header.from=corp.example"], E0, False),
        ("S22", ["mx.corp.example evil; dmarc=pass header.from=corp.example"], E0, False),
        ("S22", ["mx.corp.example; spf=pass (; dmarc=pass header.from=corp.example)"], E0, False),
        ("S22", ['mx.corp.example; spf=pass (" ) ; dmarc=fail (" )'], E0, True),
        ("S22", ["mx.corp.example; dmarc=pass (header.from=corp.example)"], E0, False),
        ("S22", ['mx.corp.example; dmarc=pass reason="header.from=corp.example"'], E0, False),
        ("S23", ["mx.corp.example; dmarc=pass header.from=evil.example"], E0, True),
        ("S23", ["mx.corp.example; dmarc=pass header.from=sub.corp.example"], E0, True),
        ("S23", ["mx.corp.example; dmarc=pass header.from=corp.example header.from=evil.example"], E0, False),
        ("S25", [PASS + " (" + "x" * MAX_FIELD + ")"], E0, False),
        ("S25", ["(" * 4_000 + ")" * 3_999 + PASS], E0, False),
        ("S25", [PASS, *["mx.corp.example; none"] * MAX_RESULTS], E0, False),
        ("S26", ["dmarc=pass action=none header.from=corp.example"], E0, False),
        ("spf", ["mx.corp.example; spf=fail smtp.mailfrom=corp.example"], E0, False),
        ("dkim", ["mx.corp.example; dkim=fail header.d=corp.example"], E0, False),
        ("dmarc unknown", ["mx.corp.example; dmarc=temperror header.from=corp.example"], E0, False),
        ("no result", ["mx.corp.example; none"], E0, False),
        ("others beside", ["mx.corp.example; spf=fail smtp.mailfrom=x; " + PASS.partition("; ")[2]], E2, False),
        ("other id beside", ["evil.example; dmarc=fail header.from=corp.example", PASS], E2, False),
        ("grammar", ["MX.Corp.Example 1 (v (1)) ; DMARC/1 = (c) Pass header.from = Corp.Example"], E2, False),
        ("grammar", ['mx.corp.example; dmarc=pass reason="a \\" b; c" header.from="corp.example"'], E2, False),
        ("malformed elsewhere", [PASS + "; dkim"], E2, False),
        ("malformed", ["mx.corp.example; dmarc=pass header.from"], E0, False),
        ("malformed", [PASS + ' "'], E0, False),
        ("malformed", [PASS + " )"], E0, False),
        ("malformed", [""], E0, False),
        ("malformed", ["; dmarc=fail"], E0, False),
    ],
)
def test_a_trusted_result_proves_exactly_this(row, headers, level, negative):
    assert judged(weigh(mail(*headers), TRUSTED)) == (level, negative), row


def test_a_verified_outsider_is_proven_too():
    outside = mail("mx.corp.example; dmarc=pass header.from=else.example", sender="bob@Else.Example")
    assert weigh(outside, TRUSTED) == Proof(E2, None, "dmarc=pass header.from=else.example")


def test_results_below_our_own_hops_count_only_where_the_policy_knows_the_hops():
    behind_lmtp = mail(RECEIVED, PASS, RECEIVED, FAIL)
    one_hop = EvidencePolicy("trusted_ar", OWN, TRUSTED.trusted_ids, border_hops=1)
    assert judged(weigh(behind_lmtp, TRUSTED)) == (E0, False)
    assert judged(weigh(behind_lmtp, one_hop)) == (E2, False)


@pytest.mark.parametrize("mode", ["none", "boundary", "trusted_ar", "exchange"])
def test_a_mail_without_a_single_from_is_not_proven_by_anything(mode):
    policy = EvidencePolicy(mode, OWN, TRUSTED.trusted_ids)
    internal = ("x-ms-exchange-organization-authas", "Internal")
    nobody = Mail(headers=(internal, ("authentication-results", PASS)))
    assert judged(weigh(nobody, policy)) == (E0, False)


@pytest.mark.parametrize(
    ("mode", "headers", "sender", "level", "negative"),
    [
        ("none", [], "alice@corp.example", E0, False),
        ("none", [PASS], "alice@corp.example", E0, False),
        ("none", [FAIL], "alice@corp.example", E0, True),
        ("none", [RECEIVED, FAIL], "alice@corp.example", E0, False),
        ("none", ["evil.example; dmarc=fail"], "alice@corp.example", E0, False),
        ("boundary", [], "alice@corp.example", E1, False),
        ("boundary", [], "ALICE@CORP.EXAMPLE", E1, False),
        ("boundary", [], "alice@cоrp.example", E0, False),
        ("boundary", [], "bob@else.example", E0, False),
        ("boundary", [], "alice@corp.example.evil.example", E0, False),
        ("boundary", [FAIL], "alice@corp.example", E0, True),
        ("boundary", ["mx.corp.example; spf=fail"], "alice@corp.example", E1, False),
    ],
)
def test_without_trusted_results_the_border_decides(mode, headers, sender, level, negative):
    policy = EvidencePolicy(mode, OWN, TRUSTED.trusted_ids)
    assert judged(weigh(mail(*headers, sender=sender), policy)) == (level, negative)


def auth_as(value: str) -> tuple[str, str]:
    return ("x-ms-exchange-organization-authas", value)


SPF_FAIL = (
    "spf=fail (sender IP is 10.0.0.1) smtp.mailfrom=corp.example; dmarc=fail action=none header.from=corp.example"
)


@pytest.mark.parametrize(
    ("headers", "sender", "level", "negative"),
    [
        ([auth_as("Internal")], "alice@corp.example", E2, False),
        ([auth_as("internal "), SPF_FAIL], "alice@corp.example", E2, False),
        ([RECEIVED, auth_as("Internal")], "alice@corp.example", E2, False),
        ([auth_as("Internal")], "bob@else.example", E0, False),
        ([auth_as("Anonymous")], "alice@corp.example", E0, False),
        ([auth_as("Internal"), auth_as("Anonymous")], "alice@corp.example", E0, False),
        ([SPF_FAIL], "alice@corp.example", E0, True),
        (["spf=fail smtp.mailfrom=corp.example"], "alice@corp.example", E0, False),
        (["dmarc=pass action=none header.from=corp.example"], "alice@corp.example", E0, False),
    ],
)
def test_exchange_proves_a_colleague_by_its_own_field_and_nobody_else(headers, sender, level, negative):
    """S26: a result without an authserv-id is believed in this mode only, and only against a mail."""
    assert judged(weigh(mail(*headers, sender=sender), EvidencePolicy("exchange", OWN))) == (level, negative)


@pytest.mark.parametrize(
    ("field", "value", "negative"),
    [
        ("x-spam-flag", "YES", "X-Spam-Flag: yes"),
        ("x-spam-status", "Yes, score=9.1 required=5.0", "X-Spam-Status: yes"),
        ("x-spam", "yes", "X-Spam: yes"),
        ("x-spam-flag", "NO", None),
        ("x-spam-status", "No, score=0.1 tests=YES", None),
    ],
)
def test_a_spam_mark_is_negative_and_leaves_the_level(field, value, negative):
    """S34."""
    found = weigh(mail(PASS, RECEIVED, (field, value)), TRUSTED)
    assert (found.level, found.negative) == (E2, negative)


ENCODED_IN_RESULT = b"""\
Authentication-Results: mx.corp.example;
 spf=pass smtp.mailfrom==?utf-8?q?x=3B_dmarc=3Dpass_header=2Efrom=3Dcorp=2Eexample_y=3D?=@evil.example
From: alice@corp.example

text
"""


def test_an_encoded_word_a_stranger_put_into_his_envelope_sender_becomes_no_verdict():
    assert judged(weigh(parse(ENCODED_IN_RESULT, envelope_sender=None), TRUSTED)) == (E0, False)


ATTACHED_RESULT = b"""\
From: alice@corp.example
Content-Type: message/rfc822

Authentication-Results: mx.corp.example; dmarc=pass header.from=corp.example

text
"""


def test_a_result_in_an_attached_message_proves_nothing():
    """S24."""
    assert judged(weigh(parse(ATTACHED_RESULT, envelope_sender=None), TRUSTED)) == (E0, False)


RESULTS = st.lists(
    st.sampled_from(
        [PASS, FAIL, "mx.corp.example", "; ", "dmarc=pass", " header.from=corp.example", "(", ")", '"', "\\", "="]
    )
    | st.text(max_size=6),
    max_size=12,
).map("".join)
POLICIES = st.builds(
    EvidencePolicy,
    mode=st.sampled_from(["none", "boundary", "trusted_ar", "exchange"]),
    own_domains=st.just(OWN),
    trusted_ids=st.just(TRUSTED.trusted_ids),
    border_hops=st.integers(0, 2),
)


@given(st.lists(RESULTS | st.just(RECEIVED), max_size=6), POLICIES)
def test_any_results_give_a_proof_and_what_contradicts_proves_nothing(headers, policy):
    found = weigh(mail(*headers), policy)
    assert found.why
    assert found.negative is None or found.level == E0


@given(st.lists(RESULTS | st.just(RECEIVED), max_size=6))
def test_what_stands_below_a_foreign_received_changes_nothing(below):
    assert weigh(mail(PASS, RECEIVED, *below), TRUSTED) == weigh(mail(PASS), TRUSTED)


@given(RESULTS)
def test_without_the_trusted_id_nothing_is_proven(value):
    assert judged(weigh(mail(value.replace("mx.corp.example", "mx.evil.example")), TRUSTED)) == (E0, False)
