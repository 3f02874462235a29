"""What became of a mail, in plain words: one sentence for each fate."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.arrival import Fate
from desk.classification import Priority
from desk.department import Department
from desk.lifecycle import State
from desk.request import Request
from service.demo.fates import Outcome, Promised
from service.demo.words import told
from store.ledger import Line

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINE = Line(
    id=7,
    mailbox="help@corp.example",
    source="smtp",
    folder=None,
    uidvalidity=None,
    uid=None,
    received=NOON,
    accepted=NOON,
    size=100,
    message_id="<a@corp.example>",
    fate=Fate.OPENED,
    reason="new-request",
    receipt="send: own-person",
    evidence=0,
    attempts=0,
    reference="R-1001",
    trace={"acknowledge": {"reason": "a person of our own domains"}},
)
REQUEST = Request(
    number=1001,
    subject="x",
    requester=None,
    mailbox="help@corp.example",
    department="it",
    state=State.NEW,
    priority=Priority.NORMAL,
    language="pl",
    opened=NOON,
    first_response_due=NOON,
    resolution_due=NOON,
)
IT = Department("it", {"en": "IT support"}, "it-team@corp.example", "office")
HR = Department("hr", {"en": "Human resources"}, "hr-team@corp.example", "office")
PROMISED = Promised("today, 13:00 (CET)", "Friday, 17:00 (CET)")
OPENED = Outcome(LINE, REQUEST, (IT,), ("receipt", "notification"), PROMISED)


def outcome(fate: Fate, reason: str, trace: dict[str, object], *owed: str) -> Outcome:
    return replace(OPENED, line=replace(LINE, fate=fate, reason=reason, trace=trace), owed=owed)


def thread(evidence: str) -> dict[str, object]:
    return {"thread": {"evidence": evidence}, "acknowledge": {"reason": "continues a request"}}


AWAY = {"automatic": {"kind": "auto-reply", "evidence": ["X-Loop: yes", "envelope sender: <>"]}}
SAME = {"acknowledge": {"reason": "the same mail came before (arrival 3)"}}


def test_a_new_request_is_told_with_its_receipt_and_both_dates() -> None:
    assert told(OPENED) == (
        "R-1001, for IT support. Receipt in Polish: an answer by today, 13:00 (CET), solved by Friday, 17:00 (CET)."
    )


def test_a_request_of_several_departments_is_told_with_all_of_them() -> None:
    both = replace(OPENED, departments=(IT, HR))
    added = replace(both, line=replace(LINE, fate=Fate.APPENDED), owed=("notification",))
    assert told(both).startswith("R-1001, for IT support and Human resources. Receipt in Polish")
    assert told(added).endswith("IT support and Human resources are told; no second receipt.")


def test_a_receipt_to_an_outsider_is_called_neutral() -> None:
    line = replace(LINE, receipt="limited: external-limited")
    assert "Neutral receipt in Polish" in told(replace(OPENED, line=line))


def test_a_new_request_without_receipt_is_told_with_the_reason() -> None:
    silent = replace(OPENED, owed=("notification",))
    assert told(silent) == "R-1001, for IT support. No receipt: a person of our own domains."


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ("T2 our mail <receipt.a.X@corp.example>", "about our receipt"),
        ("T2 our mail <notification.a.X@corp.example>", "in answer to our notification"),
        ("T2 our mail <other.a.X@corp.example>", "about a mail of ours"),
        ("T3 token beside R-1001", "with the reference line of our receipt"),
        ("T4 a mail on the request <a@b>", "in answer to a mail of that request"),
        ("T5 R-1001 in the subject", "with its number in the subject"),
        ("T9 something new", "T9 something new"),
    ],
)
def test_a_follow_up_is_told_with_the_sign_it_was_known_by(evidence: str, words: str) -> None:
    found = outcome(Fate.APPENDED, "follow-up", thread(evidence), "notification")
    assert told(found) == f"Added to R-1001 ({words}). IT support is told; no second receipt."


def test_where_the_department_is_not_written_to_nothing_else_is_said() -> None:
    found = outcome(Fate.APPENDED, "follow-up", thread("T5"))
    assert told(found) == "Added to R-1001 (with its number in the subject). No second receipt."


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            outcome(Fate.APPENDED, "staff-answer", thread("T2 our mail <notification.a.X>")),
            "Added to R-1001 (in answer to our notification) as the answer of IT support. Nobody is written to.",
        ),
        (
            outcome(Fate.ABSORBED, "automatic-mail", thread("T2 our mail <receipt.a.X>") | AWAY),
            "Kept with R-1001 (about our receipt). Silence, because a machine wrote it: auto-reply (X-Loop: yes).",
        ),
        (
            outcome(Fate.HELD, "not-a-participant", thread("T3 token"), "notification"),
            "Held beside R-1001: its writer is not known there; IT support is asked to check. No receipt.",
        ),
        (
            outcome(Fate.HELD, "not-a-participant", thread("T3 token")),
            "Held beside R-1001: its writer is not known there. No receipt.",
        ),
        (
            outcome(Fate.DUPLICATE, "same-mail", SAME | AWAY),
            (
                "At help@corp.example: the same mail came before (arrival 3), and is R-1001. "
                "Nothing more is done, no second receipt."
            ),
        ),
        (
            outcome(Fate.FILED, "report", AWAY),
            "Kept, no request. Silence, because a machine wrote it: auto-reply (X-Loop: yes).",
        ),
        (
            outcome(Fate.QUARANTINED, "failed 3 times", {}),
            "Put aside with all its bytes, because it could not be understood. Silence, because failed 3 times.",
        ),
    ],
    ids=["staff-answer", "absorbed", "held", "held-in-silence", "duplicate", "filed", "quarantined"],
)
def test_every_other_fate_is_told_in_words(found: Outcome, words: str) -> None:
    assert told(found) == words


@pytest.mark.parametrize("fate", list(Fate))
def test_no_fate_is_without_words(fate: Fate) -> None:
    assert told(outcome(fate, "a-reason", {})).endswith(".")
