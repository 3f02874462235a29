"""The receipt of a new request is owed: at once, or later, or within one that waits already, or until it is released.

    ruling NOW, mail on time   the courier has it
    ruling WAIT                it waits for the moment of the ruling
    mail late                  it waits a minute for others to the same person; too many of these are held

A receipt that waits is taken into one that waits for the same person already: that one then answers both mails. Its
words are those of the moment it is to go out.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.acknowledge import AckDecision
from desk.calendar import Calendar
from desk.lateness import GATHERING, Lateness, brakes, lateness
from service.alarms import alarm
from service.house import House
from service.letters import Matter, receipt
from service.limiting import Measured
from service.parts import promised, renew
from service.rewording import joined
from store import limiter, outbox, waiting

HOUR = timedelta(hours=1)
NOW, LATER, JOINT = "receipt", "later receipt", "joint receipt"


@dataclass(frozen=True, slots=True)
class Owing:
    """A receipt on its way into the outbox. measured: None where nothing is limited."""

    connection: Connection
    house: House
    matter: Matter
    measured: Measured | None

    @property
    def calendar(self) -> Calendar:
        """The calendar its promises go by."""
        return self.house.calendars[self.house.department_of(self.matter.request.department).calendar]

    def is_late(self, at: datetime) -> bool:
        """Whether it is late at that moment."""
        return lateness(self.calendar, self.matter.request.opened, at) is not Lateness.ON_TIME


def owe_receipt(owing: Owing) -> str | None:
    """The receipt is owed; NOW, LATER or JOINT, or None where the very same mail was owed before."""
    now = owing.matter.now
    late = owing.is_late(now)
    until = owing.measured.ruling.until if owing.measured is not None else None
    if until is None and late:
        until = now + GATHERING
    if until is None:
        return NOW if _written(owing, at=now, late=False) is not None else None
    if _joined(owing):
        return JOINT
    later = replace(owing, matter=_as_of(owing, until))
    outbox_id = _written(later, at=until, late=late)
    if outbox_id is None:
        return None
    waiting.promises(owing.connection, outbox_id, later.matter.request.number, later.matter.targets)
    renew(owing.connection, later.matter.request, owing.house, now=until)
    reason = _braked(owing) if late else None
    waiting.postpone(owing.connection, outbox_id, until=until, hold_reason=reason)
    return LATER


def _as_of(owing: Owing, moment: datetime) -> Matter:
    """The matter with the words and promises of that moment."""
    targets = promised(owing.matter.request, owing.house, now=moment)
    return replace(owing.matter, targets=targets, now=moment, late=owing.is_late(moment))


def _written(owing: Owing, *, at: datetime, late: bool) -> int | None:
    """The receipt stands in the outbox and counts from now on; its number there."""
    notice = receipt(owing.matter, owing.house)
    assert notice is not None
    outbox_id = outbox.owe(owing.connection, owing.matter.request.number, notice, now=owing.matter.now)
    if outbox_id is not None and owing.measured is not None:
        told = owing.measured.told(at)
        limiter.write(owing.connection, owing.measured.sender, told, outbox_id=outbox_id, late=late)
    return outbox_id


def _joined(owing: Owing) -> bool:
    """A receipt that waits for the same person answers this mail too; none to an outsider, which names nothing."""
    request = owing.matter.request
    if owing.matter.decision.acknowledgement.decision is not AckDecision.SEND or request.requester is None:
        return False
    recipient, now = request.requester.key, owing.matter.now
    found = waiting.waiting_for(owing.connection, recipient, request.mailbox, now=now)
    return found is not None and joined(owing.connection, owing.house, found, request.number)


def _braked(owing: Owing) -> str | None:
    """Why a late receipt is held for a person to release, with one alarm about it; None where it is not."""
    connection, now = owing.connection, owing.matter.now
    if owing.house.limits is None:
        return None
    since = now - HOUR
    late, held = limiter.late_since(connection, since), waiting.held(connection, waiting.BRAKE)
    if not brakes(late=late, held=held, limit=owing.house.limits.catch_up):
        return None
    waiting.hold_late(connection, waiting.BRAKE, since=since)
    words = f"{late} late receipts at once, as after an outage: they are held until `deskbell brake release`"
    alarm(connection, "brake", words, now=now)
    return waiting.BRAKE
