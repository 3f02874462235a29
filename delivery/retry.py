"""When to try again, and what a reply means for the mail, its recipient and the account. Pure: tables and arithmetic.

Three questions decide about a reply: was it complete (smtp.py answers that), at which stage was it said, and is it
about this recipient, this mail, or us. What is about us (quota, send-as, authentication) holds every mail back, for
each would be refused alike; what is about a recipient or a mail ends only that one. Whatever is unknown is temporary.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EXPIRES_AFTER = timedelta(days=5)

_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
_SPREAD = 0.2


def next_attempt(attempts: int, now: datetime, *, created: datetime, jitter: float) -> datetime | None:
    """The moment (UTC) of the next attempt, or None once it would be later than 5 days after the mail was created.

    attempts counts those made, the one that just failed included: after them 1, 5, 15, 60 minutes, then each hour,
    times 0.8 to 1.2 by jitter in [0, 1). Raises ValueError for a jitter outside, or a moment without zone.
    """
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter {jitter} is not in [0, 1)")
    if now.utcoffset() is None or created.utcoffset() is None:
        raise ValueError("an attempt's moments need a zone")
    wait = _WAITS[min(max(attempts, 1), len(_WAITS)) - 1]
    # In UTC, because arithmetic within a zone ignores its clock changes.
    moment = now.astimezone(UTC) + wait * (1 - _SPREAD + 2 * _SPREAD * jitter)
    return moment if moment <= created.astimezone(UTC) + EXPIRES_AFTER else None


class Stage(StrEnum):
    """What a reply answers, in the order of a session (RFC 5321 section 3)."""

    CONNECT = "connect"
    HELLO = "hello"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    """The reply to the final dot."""


class Verdict(StrEnum):
    """What a complete reply says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """This recipient or this mail, for good."""
    HELD = "held"
    """Us: every mail would be refused until a person acts."""
    TEMPORARY = "temporary"
    """Not this mail now; others may pass."""
    UNAVAILABLE = "unavailable"
    """Not this server now, whatever the mail."""


_OPENING = frozenset({Stage.CONNECT, Stage.HELLO, Stage.STARTTLS, Stage.AUTH})
_CLOSING = 421
_UNAUTHENTICATED = frozenset({530, 534, 535, 538})
_OUT_OF_STEP = frozenset({500, 502, 503, 504})
"""About the dialogue (RFC 5321 section 4.2.1), not about anybody's mail; 501 is about the address we gave."""

_SERVER_BUSY = re.compile(r"4\.3\.[12]|4\.7\.[56]\d\d")
"""Storage full, not accepting, and Microsoft 365 throttling by address or tenant."""

_ABOUT_US = re.compile(r"5\.1\.[78]|5\.1\.90|5\.4\.5|5\.7\.(?:[389]|2\d|57|60|[567]\d\d)")
"""Sender address or account: RFC 3463; 5.7.20-29 RFC 7372; Google: 5.4.5 daily limit, 5.7.8 and 5.7.9 credentials;
Microsoft 365: 5.1.8 blocked sender, 5.1.90 daily limit, 5.7.57 and 5.7.60 not allowed, 5.7.5xx-7xx banned."""

_ABOUT_THEM = re.compile(r"5\.1\.\d{1,2}")
"""The recipient's address; asked after _ABOUT_US. Not 5.2.x: Exchange says send-as and quota under it."""

_OUR_WORDS = (
    "relay access denied",
    "relaying denied",
    "relay denied",
    "relay not permitted",
    "not permitted to relay",
    "unable to relay",
    "authentication required",
    "authentication is required",
    "not authenticated",
    "sender address rejected",
    "client host rejected",
    "bad outbound sender",
    "sendasdenied",
    "send as this sender",
    "send on behalf",
    "submissionquota",
    "submission quota",
    "outboundspamexception",
    "sending limit",
    "sending quota",
    "daily limit",
    "tenant has exceeded",
)
"""Said of us by Postfix (at RCPT only), Exim, Exchange and Microsoft 365 under codes that may mean anything."""

_READ = 1_000
"""Characters of a reply that are searched for words."""


def classify_reply(code: int, enhanced: str, *, stage: Stage, text: str = "") -> Verdict:
    """What a complete reply means (design section 8.13).

    enhanced is the reply's RFC 3463 code or empty, text its words, of which only the relay's own count.
    """
    if _is_accepted(code, stage):
        return Verdict.ACCEPTED
    if 400 <= code < 500:  # noqa: PLR2004 - RFC 5321 section 4.2.1: transient
        return _temporary(code, enhanced, stage)
    if 500 <= code < 600:  # noqa: PLR2004 - RFC 5321 section 4.2.1: permanent
        return _permanent(code, enhanced, stage=stage, text=text)
    return Verdict.UNAVAILABLE  # no reply the stage allows: we and the server no longer speak of the same thing


def _is_accepted(code: int, stage: Stage) -> bool:
    return code == 354 if stage is Stage.DATA else 200 <= code < 300  # noqa: PLR2004 - RFC 5321 section 4.3.2


def _temporary(code: int, enhanced: str, stage: Stage) -> Verdict:
    about_server = code == _CLOSING or stage in _OPENING or stage is Stage.MAIL or _SERVER_BUSY.fullmatch(enhanced)
    return Verdict.UNAVAILABLE if about_server else Verdict.TEMPORARY


def _permanent(code: int, enhanced: str, *, stage: Stage, text: str) -> Verdict:
    if stage is Stage.STARTTLS:
        return Verdict.UNAVAILABLE  # we never go on without TLS, and certificates get repaired
    if stage in _OPENING or stage is Stage.MAIL or _is_about_us(code, enhanced, text=text):
        return Verdict.HELD
    return Verdict.UNAVAILABLE if code in _OUT_OF_STEP else Verdict.REFUSED


def _is_about_us(code: int, enhanced: str, *, text: str) -> bool:
    if code in _UNAUTHENTICATED or _ABOUT_US.fullmatch(enhanced):
        return True
    words = _own_words(text)
    if "recipient address rejected" in words or _ABOUT_THEM.fullmatch(enhanced):
        return False
    return any(each in words for each in _OUR_WORDS)


def _own_words(text: str) -> str:
    """What the relay itself says: a recipient's server, quoted behind "said:", must not be able to hold our outbox."""
    return text[:_READ].lower().partition(" said: ")[0]
