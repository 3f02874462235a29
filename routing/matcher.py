"""All keywords of all rules as one automaton: one pass over a text finds every keyword, however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ahocorasick_rs import AhoCorasick

from desk.mail import ascii_fold
from routing.rules import Condition, Rule, RuleSet, Where
from routing.text import Keyword, keyword, normal


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule with its keywords as the matcher's numbers, and its patterns in the form they are compared in."""

    order: int
    rule: Rule
    any: tuple[int, ...]
    all: tuple[int, ...]
    none: tuple[int, ...]
    conditions: tuple[Condition, ...]

    written: Mapping[int, tuple[int, str]]
    """Each keyword that can score: its place in the rule, and as the admin wrote it."""


class Matcher:
    """The enabled rules of a rule set, ready to be asked which keywords a text holds and which rules these concern.

    Immutable once made; made anew when the rules change. A keyword stands at word borders, except at an end that is
    free (routing.text.Keyword).
    """

    def __init__(self, ruleset: RuleSet) -> None:
        self.default_department = ruleset.default_department
        self._numbers: dict[Keyword, int] = {}
        self._awaiting: dict[int, list[Bound]] = defaultdict(list)
        self._always: list[Bound] = []
        for order, rule in enumerate(ruleset.rules):
            if rule.enabled:
                self._file(self._bound(order, rule))
        self._variants: dict[str, list[tuple[int, Keyword]]] = defaultdict(list)
        for form, number in self._numbers.items():
            self._variants[form.core].append((number, form))
        self._by_needle = [*self._variants.values()]
        self._automaton = AhoCorasick([*self._variants])

    def found(self, text: str) -> frozenset[int]:
        """Give the numbers of all keywords that stand in a text of normal form."""
        found: set[int] = set()
        for needle, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for number, form in self._by_needle[needle]:
                if number not in found and form.stands(text, start, end):
                    found.add(number)
        return frozenset(found)

    def candidates(self, found: Iterable[int]) -> list[Bound]:
        """Give the rules that can hit a mail holding these keywords, in the order of the rule set."""
        concerned = {bound.order: bound for number in found for bound in self._awaiting.get(number, ())}
        concerned.update((bound.order, bound) for bound in self._always)
        return [concerned[order] for order in sorted(concerned)]

    def _file(self, bound: Bound) -> None:
        """Put a rule where the keywords lead without one of which it cannot hit."""
        needed = bound.any or bound.all[:1]
        for number in dict.fromkeys(needed):
            self._awaiting[number].append(bound)
        if not needed:
            self._always.append(bound)

    def _bound(self, order: int, rule: Rule) -> Bound:
        any_of, all_of, none_of = map(self._numbered, (rule.any, rule.all, rule.none))
        written: dict[int, tuple[int, str]] = {}
        for place, (number, keyword_written) in enumerate(zip(any_of + all_of, rule.any + rule.all, strict=True)):
            written.setdefault(number, (place, keyword_written))
        return Bound(
            order=order,
            rule=rule,
            any=any_of,
            all=all_of,
            none=none_of,
            conditions=tuple(map(_comparable, rule.conditions)),
            written=written,
        )

    def _numbered(self, keywords: Iterable[str]) -> tuple[int, ...]:
        """Give the number of each keyword; equal keywords share one."""
        return tuple(self._numbers.setdefault(keyword(written), len(self._numbers)) for written in keywords)


def _comparable(condition: Condition) -> Condition:
    fold = normal if condition.where is Where.HEADER else ascii_fold
    return replace(
        condition,
        any=tuple(map(fold, condition.any)),
        all=tuple(map(fold, condition.all)),
        none=tuple(map(fold, condition.none)),
    )
