"""Who a delivery report says it could not reach, for each form of report in tests/mail/auto_*.eml."""

import email
from email import policy
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import ReportedRecipient
from intake import report

MAIL = Path(__file__).parents[1] / "mail"


def reported(recipient, action, status, permanent, original) -> ReportedRecipient:
    return ReportedRecipient(recipient, action, status, permanent, original)


EXPECTED = {
    "auto_bounce": (
        reported("Gone@Else.example", "failed", "5.1.1", True, "<r.abc@desk.corp.example>"),
        reported("full+box@else.example", "failed", "4.2.2", False, "<r.abc@desk.corp.example>"),
    ),
    "auto_delay": (reported("slow@else.example", "delayed", "4.4.1", False, "<r.slow@desk.corp.example>"),),
    "auto_exchange_ndr": (reported("gone@else.example", "failed", None, True, "<r.ex@desk.corp.example>"),),
    "auto_exim": (
        reported("gone@else.example", "failed", None, None, "<r.exim@desk.corp.example>"),
        reported("away@else.example", "failed", None, None, "<r.exim@desk.corp.example>"),
    ),
    "auto_read_receipt": (),
    "auto_feedback": (),
    "auto_forwarded_bounce": (),
}


@pytest.mark.parametrize("rules", [policy.compat32, policy.default], ids=["compat32", "default"])
@pytest.mark.parametrize("name", EXPECTED)
def test_each_form_of_report_gives_exactly_these_recipients(name, rules):
    message = email.message_from_bytes((MAIL / f"{name}.eml").read_bytes(), policy=rules)
    assert report.read(message) == EXPECTED[name]


def test_each_report_in_the_folder_is_expected_here():
    reports = {path.stem for path in MAIL.glob("auto_*.eml")}
    assert reports == set(EXPECTED)


def test_an_attached_message_that_is_left_as_octets_still_gives_its_message_id():
    message = email.message_from_bytes((MAIL / "auto_bounce.eml").read_bytes())
    returned = message.get_payload(2)
    returned.set_payload("Subject: Re: Chair\nMessage-ID: <r.octets@desk.corp.example>\n\nThank you.\n")
    assert {found.original_message_id for found in report.read(message)} == {"<r.octets@desk.corp.example>"}


def bounce(*groups: str, kind: str = "message/delivery-status", head: str = "") -> Message:
    text = "\n\n".join(("Reporting-MTA: dns; mx.example", *groups))
    raw = f"{head}Content-Type: multipart/report; boundary=cut\n\n--cut\nContent-Type: {kind}\n\n{text}\n\n--cut--\n"
    return email.message_from_string(raw)


def test_the_internationalised_form_is_read_too():
    """RFC 6533 section 3."""
    group = "Final-Recipient: utf-8; gone@else.example\nAction: failed\nStatus: 5.1.1"
    found = report.read(bounce(group, group.replace("gone", "away"), kind="message/global-delivery-status"))
    assert [recipient.recipient for recipient in found] == ["gone@else.example", "away@else.example"]


@pytest.mark.parametrize(
    ("group", "action", "status", "permanent"),
    [
        ("Action: failed\nStatus: 5.2.1", "failed", "5.2.1", True),
        ("Action: failed\nStatus: 4.4.7", "failed", "4.4.7", False),
        ("Action: failed", "failed", None, None),
        ("Action: failed\nStatus: nonsense", "failed", None, None),
        ("Action: failed\nDiagnostic-Code: smtp; 550-5.7.1 no", "failed", "5.7.1", True),
        ("Action: failed\nDiagnostic-Code: smtp; 451 later", "failed", None, False),
        ("Action: delayed\nStatus: 5.0.0", "delayed", "5.0.0", False),
        ("Action: delivered\nStatus: 2.0.0", "delivered", "2.0.0", None),
        ("Action: relayed\nStatus: 5.0.0", "relayed", "5.0.0", None),
        ("Status: 5.1.10", None, "5.1.10", True),
        ("Action: 42", None, None, None),
    ],
)
def test_a_failure_is_permanent_only_where_the_report_says_so(group, action, status, permanent):
    (found,) = report.read(bounce("Final-Recipient: rfc822; gone@else.example\n" + group))
    assert (found.action, found.status, found.permanent) == (action, status, permanent)


