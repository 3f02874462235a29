"""A routing file becomes values, or one error that says where, what and what instead."""

from datetime import timedelta

import pytest

from desk.classification import Priority
from desk.department import Department, TargetPolicy
from routing.reading import read_routing
from routing.rules import KEYWORDS, CalendarTable, Condition, Routing, Rule, Where, starter_text
from routing.tables import RoutingError

HEAD = """
default = "it"
[calendars.office]
zone = "Europe/Warsaw"
[calendars.office.hours]
mon-thu = ["08:00-12:00", "12:30-24:00"]
fri = ["08:00-14:00"]
[departments.it]
names = { en = "IT", pl = "Wsparcie" }
calendar = "office"
targets = { normal = { first_response = "4h", resolution = "90h" } }
"""
RULE = """
[[rules]]
name = "printer"
department = "it"
any = ["printer*"]
"""


def read(text: str) -> Routing:
    return read_routing(text, source="routing.toml", default_domain="corp.example")


def refused(text: str) -> RoutingError:
    with pytest.raises(RoutingError) as caught:
        read(text)
    return caught.value


def test_a_department_has_names_targets_and_by_default_its_key_as_address():
    assert read(HEAD).departments == (
        Department(
            key="it",
            names={"en": "IT", "pl": "Wsparcie"},
            address="it@corp.example",
            calendar="office",
            targets={Priority.NORMAL: TargetPolicy(timedelta(hours=4), timedelta(hours=90))},
        ),
    )


def test_a_department_may_have_its_own_address_and_a_way_for_what_cannot_wait():
    text = HEAD.replace(
        'calendar = "office"', 'calendar = "office"\naddress = "a@b.example"\nurgent_contact = "call 1"'
    )
    (department,) = read(text).departments
    assert (department.address, department.urgent_contact) == ("a@b.example", "call 1")


def test_a_department_keeps_everything_unless_it_says_for_how_many_days():
    assert read(HEAD).departments[0].retention_days is None
    assert read(kept_for("365")).departments[0].retention_days == 365


@pytest.mark.parametrize("days", ["0", "-1", "0.5", "true", '"30"', "36501"])
def test_days_that_make_no_sense_are_refused(days):
    with pytest.raises(RoutingError, match=r"departments\.it: retention_days: found .*accepted: a"):
        read(kept_for(days))


def kept_for(days):
    """A department that keeps its requests for so long."""
    return HEAD.replace('calendar = "office"', f'calendar = "office"\nretention_days = {days}')


def test_a_calendar_has_spans_by_weekday():
    (calendar,) = read(HEAD).calendars
    long_day = ("08:00-12:00", "12:30-24:00")
    assert calendar.hours == {
        "mon": long_day,
        "tue": long_day,
        "wed": long_day,
        "thu": long_day,
        "fri": ("08:00-14:00",),
    }


def test_a_calendar_may_begin_on_sunday_close_days_and_open_them():
    text = HEAD.replace("mon-thu", "sat-mon").replace(
        'zone = "Europe/Warsaw"',
        'zone = "system"\ncountry = "PL"\nregion = "x"\nclosed = { "2026-12-24" = "Eve" }\nopen_days = ["2026-05-02"]',
    )
    (calendar,) = read(text).calendars
    assert [*calendar.hours] == ["sat", "sun", "mon", "fri"]
    assert calendar == CalendarTable(
        key="office",
        zone="system",
        hours=calendar.hours,
        country="PL",
        region="x",
        closed={"2026-12-24": "Eve"},
        open_days=("2026-05-02",),
    )


def test_a_rule_of_few_words_gets_the_defaults():
    ruleset = read(HEAD + RULE).rules
    assert ruleset.default_department == "it"
    assert ruleset.rules == (Rule(name="printer", department="it", any=("printer*",)),)


