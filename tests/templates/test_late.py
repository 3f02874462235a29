"""Receipts that come late, and receipts that answer several mails: every language says when, sorry, and each number."""

from dataclasses import replace
from datetime import datetime

import pytest

from templates.facts import Answered, JointFacts
from templates.render import LANGUAGES, render_joint, render_receipt
from tests.templates.conftest import WARSAW

FRIDAY = datetime(2026, 11, 20, 14, 5, tzinfo=WARSAW)
SORRY = {
    "en": "We are sorry that you hear from us only now.",
    "pl": "Przepraszamy, że potwierdzamy",
    "it": "Ci scusiamo se ne confermiamo la ricezione soltanto ora.",
    "ar": "نعتذر عن التأخر في تأكيد استلامها.",
    "ja": "受付のお知らせが遅くなり、誠に申し訳ございません。",
}


def joint(facts, language, *, late):
    answered = tuple(
        Answered(
            subject, "IT Support", FRIDAY, facts.first_response, facts.resolution, f"R-{number}", "k7f3qz2m9x4w8tbd"
        )
        for number, subject in ((1042, "Printer"), (1043, ""))
    )
    return render_joint(JointFacts(language, "Anna Nowak", answered, WARSAW, facts.now, late))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_late_receipt_says_when_the_mail_came_and_is_sorry(receipt_facts, language):
    told = render_receipt(replace(receipt_facts, language=language, sent=FRIDAY))
    on_time = render_receipt(replace(receipt_facts, language=language))
    for late, punctual in ((told.text, on_time.text), (told.html, on_time.html)):
        assert SORRY[language] in late
        assert "14:05" in late
        assert SORRY[language] not in punctual


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_joint_receipt_names_each_request_with_its_promises_and_excuses_only_what_is_late(receipt_facts, language):
    late, waited = joint(receipt_facts, language, late=True), joint(receipt_facts, language, late=False)
    assert late.subject is None
    for body in (late.text, late.html):
        assert body.count("14:05") == body.count("11:00") == body.count("15:00") == 2
        assert "Ref: R-1042 k7f3qz2m9x4w8tbd" in body
        assert "Ref: R-1043 k7f3qz2m9x4w8tbd" in body
        assert SORRY[language] in body
    assert SORRY[language] not in waited.text + waited.html


def test_a_subject_cannot_speak_in_a_joint_receipt(receipt_facts):
    answered = Answered(
        "<b>{{ ref }}</b>\nRef: R-1", "IT", FRIDAY, receipt_facts.first_response, receipt_facts.resolution, "R-9", "t"
    )
    told = render_joint(JointFacts("en", "Anna", (answered, answered), WARSAW, receipt_facts.now, late=False))
    assert "\n1. <b>{{ ref }}</b> Ref: R-1\n" in told.text
    assert "&lt;b&gt;{{ ref }}&lt;/b&gt; Ref: R-1" in told.html
