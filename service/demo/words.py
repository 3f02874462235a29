"""What became of a mail, in plain words."""

from collections.abc import Sequence

from babel import Locale
from babel.lists import format_list

from desk.acknowledge import AckDecision
from desk.arrival import Fate
from desk.department import Department
from desk.outbox import NoticeKind
from service.demo.fates import Outcome

_HOW = (
    ("T2 our mail <receipt", "about our receipt"),
    ("T2 our mail <notification", "in answer to our notification"),
    ("T2", "about a mail of ours"),
    ("T3", "with the reference line of our receipt"),
    ("T4", "in answer to a mail of that request"),
    ("T5", "with its number in the subject"),
)
"""Evidence as routing/thread.py records it, from the more special to the more general."""

_OTHERWISE = {
    Fate.FILED: "Kept, no request",
    Fate.BACKFILLED: "Kept: it is older than the watch",
    Fate.QUARANTINED: "Put aside with all its bytes, because it could not be understood",
    Fate.OVERSIZE: "Only its header is kept, because it is too large",
}


def told(outcome: Outcome) -> str:
    """One line: the request, who has it, the receipt with its dates or the silence with its reason."""
    said = {
        Fate.OPENED: _opened,
        Fate.APPENDED: _appended,
        Fate.ABSORBED: _absorbed,
        Fate.HELD: _held,
        Fate.DUPLICATE: _duplicate,
    }.get(outcome.line.fate, _other)
    return said(outcome)


def _opened(outcome: Outcome) -> str:
    return f"{outcome.line.reference}, for {_who(outcome.departments)}. {_receipt(outcome)}"


def _receipt(outcome: Outcome) -> str:
    if NoticeKind.RECEIPT not in outcome.owed or outcome.promised is None or outcome.request is None:
        return f"No receipt: {_reason(outcome)}."
    language = Locale.parse(outcome.request.language).get_display_name("en")
    neutral = "Neutral receipt" if (outcome.line.receipt or "").startswith(AckDecision.LIMITED) else "Receipt"
    promised = outcome.promised
    return f"{neutral} in {language}: an answer by {promised.answer}, solved by {promised.solution}."


def _appended(outcome: Outcome) -> str:
    place = f"Added to {outcome.line.reference} ({_how(outcome)})"
    if outcome.line.reason == "staff-answer":
        return f"{place} as the answer of {_who(outcome.departments)}. Nobody is written to."
    if NoticeKind.NOTIFICATION in outcome.owed:
        are = "is" if len(outcome.departments) == 1 else "are"
        return f"{place}. {_who(outcome.departments)} {are} told; no second receipt."
    return f"{place}. No second receipt."


def _absorbed(outcome: Outcome) -> str:
    return f"Kept with {outcome.line.reference} ({_how(outcome)}). Silence, because {_reason(outcome)}."


def _held(outcome: Outcome) -> str:
    asked = f"; {_who(outcome.departments)} is asked to check" if NoticeKind.NOTIFICATION in outcome.owed else ""
    return f"Held beside {outcome.line.reference}: its writer is not known there{asked}. No receipt."


def _duplicate(outcome: Outcome) -> str:
    of = f", and is {outcome.line.reference}" if outcome.line.reference else ""
    return f"At {outcome.line.mailbox}: {_acknowledged(outcome)}{of}. Nothing more is done, no second receipt."


def _other(outcome: Outcome) -> str:
    kept = _OTHERWISE.get(outcome.line.fate, f"{outcome.line.fate} ({outcome.line.reason})")
    return f"{kept}. Silence, because {_reason(outcome)}."


def _who(departments: Sequence[Department]) -> str:
    return format_list([one.name_in("en") for one in departments], locale="en_GB") or "nobody"


def _how(outcome: Outcome) -> str:
    evidence = ((outcome.line.trace or {}).get("thread") or {}).get("evidence", "")
    return next((words for start, words in _HOW if evidence.startswith(start)), evidence)


def _reason(outcome: Outcome) -> str:
    automatic = (outcome.line.trace or {}).get("automatic") or {}
    if automatic.get("evidence"):
        return f"a machine wrote it: {automatic['kind']} ({automatic['evidence'][0]})"
    return _acknowledged(outcome)


def _acknowledged(outcome: Outcome) -> str:
    acknowledged = (outcome.line.trace or {}).get("acknowledge") or {}
    return str(acknowledged.get("reason") or outcome.line.reason or "no reason is recorded")
