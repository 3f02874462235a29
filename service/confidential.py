"""What is not shown of confidential departments: who wrote, about what, and every word of it.

A department is confidential by `confidential = true` in its routing. Whoever may read the database can read all of it;
this is against words that appear on a screen, in a script or in a log where nobody asked for them.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from desk.request import Request
from service.routing import stored_routing
from service.settings import Settings
from store.ledger import Line

NEUTRAL = "(confidential)"

Hides = Callable[[Request], bool]


def hiding(settings: Settings, *, asked_for: str | None) -> Hides:
    """Which requests are hidden from who asked for that department by name (None: for none). Raises RoutingError.

    One of several departments is hidden where any of them is confidential; who names such a one sees it.
    """
    hidden = confidential_departments(settings)

    def hides(request: Request) -> bool:
        of = hidden.intersection(request.departments)
        return bool(of) and asked_for not in of

    return hides


def confidential_departments(settings: Settings) -> frozenset[str]:
    """The keys of the confidential departments. Raises RoutingError."""
    return frozenset(one.key for one in stored_routing(settings).departments if one.confidential)


def confidential_mailboxes(settings: Settings) -> frozenset[str]:
    """The mailboxes whose mail is for a confidential department where no rule says otherwise. Raises RoutingError."""
    hidden = confidential_departments(settings)
    return frozenset(one.address for one in settings.mailbox if one.department in hidden)


def wordless(line: Line, hidden: Collection[str]) -> Line:
    """The arrival without the words that rules hit in it, where a hidden department has it."""
    trace = line.trace or {}
    verdicts = [trace.get("classification", {}), *trace.get("parts", ())]
    if not any(verdict.get("department") in hidden for verdict in verdicts):
        return line
    silent: dict[str, Any] = {"classification": _without_hits(verdicts[0])}
    silent |= {"parts": list(map(_without_hits, verdicts[1:]))} if verdicts[1:] else {}
    return replace(line, trace=trace | silent)


def _without_hits(verdict: dict[str, Any]) -> dict[str, Any]:
    return verdict | {"rules": [rule | {"hits": []} for rule in verdict.get("rules", ())]}


def neutral(request: Request) -> Request:
    """The request without who and what; its number, state and moments stay."""
    return replace(request, subject=NEUTRAL, requester=None)
