"""A request of several departments: who has a part, what all of them can promise, and who hears what.

1. A mail to two of our mailboxes opens one request, with the first copy that comes. What To and Cc say is enough: its
   receipt names every department, and the later dates, at once; each department is told, and which others have it.
2. A further copy says nothing new and is told to nobody; but a mailbox that no field named (Bcc, a list) adds a part,
   whose department is told. The receipt stands: what it promised, it promised for the departments it named.
3. The department of a mailbox in Cc gets a copy of the mail, once, and owes nothing.
4. What is written later is told to all parts. Where one is confidential, a letter in the talk that one department has
   with the requester stays with that department.
5. An answer moves the part of the department that gave it; a follow-up moves all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from desk import lifecycle
from desk.acknowledge import Mode
from desk.arrival import Fate, Source
from desk.decision import Elsewhere
from desk.lifecycle import Event, State
from desk.mail import ascii_fold
from desk.outbox import Notice
from desk.promise import Targets, latest
from desk.request import Part, Request
from desk.targets import Asked, kept_or_renewed, promise
from desk.thread import ThreadMatch
from routing.shares import further_share
from service.addressed import is_named
from service.house import House, Mailbox
from service.judged import Judged, Share, routable
from service.letters import Matter, notification
from store import parts, requests
from store.arrivals import Earlier


@dataclass(frozen=True, slots=True)
class Occasion:
    """A mail that is settled at that moment."""

    judged: Judged
    house: House
    now: datetime

    @property
    def came_in_at(self) -> Mailbox:
        """The mailbox this copy of it came in at."""
        return self.house.mailboxes[self.judged.arrival.mailbox]

    @property
    def answering(self) -> Mailbox:
        """The mailbox that a receipt comes from; its mode is the fullest of all that the mail is for."""
        if self.judged.division is None:
            return self.came_in_at
        mailboxes = [one.mailbox for one in self.judged.division.shares]
        is_full = any(one.mode is Mode.FULL for one in mailboxes)
        return replace(mailboxes[0], mode=Mode.FULL) if is_full else mailboxes[0]

    def further(self) -> tuple[Part, ...]:
        """The parts of a new request beside its first one."""
        shares = self.judged.division.shares[1:] if self.judged.division is not None else ()
        return tuple(map(self.part, shares))

    def part(self, share: Share) -> Part:
        """The part of a department that begins with this mail."""
        came, verdict = self.judged.arrival.received_at, share.classification
        part = Part(share.mailbox.address, verdict.department, verdict.priority, State.NEW, came, came)
        targets = targets_of(part, came, self.house, now=self.now)
        return replace(part, first_response_due=targets.first_response, resolution_due=targets.resolution)


def promised(request: Request, house: House, *, now: datetime) -> Targets:
    """What all its departments can promise at that moment."""
    return latest([targets_of(part, request.opened, house, now=now) for part in request.parts])


def targets_of(part: Part, opened: datetime, house: House, *, now: datetime) -> Targets:
    """What the department of a part can promise at that moment."""
    department = house.department_of(part.department)
    return kept_or_renewed(department, house.calendars[department.calendar], Asked(part.priority, opened), now)


def renew(connection: Connection, request: Request, house: House, *, now: datetime) -> None:
    """Each part goes by what its own department can keep, where a receipt that tells the latest was put off."""
    for part in request.parts if request.further else ():
        targets = targets_of(part, request.opened, house, now=now)
        if part.department == request.department:
            requests.goes_by(connection, request.number, targets)
        else:
            parts.goes_by(connection, request.number, part.department, targets)


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail that came to another of our mailboxes before, with what that means for its request."""

    said: Elsewhere
    number: int | None
    request: Request | None = None
    """Given with the part that it adds."""
    part: Part | None = None


def came_elsewhere(connection: Connection, occasion: Occasion, before: Sequence[Earlier]) -> Copy:
    """What a copy means of which others came to other mailboxes of ours before."""
    first, mailbox = before[0], occasion.came_in_at
    number = next((one.request_number for one in before if one.request_number is not None), None)
    same = Copy(Elsewhere(first.id, first.mailbox), number)
    opened = next((one.request_number for one in before if one.fate is Fate.OPENED), None)
    if opened is None or not _may_add(occasion) or is_named(mailbox, occasion.judged.mail, occasion.house):
        return same
    request = requests.find(connection, opened)
    assert request is not None
    part = _added(request, occasion)
    if part is None:
        return same
    parts.add(connection, opened, [part])
    return Copy(replace(same.said, adds=True), opened, replace(request, further=(*request.further, part)), part)


def _may_add(occasion: Occasion) -> bool:
    arrival = occasion.judged.arrival
    is_old = arrival.source is Source.IMPORT or arrival.before_floor
    return arrival.complete and not is_old and occasion.came_in_at.mode is not Mode.OBSERVE