def test_a_rule_keeps_its_words_as_written_and_everything_else():
    text = (
        HEAD
        + """
        [[rules]]
        name = "R"
        department = "*"
        category = "c"
        priority = "urgent"
        weight = 2
        all = [" Hasło "]
        none = ["x"]
        where = ["body"]
        enabled = false
        sender.any = ["*@corp.example"]
        mailbox.none = ["hr"]
        header.X-Origin.all = ["scanner", "2"]
        """
    )
    (rule,) = read(text).rules.rules
    assert rule == Rule(
        name="R",
        department="*",
        category="c",
        priority=Priority.URGENT,
        weight=2.0,
        all=("Hasło",),
        none=("x",),
        where=(Where.BODY,),
        conditions=(
            Condition(Where.SENDER, any=("*@corp.example",)),
            Condition(Where.MAILBOX, none=("hr",)),
            Condition(Where.HEADER, "x-origin", all=("scanner", "2")),
        ),
        enabled=False,
    )


def test_a_condition_is_labelled_as_it_is_written():
    assert Condition(Where.SENDER).label == "sender"
    assert Condition(Where.HEADER, "x-origin").label == "header.x-origin"


def test_minutes_are_a_target_too():
    text = HEAD.replace('"4h"', '"90m"')
    assert read(text).departments[0].targets[Priority.NORMAL].first_response == timedelta(minutes=90)


def test_the_error_says_source_rule_key_value_and_what_would_be_accepted():
    error = refused(HEAD + RULE + 'priority = "now"')
    assert (error.source, error.place, error.key) == ("routing.toml", 'rule "printer"', "priority")
    assert (error.found, error.accepted) == ("'now'", "low, normal, high, urgent")
    assert str(error) == ("routing.toml: rule \"printer\": priority: found 'now'; accepted: low, normal, high, urgent")


