"""Drains the outbox: claim, send, record; what an outcome means for the mail is decided here.

    due --claim--> sending/claimed --before the dot--> sending/dot --complete reply--> sent | refused | due
                                                                  --anything else---> due, counted as perhaps sent

Whatever stops in between is recovered at the next step: before the dot a mail surely was not accepted and is due at
once; from the dot on it may have been, and the same bytes with the same Message-ID go out again after a hold.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from delivery.retry import EXPIRES_AFTER, next_attempt
from delivery.transport import Ambiguous, Deferred, Outcome, Outgoing, Refused, Scope, Sent, Transport
from desk.masked import without_addresses
from desk.outbox import Claimed, OutboxState, Verdict

log = logging.getLogger("deskbell.courier")

BATCH = 20
AMBIGUOUS_HOLD = timedelta(seconds=20)
"""How long a perhaps accepted mail waits. There is nothing to look it up in, so waiting longer would prove nothing."""
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 20, 30, 60))
"""How long nothing is tried while the relay cannot be reached, one after the other, the last one for ever."""
ACCOUNT_HOLD = timedelta(minutes=5)
"""How long nothing is sent after the relay refused us as a sender."""


class Outbox(Protocol):
    """The stored outbox. Each call is one committed transaction."""

    def claim(self, *, now: datetime, limit: int) -> list[Claimed]:
        """The next due mails, from now on held by the caller."""
        ...

    def reach_dot(self, claimed: Claimed) -> None:
        """From now on the mail may have been accepted."""
        ...

    def record(self, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
        """Write what became of the attempt."""
        ...

    def recover(self, held: Sequence[Claimed], *, now: datetime, hold: timedelta) -> None:
        """Give back mails without a recorded outcome: due at once, or after the hold where the dot was reached."""
        ...

    def next_due(self) -> datetime | None:
        """When the next owed mail is to be tried, or None where nothing is owed."""
        ...


@dataclass(frozen=True, slots=True)
class Chance:
    """What the courier does not decide itself: the time, and a number in [0, 1) that spreads retries."""

    now: Callable[[], datetime]
    jitter: Callable[[], float]


class Courier:
    """One sender with a connection of its own; gap is the least time between two of its mails."""

    def __init__(self, outbox: Outbox, transport: Transport, chance: Chance, *, gap: timedelta | None = None) -> None:
        self._outbox = outbox
        self._transport = transport
        self._chance = chance
        self._gap = gap
        self._held: list[Claimed] = []
        self._not_before: datetime | None = None
        self._failures = 0

    def step(self) -> bool:
        """Try the next due mails; False where none is due or nothing may be sent yet."""
        now = self._chance.now()
        self._give_back(now)
        if self._not_before is not None and now < self._not_before:
            return False
        self._held = self._outbox.claim(now=now, limit=1 if self._gap else BATCH)
        worked = bool(self._held)
        while self._held:
            pause = self._attempt(self._held[0])
            del self._held[0]
            if pause:
                self._not_before = self._chance.now() + pause
                self._give_back(self._chance.now())
        return worked

    def idle_until(self, now: datetime) -> datetime | None:
        """The moment before which a step would find nothing to do; None where nothing is owed."""
        due = self._outbox.next_due()
        if due is None:
            return None
        return max(due, self._not_before or now)

    def close(self) -> None:
        """Nothing is kept open afterwards."""
        self._transport.close()

    def _give_back(self, now: datetime) -> None:
        if self._held:
            self._outbox.recover(self._held, now=now, hold=AMBIGUOUS_HOLD)
            self._held = []

    def _attempt(self, claimed: Claimed) -> timedelta | None:
        """Send one mail and record what came of it; the pause that must follow, if any."""
        outgoing = Outgoing(claimed.message_id, claimed.envelope_sender, claimed.recipient, claimed.content)
        outcome = self._transport.send(outgoing, lambda: self._outbox.reach_dot(claimed))
        now = self._chance.now()
        pause = self._pause_after(outcome)
        verdict = verdict_of(outcome, claimed, Retry(now, self._chance.jitter(), pause or timedelta(0)))
        _tell(outcome, claimed)
        self._outbox.record(claimed, verdict, now=now)
        return pause or self._gap

    def _pause_after(self, outcome: Outcome) -> timedelta | None:
        if isinstance(outcome, Refused) and outcome.scope is Scope.ACCOUNT:
            return ACCOUNT_HOLD
        if isinstance(outcome, Deferred) and outcome.scope is not Scope.RECIPIENT:
            pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            return pause
        self._failures = 0
        return None


@dataclass(frozen=True, slots=True)
class Retry:
    """What the next attempt depends on: the time, the spread, and the pause of the whole courier."""

    now: datetime
    jitter: float
    pause: timedelta


def verdict_of(outcome: Outcome, claimed: Claimed, retry: Retry) -> Verdict:
    """What the outcome means for the mail. A mail is given up 5 days after it was owed, never sooner.

    A failure that is not about this mail (connection, account) leaves its schedule alone: it goes out when the courier
    does.
    """
    match outcome:
        case Sent(reply):
            return Verdict(OutboxState.SENT, reply)
        case Refused(reply, Scope.RECIPIENT):
            return Verdict(OutboxState.REFUSED, reply)
        case Deferred(reason, Scope.RECIPIENT):
            tries = claimed.attempts + 1
            return _due_or_expired(reason, next_attempt(tries, retry.now, created=claimed.created, jitter=retry.jitter))
        case Ambiguous(reason):
            verdict = _due_or_expired(reason, _unless_expired(claimed, retry.now + AMBIGUOUS_HOLD))
            return replace(verdict, perhaps_sent=True)
        case Refused(reason) | Deferred(reason):
            return _due_or_expired(reason, _unless_expired(claimed, retry.now + retry.pause))


def _unless_expired(claimed: Claimed, moment: datetime) -> datetime | None:
    return moment if moment <= claimed.created + EXPIRES_AFTER else None


def _due_or_expired(reason: str, moment: datetime | None) -> Verdict:
    return Verdict(OutboxState.EXPIRED if moment is None else OutboxState.DUE, reason, moment)


def _tell(outcome: Outcome, claimed: Claimed) -> None:
    """The log knows the mail by its numbers alone: whom it is for may be confidential, and `outbox list` can tell."""
    mail = f"outbox {claimed.id} {claimed.message_id}"
    match outcome:
        case Sent():
            log.info("sent: %s", mail)
        case Refused(reply, Scope.ACCOUNT):
            log.error("the relay refuses us as a sender, nothing is sent for a while: %s", _said(reply, claimed))
        case Refused(reply):
            log.warning("refused for good: %s: %s", mail, _said(reply, claimed))
        case Deferred(reason):
            log.warning("not sent yet: %s: %s", mail, _said(reason, claimed))
        case Ambiguous(reason):
            log.warning("perhaps sent: %s: %s", mail, _said(reason, claimed))


def _said(reply: str, claimed: Claimed) -> str:
    return without_addresses(reply, claimed.recipient)
