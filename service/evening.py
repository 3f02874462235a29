"""The evening report: each mailbox with something to tell is told about to the admins, once a day.

In mode observe that is what would have been sent, what not and why, and what is unsure; in the other modes only what
a person has to look at. No subject and no text of a mail is in it. It covers all that was settled since the last one,
so that no mail is left out, and its Message-ID is that of mailbox, day and admin, so that it goes out once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from delivery.compose import Letter, LetterKind, compose
from desk.acknowledge import AckDecision, Mode
from desk.arrival import Fate
from desk.circuit import KNOWN_FOR
from desk.evening import Doubt, last_evening, unsure
from desk.mail import Address
from desk.outbox import Notice, NoticeKind
from service.house import House, Mailbox
from service.modes import with_modes
from service.retention import kept_past
from service.transactions import Transactions
from store import evenings, limiter, meta, modes, outbox
from store.evenings import Alarm, Seen
from templates.facts import EveningFacts
from templates.render import render_evening

LINES = 200
"""Mails of one sort that a report lists."""
LOOKED_AT = (Fate.QUARANTINED, Fate.OVERSIZE)


@dataclass(frozen=True, slots=True)
class Evenings:
    """When the report is due, and who gets it."""

    at: time
    admins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Up to where the last report told: its evening, and the newest record of the journal."""

    evening: datetime
    record: int

    @property
    def text(self) -> str:
        """As it is kept."""
        return f"{self.evening.isoformat()} {self.record}"

    @classmethod
    def read(cls, text: str | None) -> "Bookmark | None":
        """What `text` gave, or None for nothing."""
        if text is None:
            return None
        evening, _, record = text.partition(" ")
        return cls(datetime.fromisoformat(evening), int(record))


class EveningReport:
    """The report of one installation."""

    def __init__(self, transactions: Transactions, house: House, evenings: Evenings) -> None:
        self._transactions = transactions
        self._house = house
        self._evenings = evenings
        self._told: dict[str, datetime] = {}

    def move_into(self, house: House) -> None:
        """The next report is about the mailboxes of that house."""
        self._house = house

    def step(self, now: datetime) -> bool:
        """Each report that is due is owed; False where none was. What is no longer counted is forgotten by the way."""
        due = [one for one in self._house.mailboxes.values() if self._told.get(one.address) != self._evening(one, now)]
        for mailbox in due:
            evening = self._evening(mailbox, now)
            self._transactions.run(self._work(mailbox, evening, now))
            self._told[mailbox.address] = evening
        return bool(due)

    def _evening(self, mailbox: Mailbox, now: datetime) -> datetime:
        return last_evening(now, self._evenings.at, self._zone(mailbox))

    def _zone(self, mailbox: Mailbox) -> ZoneInfo:
        key = mailbox.department or next(iter(self._house.departments))
        return self._house.calendars[self._house.department_of(key).calendar].zone

    def _work(self, mailbox: Mailbox, evening: datetime, now: datetime) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            key = f"evening {mailbox.address}"
            before, newest = Bookmark.read(meta.read(connection, key)), evenings.last(connection)
            if before is not None and before.evening >= evening:
                return
            if before is None:  # deskbell begins here; the first evening tells all there was
                meta.write(connection, key, Bookmark(evening, 0).text)
                return
            meta.write(connection, key, Bookmark(evening, newest).text)
            limiter.forget(connection, before=now - KNOWN_FOR)
            current = with_modes(self._house, modes.every(connection)).mailboxes[mailbox.address]
            hidden = frozenset(one.key for one in self._house.departments.values() if one.confidential)
            day = Day(current, self._zone(mailbox), before, evening, hidden)
            facts = _facts(connection, self._house, day)
            for admin in self._evenings.admins if _tells_something(facts) else ():
                outbox.owe(connection, None, _notice(self._house, day, facts, admin, now), now=now)

        return work


@dataclass(frozen=True, slots=True)
class Day:
    """What a report is about: the mailbox, as it is now, and the time since the last report."""

    mailbox: Mailbox
    zone: ZoneInfo
    since: Bookmark
    until: datetime
    hidden: frozenset[str]
    """Keys of the confidential departments: who wrote to them is not told."""


def _tells_something(facts: EveningFacts) -> bool:
    return bool(facts.alarms or facts.attention or facts.kept or facts.sent or facts.silent or facts.unsure)


