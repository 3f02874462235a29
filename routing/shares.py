"""Which departments a mail to several mailboxes belongs to: one for each mailbox, and none twice.

1. Each mailbox is judged for itself, as if the mail had come to it alone; but what belongs to a department whose own
   mailbox is addressed too is that one's. So "my laptop, and my payslip" to help@ and hr@ is for IT and for payroll.
2. Where two mailboxes come out with the same department, that of neither, it stays with the one whose own department
   the rules say least of. The other goes on to its next best department if a rule speaks for it, and else has no share:
   a broken air conditioner told to help@ and hr@ is one matter of facilities.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from desk.classification import Classification
from routing.classify import Routable, Scored, scores, verdict
from routing.matcher import Matcher


@dataclass(frozen=True, slots=True)
class _Read:
    """A mail at one of its mailboxes, with the rules that hit there."""

    home: str | None
    scored: Sequence[Scored]

    def speaks_for(self, department: str | None) -> float:
        """What the rules alone give a department."""
        return sum(one.score for one in self.scored if one.bound.rule.department == department)


def shares(matcher: Matcher, mails: Sequence[Routable]) -> list[Classification | None]:
    """The classification at each of the mailboxes, None for one that has no share of its own.

    No two are of the same department. The mails are one mail, as each of its mailboxes sees it.
    """
    read = [_Read(mail.mailbox_department, scores(matcher, mail)) for mail in mails]
    found: dict[int, Classification | None] = {}
    for number in sorted(range(len(read)), key=lambda number: read[number].speaks_for(read[number].home)):
        taken = {one.department for one in found.values() if one is not None}
        found[number] = _share(matcher, read[number], {one.home for one in read}, taken)
    return [found[number] for number in range(len(read))]


def further_share(
    matcher: Matcher, mail: Routable, *, homes: Collection[str | None], taken: Collection[str]
) -> Classification | None:
    """The classification at one more mailbox, where departments have the mail already, which came to these homes."""
    read = _Read(mail.mailbox_department, scores(matcher, mail))
    return _share(matcher, read, {*homes, read.home}, set(taken))


def _share(matcher: Matcher, read: _Read, homes: set[str | None], taken: set[str]) -> Classification | None:
    others = homes - {read.home}
    first = verdict(matcher, read.scored, read.home, without=others)
    if first.department not in taken:
        return first
    second = verdict(matcher, read.scored, read.home, without=others | taken)
    return second if second.department not in taken and read.speaks_for(second.department) > 0 else None
