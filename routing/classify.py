"""Which department a mail belongs to, and why: rules that hit add up to scores, and the highest score wins.

1. A rule hits when one keyword of any, each of all and none of none is found, and each of its conditions is met.
2. Its score is its weight times the sum of its five best hits: 2 for a keyword in the subject or a condition's
   pattern, 1 for a keyword in the body only; each keyword counts once.
3. A department's score is the sum of its rules; the mailbox's own department has 1 more, because people mostly know
   where they write.
4. The highest score wins. Of equals the mailbox's own department wins, then the one whose rule stands first.
5. Without any score the mailbox's own department has the mail, else the default department.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from desk.classification import Classification, Priority, RuleHit
from desk.mail import ascii_fold
from routing.matcher import Bound, Matcher
from routing.rules import EVERY, Condition, Where
from routing.text import normal

PRIOR = 1.0
"""What the mailbox's own department has before any rule is asked."""

_COUNTED = 5
_DIGITS = 6
_SUBJECT, _BODY = 2.0, 1.0
_RANK = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class Routable:
    """What rules look at: decoded subject, text (at most text.LIMIT characters), bare addresses, headers by lower name.

    Mailbox_department is the department whose mailbox it came in at, None where mail of several is mixed.
    """

    subject: str
    text: str
    sender: str = ""
    mailbox: str = ""
    mailbox_department: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A mail as the rules see it: the keywords found by part, and what a condition can be held against."""

    subject: frozenset[int]
    body: frozenset[int]
    both: frozenset[int]
    mail: Routable

    def words(self, where: Collection[Where]) -> frozenset[int]:
        """Give the keywords found in the parts a rule looks at."""
        if len(where) > 1:
            return self.both
        return self.subject if Where.SUBJECT in where else self.body


@dataclass(frozen=True, slots=True)
class Scored:
    """A rule that hit, with its score and the words."""

    bound: Bound
    score: float
    hits: tuple[str, ...]


def classify(matcher: Matcher, mail: Routable) -> Classification:
    """Give the department a mail belongs to, with category, priority, runner-up and every rule that hit.

    Deterministic and total: every mail has a department.
    """
    return verdict(matcher, scores(matcher, mail), mail.mailbox_department)


def scores(matcher: Matcher, mail: Routable) -> list[Scored]:
    """Give every rule that hits, in the order of the rules."""
    subject, body = matcher.found(normal(mail.subject)), matcher.found(normal(mail.text))
    seen = _Seen(subject, body, subject | body, mail)
    return [hit for bound in matcher.candidates(seen.both) if (hit := _scored(bound, seen))]


def verdict(
    matcher: Matcher, scored: Sequence[Scored], home: str | None, *, without: Collection[str | None] = ()
) -> Classification:
    """Give steps 3 to 5; without: departments that are out of the question."""
    ranking = [pair for pair in _ranking(scored, home) if pair[0] not in without]
    department, score = ranking[0] if ranking else (matcher.default_department, 0.0)
    runner_up, second = ranking[1] if len(ranking) > 1 else (None, 0.0)
    return Classification(
        department=department,
        category=_category(scored, department),
        priority=_priority(scored, department),
        score=score,
        runner_up=runner_up,
        margin=round(score - second, _DIGITS),
        rules=tuple(RuleHit(one.bound.rule.name, one.score, one.hits) for one in scored),
    )


def _ranking(scored: Iterable[Scored], home: str | None) -> list[tuple[str, float]]:
    """Give the departments with their scores, best first; equals stay in the order of step 4."""
    shares: dict[str, list[float]] = defaultdict(list)
    if home is not None:
        shares[home].append(PRIOR)
    for one in scored:
        if one.score > 0:
            shares[one.bound.rule.department].append(one.score)
    # Exact sums, rounded once: the order of rules cannot turn a tie into a winner.
    sums = ((key, round(math.fsum(parts), _DIGITS)) for key, parts in shares.items())
    return sorted(sums, key=lambda pair: -pair[1])


def _category(scored: Iterable[Scored], department: str) -> str | None:
    """Give the category of the department's best rule that names one, the first of equals."""
    own = [one for one in scored if one.bound.rule.department == department and one.bound.rule.category]
    return max(own, key=lambda one: one.score).bound.rule.category if own else None


def _priority(scored: Iterable[Scored], department: str) -> Priority:
    set_by_rules = (
        one.bound.rule.priority
        for one in scored
        if one.bound.rule.department in {department, EVERY} and one.bound.rule.priority
    )
    return max(set_by_rules, key=_RANK.__getitem__, default=Priority.NORMAL)


def _scored(bound: Bound, seen: _Seen) -> Scored | None:
    words = seen.words(bound.rule.where)
    if not _met(bound, words):
        return None
    hits = [*_word_hits(bound, words, seen.subject)]
    for condition in bound.conditions:
        patterns = _condition_hits(condition, seen.mail)
        if patterns is None:
            return None
        hits += [(_SUBJECT, f"{condition.label}: {pattern}") for pattern in patterns]
    best = sorted((points for points, _ in hits), reverse=True)[:_COUNTED]
    weight = 0.0 if bound.rule.department == EVERY else bound.rule.weight
    return Scored(bound, round(weight * sum(best), _DIGITS), tuple(label for _, label in hits))


def _met(group: Bound | Condition, held: frozenset[int] | set[str]) -> bool:
    return (
        (not group.any or not held.isdisjoint(group.any)) and held.issuperset(group.all) and held.isdisjoint(group.none)
    )


def _word_hits(bound: Bound, words: frozenset[int], in_subject: frozenset[int]) -> Iterator[tuple[float, str]]:
    found = sorted((bound.written[number], number) for number in words & bound.written.keys())
    for (_, written), number in found:
        if number in in_subject and Where.SUBJECT in bound.rule.where:
            yield _SUBJECT, f"{Where.SUBJECT}: {written}"
        else:
            yield _BODY, f"{Where.BODY}: {written}"


def _condition_hits(condition: Condition, mail: Routable) -> list[str] | None:
    """Give the patterns of a condition that hold, or None where it is not met."""
    held = {
        pattern for pattern in (*condition.any, *condition.all, *condition.none) if _holds(pattern, condition, mail)
    }
    if not _met(condition, held):
        return None
    return [pattern for pattern in dict.fromkeys((*condition.any, *condition.all)) if pattern in held]


def _holds(pattern: str, condition: Condition, mail: Routable) -> bool:
    if condition.where is Where.HEADER:
        return any(pattern in normal(value) for name, value in mail.headers if name == condition.header)
    address = ascii_fold(mail.sender if condition.where is Where.SENDER else mail.mailbox)
    if "@" not in pattern:
        return pattern in address
    return address.endswith(pattern[1:]) if pattern.startswith("*") else address == pattern
