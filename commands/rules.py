"""`deskbell rules`: which rules there are, and what they make of mails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import (
    USAGE,
    ConfigOption,
    JsonOption,
    content_of,
    fail,
    print_json,
    say,
    settings_of,
    surroundings,
    telling_errors,
)

if TYPE_CHECKING:
    from routing.matcher import Matcher
    from routing.rules import Rule
    from service.house import House
    from service.parser import Parser
    from service.rehearsal import Case, Outcome
    from service.settings import Settings

app = typer.Typer(help="Rules: which there are, and what they make of mails.", no_args_is_help=True)


@app.command("list", epilog="Example: deskbell rules list --department it")
def rules_list(
    config: ConfigOption = None,
    department: Annotated[str | None, typer.Option(help="Only of this department, by its key, such as it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the rules in their order."""
    from service import printing
    from service.routing import stored_routing

    with telling_errors():
        routing = stored_routing(settings_of(config))
        known = [one.key for one in routing.departments]
        if department not in (None, "*", *known):
            fail(f"{department!r} is no department: accepted are {', '.join(known)} and *", USAGE)
        found = [one for one in routing.rules.rules if department in (None, one.department)]
        if as_json:
            print_json([_as_value(one) for one in found])
        else:
            heads = ("name", "department", "category", "priority", "weight", "words", "looks at", "")
            printing.table(heads, (_row(one) for one in found))


@app.command("test", epilog='Example: deskbell rules test --subject "Paper jam" --text "third floor"')
def rules_test(  # noqa: PLR0913, PLR0917 - each option is a parameter
    files: Annotated[
        list[str] | None, typer.Argument(help='Mails (RFC 5322), folders of mails, or "-".', show_default=False)
    ] = None,
    config: ConfigOption = None,
    subject: Annotated[str, typer.Option(help="A subject to try.")] = "",
    text: Annotated[str, typer.Option(help="A text to try.")] = "",
    mailbox: Annotated[str, typer.Option(help="With subject or text: the mailbox it is written to.")] = "",
    sender: Annotated[str, typer.Option(help="With subject or text: the address it comes from.")] = "",
    last: Annotated[
        int | None, typer.Option(help="The mails that opened the last N requests.", min=1, show_default=False)
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option("--with", help="A routing file: which mails would change department.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which rules hit, what each department scores and by how much it wins; with a candidate, what would change."""
    from routing.classify import Routable
    from service import printing
    from service.house import UNSIGNED
    from service.modes import watched
    from service.parser import ParserProcess
    from service.rehearsal import in_words, outcomes, written_case
    from service.routing import stored_house

    with telling_errors():
        settings = settings_of(config)
        if not (files or subject or text or last):
            fail("nothing to test: give files, --subject or --text, or --last N", USAGE)
        if (mailbox or sender) and not (subject or text):
            fail("--mailbox and --sender go with --subject or --text: every other mail has its own", USAGE)
        house = stored_house(settings, surroundings(UNSIGNED))
        if mailbox:
            watched(house, mailbox)
        other = _matcher(candidate, settings) if candidate is not None else None
        with ParserProcess() as parser:
            cases = [written_case(Routable(subject, text, sender, mailbox), house)] if subject or text else []
            cases += [*_of_files(files or [], house, parser), *_of_store(last or 0, settings, house, parser)]
        found = list(outcomes(cases, house.matcher, other))
        if other is not None:
            _show_moves(found, as_json=as_json)
        elif as_json:
            print_json([_value(one) for one in found])
        else:
            printing.lines(line for one in found for line in (*in_words(one), ""))


def _matcher(file: str, settings: "Settings") -> "Matcher":
    from routing.matcher import Matcher
    from service.written import Written, decoded, read_written

    return Matcher(read_written(Written(decoded(content_of(file), file), file), settings).rules)


def _of_files(files: list[str], house: "House", parser: "Parser") -> Iterator["Case"]:
    from service.explain import listed, mails
    from service.printing import progress
    from service.rehearsal import file_case

    for place in progress(listed(files, mbox_wanted=False)):
        yield from (file_case(found, house, parser) for found in mails(place))


def _of_store(last: int, settings: "Settings", house: "House", parser: "Parser") -> Iterator["Case"]:
    from service.installation import reading
    from service.printing import progress
    from service.rehearsal import stored_case
    from store import mails

    if not last:
        return
    with reading(settings) as database:
        with database.read() as connection:
            ids = mails.opened_lately(connection, last)
        yield from (stored_case(database, one, house, parser) for one in progress(ids))


def _show_moves(found: "list[Outcome]", *, as_json: bool) -> None:
    from service import printing
    from service.rehearsal import moved

    moves = [one for one in found if one.moves]
    counts = moved(found).most_common()
    regraded = sum(one.regraded for one in found)
    if as_json:
        pairs = [{"from": before, "to": after, "count": count} for (before, after), count in counts]
        shown = {"mails": len(found), "moved": len(moves), "regraded": regraded, "moves": pairs}
        print_json(shown | {"changes": [_value(one) for one in moves]})
        return
    if moves:
        rows = ((one.case.name, one.now.department, one.then.department, one.case.subject) for one in moves if one.then)
        printing.table(("mail", "now", "then", "subject"), rows)
        printing.lines(f"{before} -> {after}: {count}" for (before, after), count in counts)
    say(f"{len(moves)} of {len(found)} mails change department; {regraded} stay with another category or priority")


def _value(one: "Outcome") -> dict[str, object]:
    from service.rehearsal import as_value

    return as_value(one)


def _as_value(rule: "Rule") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(rule)


def _row(rule: "Rule") -> tuple[str, ...]:
    words = len(rule.any) + len(rule.all) + len(rule.none)
    looks_at = ", ".join([*rule.where, *(condition.label for condition in rule.conditions)])
    plain = (rule.name, rule.department, rule.category or "", str(rule.priority or ""), f"{rule.weight:g}")
    return (*plain, str(words), looks_at, "" if rule.enabled else "switched off")
