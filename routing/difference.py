"""What an import would change: two routings compared by what they mean, whatever their files look like."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import SequenceMatcher

from desk.department import Department, TargetPolicy
from desk.difference import Change, ChangeKind, FieldChange, Fields, differences
from routing.rules import CalendarTable, Condition, Routing, Rule

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


def routing_differences(before: Routing, after: Routing) -> tuple[Change, ...]:
    """Each calendar, department and rule that is not the same; then the rules that stand at another place.

    Order counts for rules because it breaks ties. Empty exactly where both classify and promise alike.
    """
    changes = differences(dict(_things(before)), dict(_things(after)))
    moved = _moved([rule.name for rule in before.rules.rules], [rule.name for rule in after.rules.rules])
    if not moved:
        return changes
    return (*changes, Change(ChangeKind.CHANGED, "order of the rules", (FieldChange("moved", (), moved),)))


def _moved(before: list[str], after: list[str]) -> tuple[str, ...]:
    """The rules of both that do not stand in the same order any more: as few as explain it."""
    old = [name for name in before if name in after]
    new = [name for name in after if name in before]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    kept = {name for block in matcher.get_matching_blocks() for name in new[block.b : block.b + block.size]}
    return tuple(name for name in new if name not in kept)


def _things(routing: Routing) -> Iterator[tuple[str, Fields]]:
    yield "default", {"department": (routing.rules.default_department,)}
    yield from ((f"calendar {one.key}", _calendar(one)) for one in routing.calendars)
    yield from ((f"department {one.key}", _department(one)) for one in routing.departments)
    yield from ((f"rule {one.name}", _rule(one)) for one in routing.rules.rules)


def _calendar(one: CalendarTable) -> Fields:
    return {
        "zone": (one.zone,),
        **{f"hours.{day}": spans for day, spans in one.hours.items()},
        "country": _text(one.country),
        "region": _text(one.region),
        **{f"closed.{day}": (name,) for day, name in one.closed.items()},
        "open_days": one.open_days,
    }


def _department(one: Department) -> Fields:
    return {
        **{f"names.{tag}": (name,) for tag, name in one.names.items()},
        "address": (one.address,),
        "calendar": (one.calendar,),
        "urgent_contact": _text(one.urgent_contact),
        "confidential": ("true",) if one.confidential else (),
        "retention_days": () if one.retention_days is None else (str(one.retention_days),),
        **{f"targets.{priority}": _policy(policy) for priority, policy in one.targets.items()},
    }


def _rule(one: Rule) -> Fields:
    return {
        "department": (one.department,),
        "category": _text(one.category or ""),
        "priority": _text(one.priority or ""),
        "weight": (f"{one.weight:g}",),
        "enabled": ("true" if one.enabled else "false",),
        "any": one.any,
        "all": one.all,
        "none": one.none,
        "where": tuple(one.where),
        **{key: texts for condition in one.conditions for key, texts in _condition(condition).items()},
    }


def _condition(one: Condition) -> Mapping[str, tuple[str, ...]]:
    return {f"{one.label}.any": one.any, f"{one.label}.all": one.all, f"{one.label}.none": one.none}


def _policy(one: TargetPolicy) -> tuple[str, ...]:
    return (f"answer in {_duration(one.first_response)}, solved in {_duration(one.resolution)}",)


def _duration(amount: timedelta) -> str:
    """As it is written: "4h", "90m"."""
    return f"{amount // _MINUTE}m" if amount % _HOUR else f"{amount // _HOUR}h"


def _text(value: str) -> tuple[str, ...]:
    return (value,) if value else ()