def _added(request: Request, occasion: Occasion) -> Part | None:
    """The part of a mailbox that no field of the mail named; None where its department has one already."""
    house, mailbox = occasion.house, occasion.came_in_at
    known = [house.mailboxes[part.mailbox] for part in request.parts if part.mailbox in house.mailboxes]
    if mailbox in known:
        return None
    share = further_share(
        house.matcher,
        routable(mailbox.address, occasion.judged.mail, mailbox),
        homes=[one.department for one in known],
        taken=request.departments,
    )
    return occasion.part(Share(mailbox, share)) if share is not None else None


def past(part: Part, opened: datetime, house: House) -> Part:
    """The part of a request of before the watch: nobody waits, and its moments are counted from when it came."""
    department = house.department_of(part.department)
    targets = promise(department, house.calendars[department.calendar], part.priority, opened)
    return replace(
        part, state=State.ANSWERED, first_response_due=targets.first_response, resolution_due=targets.resolution
    )


def moved(connection: Connection, request: Request, event: Event, *, mover: Part | None) -> Request:
    """The request after the event: of that part, or of all."""
    changed = []
    for part in request.parts:
        state = lifecycle.after(part.state, event) if mover in (None, part) else part.state
        if part.department == request.department:
            requests.change_state(connection, request.number, state)
        elif state is not part.state:
            parts.change_state(connection, request.number, part.department, state)
        changed.append(replace(part, state=state))
    return replace(request, state=changed[0].state, further=tuple(changed[1:]))


def answered_by(request: Request, match: ThreadMatch, occasion: Occasion) -> Part:
    """Whose answer it is: of who was written to, else of the mailbox it came in at, else of the first."""
    by_mailbox = tuple(part for part in request.parts if part.mailbox == occasion.came_in_at.address)
    return (_written_to(request, match, occasion.house) or by_mailbox or request.parts)[0]


def hearers(request: Request, match: ThreadMatch | None, occasion: Occasion) -> tuple[Part, ...]:
    """The parts that are told of a mail."""
    house = occasion.house
    private = tuple(part for part in request.parts if house.department_of(part.department).confidential)
    if match is None or not private:
        return request.parts
    if match.written_to is not None:
        return _written_to(request, match, house) or request.parts
    return tuple(part for part in request.parts if part.mailbox == occasion.came_in_at.address) or private


def _written_to(request: Request, match: ThreadMatch, house: House) -> tuple[Part, ...]:
    """The parts of the department whose notification is answered."""
    addresses = ((part, house.department_of(part.department).address) for part in request.parts)
    return tuple(part for part, address in addresses if ascii_fold(address) == match.written_to)


def news(matter: Matter, occasion: Occasion, match: ThreadMatch | None, copy: Copy | None) -> Iterator[Notice]:
    """Word of a mail to everybody in the house who is to be told."""
    request = matter.request
    if matter.decision.news is None:
        return
    if copy is not None:
        yield from _words_to([copy.part] if copy.part is not None else [], matter, occasion)
        return
    if request.further:
        yield from _words_to(hearers(request, match, occasion), matter, occasion)
    else:
        heard_at = occasion.answering if match is None else occasion.came_in_at
        yield from filter(None, [notification(matter, occasion.house, heard_at)])
    yield from _copies_of(matter, occasion)


def _words_to(hearing: Sequence[Part], matter: Matter, occasion: Occasion) -> Iterator[Notice]:
    """Word to the departments of these parts, each with its own moments and mailbox.

    Who else has it is told as far as the mail itself says so: a blind copy stays one (RFC 5322 section 3.6.3).
    """
    boxes, mail = occasion.house.mailboxes, occasion.judged.mail
    named = [
        part.department
        for part in matter.request.parts
        if part.mailbox in boxes and is_named(boxes[part.mailbox], mail, occasion.house)
    ]
    for part in hearing:
        others = tuple(one for one in named if one != part.department)
        yield from _word(part, replace(matter, others=others), occasion)


def _copies_of(matter: Matter, occasion: Occasion) -> Iterator[Notice]:
    """A copy to the department of each mailbox that the mail names and that has no part in its request."""
    request, division = matter.request, occasion.judged.division
    if division is None:
        return
    named = [*(one.mailbox for one in division.shares), *division.copies]
    known, departments = {part.mailbox for part in request.parts}, set(request.departments)
    for mailbox in named:
        if mailbox.address in known or mailbox.department is None or mailbox.department in departments:
            continue
        departments.add(mailbox.department)
        part = replace(request.parts[0], mailbox=mailbox.address, department=mailbox.department)
        yield from _word(part, replace(matter, is_copy=True, others=request.departments), occasion)


def _word(part: Part, matter: Matter, occasion: Occasion) -> Iterator[Notice]:
    mailbox = occasion.house.mailboxes.get(part.mailbox) or occasion.came_in_at
    if mailbox.mode is not Mode.FULL:
        return
    of_part = replace(matter.request, mailbox=mailbox.address, department=part.department, further=())
    targets = Targets(part.first_response_due, part.resolution_due)
    notice = notification(replace(matter, request=of_part, targets=targets), occasion.house, mailbox)
    if notice is not None:
        yield notice
