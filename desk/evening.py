"""The evening report to the admins: when it is due, what it covers, and which mails it calls unsure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MARGIN = 1.0
"""Two departments closer together than one strong word are called close."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known of a mail that may have been judged wrongly."""

    language: str | None
    score: float
    runner_up: str | None
    margin: float
    negative: str | None


def last_evening(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The last moment (UTC), not after now, at which the clock of the zone showed that time of day."""
    today = now.astimezone(zone).date()
    days = (today, today - timedelta(days=1))
    moments = (datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for day in days)
    return next(moment for moment in moments if moment <= now or moment.astimezone(zone).date() < today)


def unsure(doubt: Doubt) -> tuple[str, ...]:
    """Why a person might look at the mail, in words; empty where nothing is in doubt."""
    return tuple(_reasons(doubt))


def _reasons(doubt: Doubt) -> Iterator[str]:
    if doubt.language is None:
        yield "language unsure, answered in English"
    if doubt.score <= 0:
        yield "no rule knows it"
    elif doubt.runner_up is not None and doubt.margin < MARGIN:
        yield f"nearly went to {doubt.runner_up}"
    if doubt.negative is not None:
        yield f"the sender is contradicted: {doubt.negative}"