@pytest.mark.parametrize(
    ("value", "recipient"),
    [
        ("rfc822; gone@else.example", "gone@else.example"),
        ("RFC822;<gone@else.example>", "gone@else.example"),
        ("gone@else.example", "gone@else.example"),
        ("rfc822;\n gone@else.example (no such person)", "gone@else.example"),
        ("x400; /PN=Gone/C=XX/", "/PN=Gone/C=XX/"),
    ],
)
def test_a_recipient_is_read_without_its_type(value, recipient):
    (found,) = report.read(bounce(f"Final-Recipient: {value}\nAction: failed"))
    assert found.recipient == recipient


def test_a_group_without_a_recipient_is_passed_over():
    assert report.read(bounce("Action: failed", "Final-Recipient: rfc822;\nAction: failed")) == ()


def test_a_recipient_named_in_both_ways_is_given_once():
    message = bounce(
        "Final-Recipient: rfc822; Gone@else.example\nAction: failed\nStatus: 5.1.1",
        head="X-Failed-Recipients: gone@else.example\n",
    )
    assert [found.status for found in report.read(message)] == ["5.1.1"]


def test_at_most_a_hundred_recipients_are_given():
    groups = [f"Final-Recipient: rfc822; a{number}@else.example\nAction: failed" for number in range(300)]
    assert len(report.read(bounce(*groups))) == report.MAX_RECIPIENTS
    assert len(report.read(bounce(head="X-Failed-Recipients: " + "a@b," * 500 + "\n"))) == report.MAX_RECIPIENTS


def test_a_report_nested_a_thousand_deep_does_not_exhaust_the_stack():
    message = bounce("Final-Recipient: rfc822; gone@else.example\nAction: failed")
    for _ in range(1_000):
        outer = Message()
        outer["Content-Type"] = "multipart/mixed"
        outer.attach(message)
        message = outer
    assert report.read(message) == ()


PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/report; boundary=cut\n",
        b"Content-Type: message/delivery-status\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"X-Failed-Recipients: a@b, \xff, <c@d>\n",
        b"Final-Recipient: rfc822; a@b\n",
        b"Original-Recipient: +ZZ+41\n",
        b"Action: \xff\n",
        b"Status: 5.1.1\n",
        b"Message-ID: <a\xff@b>\n",
        b"--cut\n",
        b"\n",
        b"From: =?x?q?\n",
    ]
)


@given(raw=st.lists(PIECES | st.binary(max_size=12), max_size=40).map(b"".join), strict=st.booleans())
def test_any_message_gives_clean_bounded_recipients(raw, strict):
    found = report.read(email.message_from_bytes(raw, policy=policy.default if strict else policy.compat32))
    assert len(found) <= report.MAX_RECIPIENTS
    for recipient in found:
        assert recipient.recipient
        (recipient.recipient + (recipient.original_message_id or "")).encode("utf-8")


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("header", "found"),
    [
        (
            "Message-ID: <new@relay.example>\nX-Microsoft-Original-Message-ID: <our@desk.example>",
            "<our@desk.example>",
        ),
        (
            "X-Microsoft-Original-Message-ID: <our@desk.example>\nMessage-ID: <new@relay.example>",
            "<our@desk.example>",
        ),
        ("Message-ID: <new@outlook.example>\nX-Microsoft-Original-Message-ID: none", "<new@outlook.example>"),
        ("Message-ID: <new@outlook.example>", "<new@outlook.example>"),
        ("Subject: x", None),
    ],
)
def test_of_a_renamed_mail_the_id_that_its_sender_gave_is_read(kind, header, found):
    status = "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; gone@else.example\nAction: failed"
    returned = f"Content-Type: {kind}\n\n{header}\n\ntext"
    head = "Content-Type: multipart/report; boundary=cut\n"
    raw = f"{head}\n--cut\n{status}\n\n--cut\n{returned}\n\n--cut--\n"
    (recipient,) = report.read(email.message_from_string(raw))
    assert recipient.original_message_id == found
