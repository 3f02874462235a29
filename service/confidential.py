"""What is not shown of confidential departments: who wrote, about what, and every word of it.

A department is confidential by `confidential = true` in its routing. Whoever may read the database can read all of it;
this is against words that appear on a screen, in a script or in a log where nobody asked for them.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from desk.masked import without_addresses
from desk.request import Request
from service.routing import stored_routing
from service.settings import Settings
from store.holding import Owed
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


def wordless(line: Line, hidden: Collection[str], *, departments: Collection[str]) -> Line:
    """The arrival without words of the mail: those that rules hit, and what its header says of itself.

    Where a hidden department has it: one of its request, or one that its words point to.
    """
    trace = line.trace or {}
    verdicts = [trace.get("classification", {}), *trace.get("parts", ())]
    if not trace or not {*departments, *(verdict.get("department") for verdict in verdicts)} & set(hidden):
        return line
    told: dict[str, Any] = {
        "automatic": trace["automatic"] | {"evidence": []},
        "classification": _without_hits(verdicts[0]),
    }
    told |= {"parts": list(map(_without_hits, verdicts[1:]))} if verdicts[1:] else {}
    # A reason may quote the header; the rule says the same without it.
    told |= {key: trace[key] | {"reason": trace[key]["rule"]} for key in ("acknowledge", "would") if key in trace}
    return replace(line, trace=trace | told)


def _without_hits(verdict: dict[str, Any]) -> dict[str, Any]:
    return verdict | {"rules": [rule | {"hits": []} for rule in verdict.get("rules", ())]}


def unaddressed(mail: Owed) -> Owed:
    """The mail of ours without whom it is for, in the relay's words too; its number, state and moments stay."""
    reply = mail.last_reply and without_addresses(mail.last_reply, mail.recipient)
    return replace(mail, recipient=NEUTRAL, last_reply=reply)


def neutral(request: Request) -> Request:
    """The request without who and what; its number, state and moments stay."""
    return replace(request, subject=NEUTRAL, requester=None)
