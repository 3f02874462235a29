"""The tables and examples of the README say what the program does: they are held against its own declarations."""

import json
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import get_args

import pytest
from pydantic.fields import FieldInfo

from desk import limiter
from desk.acknowledge import RULES, Mode
from desk.arrival import Fate
from desk.lifecycle import TRANSITIONS, Event, State
from routing.reading import read_routing
from service import pipeline
from service.notation import Section, section_in
from service.server import Tls
from service.settings import Settings, load
from service.setup_answers import Answers, OauthAnswer, read_answers, require_complete
from service.setup_files import files_of

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """What stands under a heading, up to the next one of the same or a higher level."""
    (level,) = re.findall(rf"^(#+) {re.escape(heading)}$", README, re.MULTILINE)
    rest = re.split(rf"^{level} {re.escape(heading)}$", README, flags=re.MULTILINE)[1]
    return re.split(rf"^#{{2,{len(level)}}} ", rest, flags=re.MULTILINE)[0]


def table(heading: str) -> list[list[str]]:
    """The rows of the section's first table, head included, cell by cell; code marks are left out."""
    lines = section(heading).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = takewhile(lambda line: line.startswith("|"), lines[first:])
    cells = [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]
    return [cells[0], *cells[2:]]


def first_toml(heading: str) -> str:
    found = re.search(r"```toml\n(.*?)```", section(heading), re.DOTALL)
    assert found
    return found[1]


def plain(settings: type[Section], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting that is no table, by its dotted key."""
    for name, field in settings.model_fields.items():
        inner = section_in(field)
        if inner is None:
            yield f"{above}{name}", field
        else:
            yield from plain(inner, f"{above}{name}.")


def defaults(field: FieldInfo) -> set[str]:
    """What the cell must contain: a default that depends on tls is there with each of its values."""
    if field.is_required():
        return {"required"}
    if field.default_factory is not None:
        made = [field.default_factory({"tls": tls}) for tls in get_args(Tls)]  # type: ignore[call-arg]
        return {json.dumps(one) for one in made if one != ()}
    return {"none" if field.default is None else json.dumps(field.default)}


SETTINGS = dict(plain(Settings))


def test_the_picture_names_the_steps_of_the_pipeline_in_their_order() -> None:
    steps = re.findall(r"^(\d \w+)", pipeline.__doc__ or "", re.MULTILINE)
    drawn = re.findall(r"^ *(\d \w+)", section("The way of a mail"), re.MULTILINE)
    assert steps
    assert drawn == steps


def test_the_table_of_fates_names_each_fate_once_and_in_order() -> None:
    _, *rows = table("What becomes of a mail")
    assert [row[0] for row in rows] == list(Fate)


def test_the_table_of_receipts_has_the_rules_in_the_order_in_which_they_are_asked() -> None:
    _, *rows = table("Who gets a receipt")
    assert [(row[0], row[2]) for row in rows] == [(rule.name, rule.decision) for rule in RULES]


def test_the_table_of_limits_has_the_rules_in_the_order_in_which_they_are_asked() -> None:
    """Only outsiders meet the first two; of the others, the verdict is that for our own people."""
    _, *rows = table("Limits on receipts")
    assert [(row[0], row[2].split(" ")[0]) for row in rows] == [
        (rule.name, "" if number < 2 else rule.verdict) for number, rule in enumerate(limiter.RULES)
    ]


def test_the_table_of_modes_names_each_mode() -> None:
    _, *rows = table("Modes, and the evening report")
    assert [row[0] for row in rows] == list(Mode)


def test_the_table_of_the_lifecycle_is_the_one_that_requests_follow() -> None:
    (_, *events), *rows = table("Lifecycle of a request")
    shown = {
        (State(state), Event(event)): State(after)
        for state, *afters in rows
        for event, after in zip(events, afters, strict=True)
    }
    assert shown == TRANSITIONS


def test_the_drawing_of_the_lifecycle_shows_each_state_and_each_event() -> None:
    drawing = section("Lifecycle of a request").partition("\n\n`new`")[0]
    for word in (*State, *Event):
        assert re.search(rf"\b{word}\b", drawing), word


def test_the_table_of_settings_names_each_setting_once() -> None:
    _, *rows = table("Settings")
    assert sorted(row[0] for row in rows) == sorted(SETTINGS)


@pytest.mark.parametrize("key", SETTINGS)
def test_the_table_of_settings_shows_the_default(key: str) -> None:
    (cell,) = [row[1] for row in table("Settings")[1:] if row[0] == key]
    wanted = defaults(SETTINGS[key])
    if SETTINGS[key].default_factory is None:
        assert {cell} == wanted
    else:
        assert cell
        assert wanted == set(re.findall(r"\d+", cell))


def test_the_table_of_settings_gives_each_setting_a_meaning() -> None:
    assert not [row for row in table("Settings") if len(row) != 3 or not row[2]]


def test_the_example_configuration_loads_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(first_toml("Run it"), encoding="utf-8")
    settings = load(path)
    assert [mailbox.address for mailbox in settings.mailbox] == ["help@corp.example"]
    assert settings.smtp is not None
    assert settings.smtp.port == 587


def test_the_answers_of_the_example_are_complete_and_lead_to_the_example_configuration(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(first_toml("Set it up"), encoding="utf-8")
    answers = read_answers(path, provider=None)
    require_complete(answers, path)
    (tmp_path / "config.toml").write_text(files_of(answers)["config.toml"], encoding="utf-8")
    assert [mailbox.address for mailbox in load(tmp_path / "config.toml").mailbox] == ["help@corp.example"]


def test_the_example_of_answers_names_every_one_that_can_be_given() -> None:
    shown = first_toml("Set it up")
    plain = {"port", "tls", "ca_file", "zone", "user", "password", "password_env", "password_command", "login"}
    wanted = {*Answers.model_fields, *OauthAnswer.model_fields} - {"client_secret"} | plain
    assert not [name for name in wanted if not re.search(rf"\b{name}\b", shown)]


def test_the_example_of_routing_is_complete() -> None:
    routing = read_routing(
        first_toml("Departments, calendars and rules"), source="the README", default_domain="corp.example"
    )
    assert [department.key for department in routing.departments] == ["it"]


def test_the_configuration_of_the_example_names_a_department_of_the_example_of_routing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(first_toml("Run it"), encoding="utf-8")
    routing = first_toml("Departments, calendars and rules")
    assert f"[departments.{load(path).mailbox[0].department}]" in routing
