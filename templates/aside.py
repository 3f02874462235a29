"""Word of mail that was set aside, as values for its template: each in one line, whatever the mail held."""

from datetime import UTC, datetime

from templates.facts import AsideFacts, AsideLine
from templates.moments import in_words
from templates.plain import SUBJECT_LIMIT, isolated, one_line

_MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
SAMPLE = AsideFacts(
    "help@example.com", "IT", (AsideLine(1, _MONDAY, "anna@example.com", "", "1 kB", "why", "where"),), 0, UTC, _MONDAY
)


def aside_view(facts: AsideFacts) -> dict[str, str | tuple[str, ...]]:
    """What is said once, made safe to stand in a sentence."""
    count = len(facts.listed) + facts.more
    return {
        "mailbox": one_line(facts.mailbox),
        "department": one_line(facts.department),
        "count": str(count),
        "several": "yes" if count > 1 else "",
        "more": str(facts.more) if facts.more else "",
        "moved": "yes" if facts.moved else "",
        "first": str(facts.listed[0].number),
    }


def aside_line(one: AsideLine, facts: AsideFacts) -> dict[str, str]:
    """What is said of one mail, made safe in the same way."""
    told = {
        "sender": one_line(one.sender),
        "subject": one_line(one.subject, limit=SUBJECT_LIMIT),
        "size": one_line(one.size),
        "why": one_line(one.why),
        "where": one_line(one.where),
    }
    return {key: isolated(value, direction="ltr") for key, value in told.items()} | {
        "number": str(one.number),
        "came": in_words(one.came, language="en", zone=facts.zone, now=facts.now),
    }
