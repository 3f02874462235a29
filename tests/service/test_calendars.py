"""A calendar as written becomes the calendar that was meant, or an error that says what to write instead."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from desk.targets import add_working_time
from service.calendars import CalendarError, CalendarSpec, build_calendar, system_zone_name

ROOT = Path(__file__).parents[2]
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:30", "13:00-17:00"))
OFFICE = CalendarSpec(key="office", zone="Europe/Warsaw", hours=WEEK, country="PL")


def built(**changes):
    return build_calendar(replace(OFFICE, **changes), system_zone="Asia/Tokyo")


def closed(day, **changes):
    return built(**changes).closed_day(date.fromisoformat(day))


def test_hours_become_spans_by_weekday():
    assert built().hours == dict.fromkeys(range(5), ((time(9), time(12, 30)), (time(13), time(17))))


def test_24_00_is_the_end_of_the_day():
    assert built(hours={"sun": ("00:00-24:00",)}).hours == {6: ((time.min, time.max),)}


def test_a_day_may_be_listed_without_hours():
    assert built(hours={"mon": ("09:00-17:00",), "sat": ()}).hours[5] == ()


@pytest.mark.parametrize(("zone", "meant"), [("Europe/Warsaw", "Europe/Warsaw"), ("system", "Asia/Tokyo")])
def test_the_zone_is_the_named_one_or_that_of_the_system(zone, meant):
    assert built(zone=zone).zone.key == meant


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-11-11", "Narodowe Święto Niepodległości"),
        ("2026-12-24", "Wigilia Bożego Narodzenia"),
        ("2026-12-25", "Boże Narodzenie (pierwszy dzień)"),
        ("2027-01-01", "Nowy Rok"),
        ("2031-11-11", "Narodowe Święto Niepodległości"),
        ("2026-11-10", None),
        ("2024-12-24", None),
    ],
)
def test_polish_holidays_are_closed_days_in_any_year_and_in_polish(day, name):
    assert closed(day) == name


def test_the_name_of_a_holiday_does_not_follow_the_locale_of_the_process():
    program = (
        "from datetime import date\n"
        "from service.calendars import *\n"
        "s = CalendarSpec('o', 'UTC', {'mon': ('09:00-17:00',)}, 'PL')\n"
        "print(ascii(build_calendar(s, system_zone='UTC').closed_day(date(2026, 1, 1))))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"LANGUAGE": language},
            capture_output=True,
            check=True,
            text=True,
            cwd=ROOT,
        ).stdout
        for language in ("de", "uk")
    }
    assert told == {"'Nowy Rok'\n"}


@pytest.mark.parametrize(
    ("region", "name"), [(None, None), ("BY", "Heilige Drei Könige"), ("Bayern", "Heilige Drei Könige"), ("HH", None)]
)
def test_a_region_has_holidays_of_its_own(region, name):
    assert closed("2026-01-06", country="DE", region=region) == name


def test_a_country_with_one_language_needs_no_name_for_it():
    assert closed("2026-12-25", country="US") == "Christmas Day"


def test_without_a_country_no_day_is_a_holiday():
    assert closed("2026-11-11", country=None) is None


CLOSED = {"2026-12-31": "Inventory", "--12-24": "Christmas party", "--02-29": "Leap day", "2026-11-11": "Own name"}


@pytest.mark.parametrize(
    ("day", "name"),
    [
        pytest.param("2026-12-31", "Inventory", id="that date"),
        pytest.param("2027-12-31", None, id="not in another year"),
        pytest.param("2026-12-24", "Christmas party", id="each year"),
        pytest.param("2031-12-24", "Christmas party", id="each later year"),
        pytest.param("2028-02-29", "Leap day", id="each year that has it"),
        pytest.param("2026-11-11", "Own name", id="the own name of a holiday"),
        pytest.param("2026-12-25", "Boże Narodzenie (pierwszy dzień)", id="holidays remain"),
    ],
)
def test_own_closed_days_come_on_top_of_the_holidays(day, name):
    assert closed(day, closed=CLOSED) == name


@pytest.mark.parametrize("day", ["2026-11-11", "2026-12-24"])
def test_an_open_day_is_worked_although_a_holiday_or_a_yearly_closed_day(day):
    assert closed(day, closed={"--12-24": "Christmas party"}, open_days=(day,)) is None


def test_an_open_day_is_open_that_year_only():
    assert closed("2027-11-11", open_days=("2026-11-11",)) == "Narodowe Święto Niepodległości"


def test_a_built_calendar_counts_over_christmas():
    received = datetime(2026, 12, 23, 15, 30, tzinfo=UTC)
    reached = add_working_time(built(), received, timedelta(hours=2))
    assert reached == datetime(2026, 12, 28, 9, 30, tzinfo=UTC)


WRONG = [
    pytest.param({"zone": "Europe/Warszawa"}, "zone is 'Europe/Warszawa'", '"Europe/Warsaw"', id="zone"),
    pytest.param({"zone": "Europe"}, "zone is 'Europe'", "IANA", id="a folder of zones"),
    pytest.param({"zone": "/etc/passwd"}, "zone is '/etc/passwd'", "IANA", id="a path"),
    pytest.param({"zone": ""}, "zone is ''", '"system"', id="no zone"),
    pytest.param({"hours": {"monday": ("09:00-17:00",)}}, "hours is 'monday'", "mon, tue, wed", id="weekday"),
    pytest.param({"hours": {}}, "hours is {}", "at least one span", id="no hours"),
    pytest.param({"hours": {"mon": ()}}, "hours is {'mon': ()}", "at least one span", id="no span"),
    pytest.param({"hours": {"mon": ("9-17",)}}, "hours.mon is '9-17'", "HH:MM-HH:MM", id="hours without minutes"),
    pytest.param({"hours": {"mon": ("09:00-25:00",)}}, "hours.mon is '09:00-25:00'", "24:00", id="25:00"),
    pytest.param({"hours": {"mon": ("24:00-24:00",)}}, "hours.mon is '24:00-24:00'", "24:00", id="from 24:00"),
    pytest.param({"hours": {"tue": ("09:00-12:60",)}}, "hours.tue is '09:00-12:60'", "HH:MM", id="minute 60"),
    pytest.param({"hours": {"tue": ("22:00-06:00",)}}, "hours.tue is ['22:00-06:00']", "night shift", id="night"),
    pytest.param({"hours": {"tue": ("09:00-13:00", "12:00-17:00")}}, "hours.tue is", "ascending", id="overlap"),
    pytest.param({"hours": {"tue": ("٠٩:٠٠-١٧:٠٠",)}}, "hours.tue is", "HH:MM", id="other digits"),
    pytest.param({"country": "XX"}, "country is 'XX'", '"PL"', id="country"),
    pytest.param({"country": "pl"}, "country is 'pl'", '"PL"', id="country in small letters"),
    pytest.param({"country": "DE", "region": "XX"}, "region is 'XX'", "BE, BW, BY", id="region"),
    pytest.param({"country": "AE", "region": "DU"}, "region is 'DU'", "AE has no regions", id="no regions"),
    pytest.param({"country": None, "region": "BY"}, "region is 'BY'", "country", id="region alone"),
    pytest.param({"closed": {"31.12.2026": "x"}}, "closed is '31.12.2026'", '"--12-24"', id="date"),
    pytest.param({"closed": {"2026-02-30": "x"}}, "closed is '2026-02-30'", '"2026-12-31"', id="30 February"),
    pytest.param({"closed": {"20261231": "x"}}, "closed is '20261231'", '"2026-12-31"', id="date without hyphens"),
    pytest.param({"closed": {"--13-01": "x"}}, "closed is '--13-01'", '"--12-24"', id="month 13"),
    pytest.param({"closed": {"2026-12-31": " "}}, "closed.2026-12-31 is ' '", "name", id="no name"),
    pytest.param({"open_days": ("--12-24",)}, "open_days is '--12-24'", '"2026-12-31"', id="open each year"),
    pytest.param({"open_days": ("2026-11-14",)}, "open_days is '2026-11-14'", "hours", id="open without hours"),
    pytest.param(
        {"open_days": ("2026-12-31",), "closed": {"2026-12-31": "Inventory"}},
        "open_days is '2026-12-31'",
        "Inventory",
        id="open and closed",
    ),
]


@pytest.mark.parametrize(("changes", "found", "accepted"), WRONG)
def test_an_error_names_calendar_key_value_and_what_is_accepted(changes, found, accepted):
    with pytest.raises(CalendarError) as caught:
        built(**changes)
    refused, _, wanted = str(caught.value).partition("; accepted is ")
    assert refused.startswith(f"calendar office: {found}")
    assert accepted in wanted


def test_a_system_zone_that_is_none_is_named_as_such():
    with pytest.raises(CalendarError, match=r"zone is 'system \(CET-1CEST\)'"):
        build_calendar(replace(OFFICE, zone="system"), system_zone="CET-1CEST")


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Warsaw", "Europe/Warsaw"),
        (":Europe/Warsaw", "Europe/Warsaw"),
        (":/usr/share/zoneinfo/Europe/Warsaw", "Europe/Warsaw"),
        ("UTC", "UTC"),
    ],
)
def test_the_variable_names_the_system_zone_before_the_link(variable, name, tmp_path):
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert system_zone_name({"TZ": variable}, localtime) == name


@pytest.mark.parametrize("environ", [{}, {"TZ": ""}])
@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("../usr/share/zoneinfo/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("/var/lib/clock", "UTC"),
    ],
)
def test_without_the_variable_the_link_names_the_system_zone(environ, target, name, tmp_path):
    localtime = tmp_path / "localtime"
    localtime.symlink_to(target)
    assert system_zone_name(environ, localtime) == name


@pytest.mark.parametrize("kept", [True, False])
def test_a_machine_without_link_and_variable_runs_on_utc(kept, tmp_path):
    localtime = tmp_path / "localtime"
    if kept:
        localtime.write_bytes(b"TZif")
    assert system_zone_name({}, localtime) == "UTC"