def _facts(connection: Connection, house: House, day: Day) -> EveningFacts:
    found = evenings.seen(connection, day.mailbox.address, after=day.since.record)
    observing = day.mailbox.mode is Mode.OBSERVE
    told = [one for one in found if "would" in one.trace] if observing else []
    alarms = [one for one in evenings.alarms(connection, after=day.since.record) if _is_about(one, house, day.mailbox)]
    return EveningFacts(
        mailbox=day.mailbox.address,
        mode=day.mailbox.mode.value,
        observing=observing,
        since=day.since.evening,
        until=day.until,
        zone=day.zone,
        alarms=tuple(f"{one.at.astimezone(day.zone):%d.%m. %H:%M} {one.words}" for one in alarms),
        attention=_lines(day, [one for one in found if one.fate in LOOKED_AT], lambda one: one.reason or one.fate),
        kept=_kept(connection, house, day),
        sent=_lines(day, [one for one in told if _would(one) != AckDecision.NEVER], _promised),
        silent=_lines(day, [one for one in told if _would(one) == AckDecision.NEVER], lambda one: _refused(day, one)),
        unsure=_lines(day, [one for one in told if _doubts(one)], lambda one: ", ".join(_doubts(one))),
    )


def _kept(connection: Connection, house: House, day: Day) -> tuple[str, ...]:
    """The requests that should be erased, and what keeps them."""
    modes_now = replace(house, mailboxes={**house.mailboxes, day.mailbox.address: day.mailbox})
    found = kept_past(connection, modes_now, day.mailbox.address, day.until)
    more = (f"and {len(found) - LINES} more",) if len(found) > LINES else ()
    return (*(f"{one.reference} ({one.department}): {why}" for one, why in found[:LINES]), *more)


def _is_about(alarm: Alarm, house: House, mailbox: Mailbox) -> bool:
    """An alarm about one mailbox is told in its report, one about the whole installation in that of the first."""
    of = alarm.key.rpartition(" ")[2]
    return of == mailbox.address or (of not in house.mailboxes and mailbox.address == next(iter(house.mailboxes)))


def _lines(day: Day, found: Sequence[Seen], words: Callable[[Seen], str]) -> tuple[str, ...]:
    more = (f"and {len(found) - LINES} more: deskbell ledger list",) if len(found) > LINES else ()
    return (
        tuple(
            f"{one.received.astimezone(day.zone):%d.%m. %H:%M} {_writer(day, one)}: {words(one)} ({one.id})"
            for one in found[:LINES]
        )
        + more
    )


def _writer(day: Day, one: Seen) -> str:
    return "somebody" if not day.hidden.isdisjoint(one.departments) else one.writer or "a mail"


def _would(one: Seen) -> str:
    return str(one.trace["would"]["decision"])


def _promised(one: Seen) -> str:
    kind = "a receipt" if _would(one) == AckDecision.SEND else "a receipt that tells nothing"
    return f"{kind}; the request is with {' and '.join(one.departments)}"


def _refused(day: Day, one: Seen) -> str:
    """Why no receipt; a reason may quote the mail's header, its rule does not."""
    return str(one.trace["would"]["reason" if day.hidden.isdisjoint(one.departments) else "rule"])


def _doubts(one: Seen) -> tuple[str, ...]:
    if one.fate is not Fate.OPENED:
        return ()
    classified = one.trace["classification"]
    return unsure(
        Doubt(
            language=one.trace["language"],
            score=classified["score"],
            runner_up=classified["runner_up"],
            margin=classified["margin"],
            negative=one.trace["proof"]["negative"],
        )
    )


def _notice(house: House, day: Day, facts: EveningFacts, admin: str, now: datetime) -> Notice:
    rendered = render_evening(facts)
    address = day.mailbox.address
    message_id = house.keyring.at(day.until).message_id(
        NoticeKind.EVENING.value,
        content_key=f"{address} {day.until.astimezone(day.zone).date().isoformat()}",
        recipient=Address("", admin).key,
        domain=address.rpartition("@")[2],
    )
    letter = Letter(
        from_name="deskbell",
        from_address=address,
        to=Address("", admin),
        subject=rendered.subject or address,
        message_id=message_id,
        date=now,
        language="en",
        text=rendered.text,
        kind=LetterKind.NOTIFICATION,
        identity=message_id.strip("<>"),
    )
    return Notice(NoticeKind.EVENING, letter.to.key, message_id, address, compose(letter))
