"""Replies, absence notes and bounces are made from the mail they are about."""

from datetime import UTC, datetime

import pytest

from desk.mail import AutomaticKind, Mail
from intake.parse import parse
from service.demo.letters import Answered, Moment, letter
from service.demo.morning import SCENES, Kind, Scene

NOON = Moment(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "<new@corp.example>")
RECEIPT = b"""\
From: IT support <help@corp.example>\r
To: Layla <layla.hassan@corp.example>\r
Subject: Re: =?utf-8?b?2YXZg9mK2YE=?=\r
Message-ID: <receipt.a.X@corp.example>\r
References: <first@corp.example>\r
\r
Thank you.\r
\r
Ref: R-1001 abc\r
"""
ANSWERED = Answered(RECEIPT, parse(RECEIPT))


def scene(kind: Kind) -> Scene:
    return next(one for one in SCENES if one.kind is kind)


def made(kind: Kind) -> Mail:
    found = letter(scene(kind), NOON, ANSWERED)
    return parse(found.raw, envelope_sender=found.sender)


@pytest.mark.parametrize("kind", [Kind.REPLY, Kind.ABSENCE])
def test_an_answer_names_the_mail_it_answers_and_all_before(kind: Kind) -> None:
    mail = made(kind)
    assert mail.in_reply_to == "<receipt.a.X@corp.example>"
    assert mail.references == ("<first@corp.example>", "<receipt.a.X@corp.example>")


def test_a_reply_is_of_a_person_and_quotes_what_it_answers() -> None:
    mail = made(Kind.REPLY)
    assert mail.automatic.kind is AutomaticKind.PERSON
    assert mail.subject == "Re: مكيف"
    assert "IT support <help@corp.example> wrote:\n> Thank you.\n>\n> Ref: R-1001 abc" in mail.text


def test_what_a_reply_says_anew_is_its_own_text_alone() -> None:
    assert made(Kind.REPLY).reply.strip() == scene(Kind.REPLY).text.strip()


def test_an_absence_note_is_known_as_one() -> None:
    mail = made(Kind.ABSENCE)
    assert (mail.automatic.kind, mail.subject) == (AutomaticKind.AUTO_REPLY, "Risposta automatica: Re: مكيف")


def test_a_bounce_is_a_report_about_the_mail_that_came_back() -> None:
    mail = made(Kind.BOUNCE)
    (report,) = mail.report
    assert (mail.automatic.kind, mail.defects) == (AutomaticKind.BOUNCE, ())
    assert (report.recipient, report.action, report.status) == ("layla.hassan@corp.example", "failed", "5.2.2")
    assert report.original_message_id == "<receipt.a.X@corp.example>"


@pytest.mark.parametrize("kind", [Kind.ABSENCE, Kind.BOUNCE])
def test_nothing_can_come_back_to_a_machine(kind: Kind) -> None:
    assert letter(scene(kind), NOON, ANSWERED).sender == ""


def test_a_mail_is_kept_as_it_travels() -> None:
    raw = letter(scene(Kind.BOUNCE), NOON, ANSWERED).raw
    assert raw.count(b"\n") == raw.count(b"\r\n")