@pytest.mark.parametrize(
    ("line", "key", "found"),
    [
        ("colour = 1", "colour", "an unknown key"),
        ('any = "printer"', "any", "'printer'"),
        ("any = [1]", "any", "[1]"),
        ('any = [""]', "any", "''"),
        ('any = ["*"]', "any", "'*'"),
        ('any = ["a*b"]', "any", "'a*b'"),
        ('any = ["\\u00ad\\u0301"]', "any", "'\\xad\u0301'"),
        (f'any = ["{"x" * 201}"]', "any", "'" + "x" * 79 + "..."),
        ("any = []", "any", "[]"),
        ('none = ["x"]', "any", "nothing"),
        ('where = ["sender"]', "where", "['sender']"),
        ("weight = -1", "weight", "-1"),
        ("weight = nan", "weight", "nan"),
        ("weight = 101", "weight", "101"),
        ("weight = true", "weight", "True"),
        ('weight = "1"', "weight", "'1'"),
        ("enabled = 1", "enabled", "1"),
        ('department = "sales"', "department", "'sales'"),
        ("department = 7", "department", "7"),
        ('name = ""', "name", "''"),
        ("category = 5", "category", "5"),
        ("sender = 5", "sender", "5"),
        ("sender = {}", "any", "nothing"),
        ('sender.any = ["a*@b"]', "any", "'a*@b'"),
        ('sender.any = ["*"]', "any", "'*'"),
        ('sender.some = ["a"]', "some", "an unknown key"),
        ('header.x.any = ["a*"]', "any", "'a*'"),
        ('header."x y".any = ["a"]', "x y", "key 'x y'"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_where_it_stands(line, key, found):
    key_of_line = line.partition(" ")[0]
    kept = [part for part in RULE.splitlines() if not part.startswith(f"{key_of_line} ")]
    if line.startswith("none"):
        kept = [part for part in kept if not part.startswith("any")]
    error = refused(HEAD + "\n".join([*kept, line]))
    assert (error.key, error.found) == (key, found)


@pytest.mark.parametrize(
    ("old", "new", "place", "key"),
    [
        ('default = "it"', "", "", "default"),
        ('default = "it"', 'default = "hr"', "", "default"),
        ('default = "it"', 'default = "it"\nmore = 1', "", "more"),
        ("[departments.it]", "[departments.IT]", "departments", "IT"),
        ('en = "IT", ', "", "departments.it names", "en"),
        ('en = "IT"', 'en = "IT", "b d" = "x"', "departments.it names", "b d"),
        ('calendar = "office"', 'calendar = "shop"', "departments.it", "calendar"),
        ('calendar = "office"', 'calendar = "office"\naddress = "it"', "departments.it", "address"),
        ('calendar = "office"', 'calendar = "office"\nhead = "x"', "departments.it", "head"),
        ('"4h"', '"2d"', "departments.it targets normal", "first_response"),
        ('"4h"', "4", "departments.it targets normal", "first_response"),
        ('"4h"', '"0h"', "departments.it targets normal", "first_response"),
        ('"90h"', '"90m"', "departments.it targets normal", "first_response"),
        ('"90h"', '"90h", x = 1', "departments.it targets normal", "x"),
        ("{ normal", "{ soon", "departments.it targets", "soon"),
        ("{ normal", "{ high", "departments.it targets", "normal"),
        ("[calendars.office]", "[calendars.Office]", "calendars", "Office"),
        ('zone = "Europe/Warsaw"', "", "calendars.office", "zone"),
        ('zone = "Europe/Warsaw"', 'zone = "x"\nopen_days = ["2026-02-30"]', "calendars.office", "open_days"),
        ('zone = "Europe/Warsaw"', 'zone = "x"\nclosed = { easter = "x" }', "calendars.office closed", "easter"),
        ('zone = "Europe/Warsaw"', 'zone = "x"\nsize = 3', "calendars.office", "size"),
        ("mon-thu", "monday", "calendars.office hours", "monday"),
        ("mon-thu", "mon-", "calendars.office hours", "mon-"),
        ("mon-thu", "mon-fri", "calendars.office hours", "fri"),
        ('"08:00-12:00"', '"8-12"', "calendars.office hours", "mon-thu"),
        ('"08:00-12:00"', '"08:00-13:00"', "calendars.office hours", "mon-thu"),
        ('"08:00-12:00"', '"08:00-08:00"', "calendars.office hours", "mon-thu"),
        ('fri = ["08:00-14:00"]', 'fri = "08:00-14:00"', "calendars.office hours", "fri"),
    ],
)
def test_a_department_or_calendar_that_cannot_be_used_is_refused_where_it_stands(old, new, place, key):
    assert old in HEAD
    error = refused(HEAD.replace(old, new))
    assert (error.place, error.key) == (place, key)


def test_a_calendar_that_never_works_is_refused():
    text = HEAD.replace('mon-thu = ["08:00-12:00", "12:30-24:00"]', "").replace('["08:00-14:00"]', "[]")
    assert refused(text).place == "calendars.office hours"


@pytest.mark.parametrize("text", ["", 'default = "it"', HEAD.partition("[departments")[0]])
def test_a_file_without_calendar_or_department_is_refused(text):
    assert "at least one table" in refused(text).accepted


def test_two_rules_of_one_name_are_refused():
    error = refused(HEAD + RULE + RULE)
    assert (error.key, error.found) == ("name", "'printer'")


def test_rules_must_be_written_as_tables():
    assert refused('rules = ["x"]\n' + HEAD).accepted == "tables written as [[rules]]"


def test_more_keywords_than_a_set_may_hold_are_refused():
    words = ",".join(f'"w{number}"' for number in range(KEYWORDS))
    assert str(KEYWORDS) in refused(HEAD + RULE + f"none = [{words}]").accepted


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "x = " + "[" * 5000])
def test_what_is_no_toml_is_refused_with_its_source(text):
    error = refused(text)
    assert (error.source, error.accepted) == ("routing.toml", "TOML")


@pytest.mark.parametrize(
    "wrong", [{}, {"none": ("x",)}, {"any": ("x",), "weight": -1.0}, {"any": ("x",), "weight": float("nan")}]
)
def test_a_rule_that_asks_for_nothing_or_weighs_nonsense_cannot_be_made(wrong):
    with pytest.raises(ValueError, match=r"at least|weight"):
        Rule(name="r", department="it", **wrong)


@pytest.mark.parametrize("where", [(), (Where.SENDER,)])
def test_a_rule_that_looks_for_words_elsewhere_cannot_be_made(where):
    with pytest.raises(ValueError, match="subject, body"):
        Rule(name="r", department="it", any=("x",), where=where)


def test_the_starter_file_is_read_from_the_package_and_accepted():
    assert len(read(starter_text()).departments) == 4
