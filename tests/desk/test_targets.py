"""Working time is counted in real elapsed time inside local spans; a promise is never told too early."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desk.calendar import Calendar
from desk.classification import Priority
from desk.department import Department, TargetPolicy
from desk.promise import Delay, Targets
from desk.targets import Asked, NoWorkingTime, add_working_time, kept_or_renewed, promise, working_day

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WARSAW = ZoneInfo("Europe/Warsaw")
LONG_DAY = ((time(9), time(17)),)
WITH_LUNCH = ((time(9), time(12)), (time(13), time(17)))
ROUND_THE_CLOCK = ((time.min, time.max),)

POLISH_HOLIDAYS = {
    date(2026, 11, 11): "Narodowe Święto Niepodległości",
    date(2026, 12, 24): "Wigilia Bożego Narodzenia",
    date(2026, 12, 25): "Boże Narodzenie",
    date(2026, 12, 26): "Drugi dzień Bożego Narodzenia",
}


def office(spans=LONG_DAY, *, days=(MON, TUE, WED, THU, FRI), zone="Europe/Warsaw"):
    hours = dict.fromkeys(days, spans)
    return Calendar(key="office", zone=ZoneInfo(zone), hours=hours, closed_day=POLISH_HOLIDAYS.get)


def nights():
    """Work from 01:00 to 05:00 on each day: the hours in which clocks are changed."""
    return office(((time(1), time(5)),), days=range(7))


def at(text, zone="Europe/Warsaw", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def hours(number):
    return timedelta(hours=number)


def written(moment, zone="Europe/Warsaw"):
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


COUNTED = [
    pytest.param(office(), "2026-11-02 10:00", 2, "2026-11-02 12:00", id="inside a day"),
    pytest.param(office(), "2026-11-02 16:00", 2, "2026-11-03 10:00", id="over night"),
    pytest.param(office(), "2026-11-02 16:00", 1, "2026-11-02 17:00", id="exactly to the end stays there"),
    pytest.param(office(), "2026-11-02 17:00", 0, "2026-11-02 17:00", id="the end itself is working time"),
    pytest.param(office(), "2026-11-02 17:00", 1, "2026-11-03 10:00", id="time left at the end moves on"),
    pytest.param(office(), "2026-11-02 06:00", 0, "2026-11-02 09:00", id="nothing before opening is the opening"),
    pytest.param(office(), "2026-11-02 06:00", 8, "2026-11-02 17:00", id="a whole day from before opening"),
    pytest.param(office(), "2026-11-06 16:30", 1, "2026-11-09 09:30", id="over the weekend"),
    pytest.param(office(), "2026-11-07 12:00", 1, "2026-11-09 10:00", id="from a Saturday"),
    pytest.param(office(), "2026-11-02 09:00", 40, "2026-11-06 17:00", id="a whole week"),
    pytest.param(office(WITH_LUNCH), "2026-11-02 11:30", 1, "2026-11-02 13:30", id="over lunch"),
    pytest.param(office(WITH_LUNCH), "2026-11-02 11:30", 0.5, "2026-11-02 12:00", id="until lunch"),
    pytest.param(office(WITH_LUNCH), "2026-11-02 12:15", 1, "2026-11-02 14:00", id="from within lunch"),
    pytest.param(office(WITH_LUNCH), "2026-11-02 09:00", 7, "2026-11-02 17:00", id="a day less its lunch"),
    pytest.param(office(), "2026-11-10 16:00", 2, "2026-11-12 10:00", id="11 November is a holiday"),
    pytest.param(office(), "2026-11-11 10:00", 2, "2026-11-12 11:00", id="from within a holiday"),
    pytest.param(office(), "2026-12-23 16:00", 2, "2026-12-28 10:00", id="24 December is a holiday in Poland"),
    pytest.param(office(ROUND_THE_CLOCK, days=range(7)), "2026-11-02 22:00", 5, "2026-11-03 03:00", id="midnight"),
    pytest.param(office(ROUND_THE_CLOCK), "2026-11-06 20:00", 4, "2026-11-07 00:00", id="up to a closing midnight"),
    pytest.param(office(ROUND_THE_CLOCK), "2026-11-06 20:00", 5, "2026-11-09 01:00", id="past a closing midnight"),
    pytest.param(nights(), "2026-03-28 01:00", 4, "2026-03-28 05:00", id="a night of four hours"),
    pytest.param(nights(), "2026-03-29 01:00", 3, "2026-03-29 05:00", id="29 March has a night of three hours"),
    pytest.param(nights(), "2026-03-29 01:30", 1, "2026-03-29 03:30", id="an hour over the gap"),
    pytest.param(nights(), "2026-10-25 01:00", 5, "2026-10-25 05:00", id="25 October has a night of five hours"),
    pytest.param(nights(), "2026-10-25 01:30", 2, "2026-10-25 02:30", id="two hours over the fold"),
    pytest.param(office(), "2026-03-27 16:00", 2, "2026-03-30 10:00", id="over the weekend of the gap"),
    pytest.param(office(), "2026-10-23 16:00", 2, "2026-10-26 10:00", id="over the weekend of the fold"),
]


@pytest.mark.parametrize(("calendar", "start", "amount", "reached"), COUNTED)
def test_working_time_ends_at_exactly_this_local_time(calendar, start, amount, reached):
    assert written(add_working_time(calendar, at(start), hours(amount))) == reached


def test_a_week_from_sunday_to_thursday_rests_on_friday_and_saturday():
    calendar = office(days=(SUN, MON, TUE, WED, THU), zone="Asia/Dubai")
    reached = add_working_time(calendar, at("2026-11-05 16:00", "Asia/Dubai"), hours(2))
    assert written(reached, "Asia/Dubai") == "2026-11-08 10:00"


def test_the_second_half_past_two_is_an_hour_later_than_the_first():
    first = add_working_time(nights(), at("2026-10-25 02:30"), hours(0))
    second = add_working_time(nights(), at("2026-10-25 02:30", fold=1), hours(0))
    assert second - first == hours(1)


@pytest.mark.parametrize(
    ("zone", "day", "span", "moments"),
    [
        pytest.param("Europe/Warsaw", "2026-11-02", (time(9), time(17)), ("08:00", "16:00"), id="winter"),
        pytest.param("Europe/Warsaw", "2026-07-02", (time(9), time(17)), ("07:00", "15:00"), id="summer"),
        pytest.param("Europe/Warsaw", "2026-03-29", (time(2, 30), time(4)), ("01:00", "02:00"), id="from the gap"),
        pytest.param("Europe/Warsaw", "2026-03-29", (time(2, 30), time(3, 15)), ("01:00", "01:15"), id="ends near"),
        pytest.param("Europe/Warsaw", "2026-03-29", (time(1), time(2, 30)), ("00:00", "01:00"), id="into the gap"),
        pytest.param("Europe/Warsaw", "2026-10-25", (time(2, 30), time(4)), ("00:30", "03:00"), id="from the fold"),
        pytest.param("Europe/Warsaw", "2026-10-25", (time(1), time(2, 30)), ("23:00", "00:30"), id="into the fold"),
        pytest.param(
            "Australia/Lord_Howe", "2026-10-04", (time(2, 15), time(3)), ("15:30", "16:00"), id="half an hour"
        ),
        pytest.param("Africa/Cairo", "2026-04-24", (time.min, time(9)), ("22:00", "06:00"), id="no midnight"),
        pytest.param("Africa/Cairo", "2026-04-23", (time(9), time.max), ("07:00", "22:00"), id="up to no midnight"),
        pytest.param("Africa/Cairo", "2026-10-29", (time(9), time.max), ("06:00", "22:00"), id="23:00 comes twice"),
    ],
)
def test_an_edge_is_the_first_moment_the_clock_shows_it_or_later(zone, day, span, moments):
    calendar = office((span,), days=range(7), zone=zone)
    [found] = working_day(calendar, date.fromisoformat(day))
    assert tuple(moment.strftime("%H:%M") for moment in found) == moments
    assert all(moment.tzinfo is UTC for moment in found)


@pytest.mark.parametrize(
    "day",
    [
        pytest.param(date(2026, 11, 11), id="a holiday"),
        pytest.param(date(2026, 11, 14), id="a Saturday"),
    ],
)
def test_a_day_without_work_has_no_spans(day):
    assert working_day(office(), day) == ()


def test_a_span_that_lies_wholly_in_the_gap_is_no_working_time():
    calendar = office(((time(2, 15), time(2, 45)), (time(9), time(10))), days=range(7))
    [span] = working_day(calendar, date(2026, 3, 29))
    assert written(span[0]) == "2026-03-29 09:00"


def test_a_day_the_zone_left_out_has_no_working_time():
    calendar = office(days=range(7), zone="Pacific/Apia")
    assert working_day(calendar, date(2011, 12, 30)) == ()


def test_the_answer_is_in_utc_whatever_zone_the_start_was_in():
    start = at("2026-11-02 10:00")
    reached = add_working_time(office(), start, hours(1))
    assert reached.tzinfo is UTC
    assert reached == add_working_time(office(), start.astimezone(ZoneInfo("Asia/Tokyo")), hours(1))


def never_open():
    return Calendar(key="ruin", zone=WARSAW, hours={MON: LONG_DAY}, closed_day=lambda _day: "closed for good")


@pytest.mark.parametrize("calendar", [never_open(), Calendar(key="ruin", zone=WARSAW, hours={})])
def test_a_calendar_that_never_works_is_named_instead_of_searched_for_ever(calendar):
    with pytest.raises(NoWorkingTime, match="calendar ruin"):
        add_working_time(calendar, at("2026-11-02 10:00"), hours(0))


def test_a_rest_of_just_under_400_days_is_waited_for():
    opening = date(2026, 1, 1) + timedelta(days=399)
    everyday = dict.fromkeys(range(7), LONG_DAY)
    calendar = Calendar(
        key="late", zone=WARSAW, hours=everyday, closed_day=lambda day: None if day >= opening else "not yet"
    )
    reached = add_working_time(calendar, at("2026-01-01 00:00"), hours(1))
    assert written(reached) == f"{opening} 10:00"


def test_an_amount_of_years_is_reached_since_only_days_off_in_a_row_are_counted():
    assert written(add_working_time(office(), at("2027-01-01 00:00"), hours(8) * 520)) > "2028-12-01"


@pytest.mark.parametrize(
    ("start", "amount"),
    [
        pytest.param(datetime(2026, 11, 2, 10), hours(1), id="naive start"),  # noqa: DTZ001 - the fact under test
        pytest.param(at("2026-11-02 10:00"), -hours(1), id="negative amount"),
    ],
)
def test_a_naive_start_or_a_negative_amount_is_refused(start, amount):
    with pytest.raises(ValueError, match="aware start and an amount of zero or more"):
        add_working_time(office(), start, amount)


# -- promise


def help_desk(first_response, resolution):
    policy = TargetPolicy(first_response=first_response, resolution=resolution)
    return Department(
        key="it", names={}, address="it@corp.example", calendar="office", targets={Priority.NORMAL: policy}
    )


def promised(received, first_response=4, resolution=16, *, calendar=None, priority=Priority.NORMAL):
    department = help_desk(hours(first_response), hours(resolution))
    return promise(department, calendar or office(), priority, at(received))


INDEPENDENCE = "Narodowe Święto Niepodległości"
PROMISED = [
    pytest.param("2026-11-02 10:00", 4, "2026-11-02 14:00", Delay.NONE, "", id="today"),
    pytest.param("2026-11-02 05:00", 8, "2026-11-02 17:00", Delay.NONE, "", id="today, written before opening"),
    pytest.param("2026-11-02 15:00", 4, "2026-11-03 11:00", Delay.AFTER_HOURS, "", id="too little left"),
    pytest.param("2026-11-02 20:00", 4, "2026-11-03 13:00", Delay.AFTER_HOURS, "", id="nothing left"),
    pytest.param("2026-11-02 20:00", 8, "2026-11-03 17:00", Delay.AFTER_HOURS, "", id="just one day's work"),
    pytest.param("2026-11-02 09:00", 9, "2026-11-03 10:00", Delay.WORKLOAD, "", id="more than a day's work"),
    pytest.param("2026-11-07 12:00", 4, "2026-11-09 13:00", Delay.WEEKEND, "", id="Saturday"),
    pytest.param("2026-11-11 12:00", 4, "2026-11-12 13:00", Delay.CLOSED, INDEPENDENCE, id="holiday"),
    pytest.param(
        "2026-12-26 12:00",
        4,
        "2026-12-28 13:00",
        Delay.CLOSED,
        "Drugi dzień Bożego Narodzenia",
        id="holiday Saturday",
    ),
    pytest.param("2026-11-10 15:00", 4, "2026-11-12 11:00", Delay.AFTER_HOURS, "", id="the eve of a holiday"),
]


@pytest.mark.parametrize(("received", "amount", "answered", "delay", "name"), PROMISED)
def test_the_first_response_and_why_it_is_not_today(received, amount, answered, delay, name):
    targets = promised(received, amount)
    assert (written(targets.first_response), targets.delay, targets.closed_name) == (answered, delay, name)


def test_today_is_the_day_on_the_departments_wall_not_in_utc():
    """00:30 in Tokyo is still yesterday in UTC; the answer at 10:00 comes on the same day there."""
    calendar = office(zone="Asia/Tokyo")
    targets = promise(help_desk(hours(1), hours(2)), calendar, Priority.NORMAL, at("2026-11-04 00:30", "Asia/Tokyo"))
    assert targets.delay is Delay.NONE


def test_the_length_of_a_day_is_that_of_today_when_fridays_are_short():
    calendar = Calendar(key="office", zone=WARSAW, hours={THU: LONG_DAY, FRI: ((time(9), time(13)),), MON: LONG_DAY})
    assert promised("2026-11-06 09:00", 6, calendar=calendar).delay is Delay.WORKLOAD


@pytest.mark.parametrize(
    ("received", "answered"),
    [
        pytest.param("2026-11-02 10:00:00", "14:00", id="a full step stays"),
        pytest.param("2026-11-02 10:00:00.000001", "14:05", id="a microsecond more is the next step"),
        pytest.param("2026-11-02 10:23:07", "14:25", id="seconds go up"),
        pytest.param("2026-11-02 12:58:30", "17:00", id="up to the end of the day"),
    ],
)
def test_a_promise_is_rounded_up_to_five_minutes(received, answered):
    assert written(promised(received).first_response).endswith(answered)


def test_rounding_never_leaves_the_working_span():
    calendar = office(((time(9), time(16, 58)),))
    assert written(promised("2026-11-02 12:57", calendar=calendar).first_response) == "2026-11-02 16:58"


def test_both_targets_count_from_the_moment_of_receipt():
    assert promised("2026-11-02 10:00", 4, 16) == Targets(
        first_response=at("2026-11-02 14:00"), resolution=at("2026-11-04 10:00")
    )


def test_a_priority_with_targets_of_its_own_has_those():
    department = Department(
        key="it",
        names={},
        address="it@corp.example",
        calendar="office",
        targets={
            Priority.NORMAL: TargetPolicy(first_response=hours(4), resolution=hours(16)),
            Priority.URGENT: TargetPolicy(first_response=hours(1), resolution=hours(2)),
        },
    )
    urgent = promise(department, office(), Priority.URGENT, at("2026-11-02 10:00"))
    assert (written(urgent.first_response), written(urgent.resolution)) == ("2026-11-02 11:00", "2026-11-02 12:00")


@pytest.mark.parametrize("priority", [Priority.LOW, Priority.HIGH, Priority.URGENT])
def test_a_priority_without_targets_has_the_normal_ones(priority):
    assert promised("2026-11-02 10:00", priority=priority) == promised("2026-11-02 10:00")


# -- invariants, in zones whose clocks jump by an hour, by half an hour, at midnight and never

ZONES = ["Europe/Warsaw", "America/New_York", "Asia/Dubai", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Tokyo"]
NIGHTS = [(3, 8), (3, 28), (4, 4), (4, 23), (10, 3), (10, 24), (10, 29), (11, 1)]
DAY_EDGES = st.integers(0, 96).map(lambda quarter: time.max if quarter == 96 else time(quarter // 4, quarter % 4 * 15))
DAYS = st.lists(DAY_EDGES, min_size=2, max_size=6, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@st.composite
def calendars(draw):
    """Any week with some work in it; each second, third ... day is closed (never a weekday as such)."""
    weekdays = st.sets(st.integers(MON, SUN), min_size=1)
    period = draw(st.sampled_from([2, 3, 5, 11, 1_000]))
    return Calendar(
        key="any",
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        hours={weekday: draw(DAYS) for weekday in draw(weekdays)},
        closed_day=lambda day: None if day.toordinal() % period else "closed",
    )


MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis asks for naive bounds
    # The nights of the jumps, where an error would hide.
    st.builds(
        lambda day, minutes: datetime.combine(day, time.min) + timedelta(minutes=minutes),
        st.sampled_from([date(2026, month, day) for month, day in NIGHTS]),
        st.integers(0, 4_320),
    ),
).map(lambda moment: moment.replace(tzinfo=UTC))
AMOUNTS = st.timedeltas(timedelta(0), timedelta(hours=60))


def spans_near(calendar, moment):
    day = moment.astimezone(calendar.zone).date()
    return [span for shift in (-1, 0, 1) for span in working_day(calendar, day + timedelta(days=shift))]


@given(calendars(), MOMENTS, AMOUNTS)
def test_the_result_is_inside_a_working_span_and_not_earlier_than_the_amount(calendar, start, amount):
    reached = add_working_time(calendar, start, amount)
    assert reached >= start + amount
    assert any(begin <= reached <= end for begin, end in spans_near(calendar, reached))


@given(calendars(), MOMENTS, AMOUNTS, AMOUNTS)
def test_two_amounts_one_after_the_other_are_their_sum(calendar, start, one, other):
    halfway = add_working_time(calendar, start, one)
    assert add_working_time(calendar, halfway, other) == add_working_time(calendar, start, one + other)


@given(calendars(), st.lists(MOMENTS, min_size=2, max_size=2).map(sorted), st.lists(AMOUNTS, min_size=2, max_size=2))
def test_a_later_start_or_a_larger_amount_is_never_reached_earlier(calendar, starts, amounts):
    less, more = sorted(amounts)
    assert add_working_time(calendar, starts[0], less) <= add_working_time(calendar, starts[1], less)
    assert add_working_time(calendar, starts[0], less) <= add_working_time(calendar, starts[0], more)


@given(calendars(), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
@example(office(((time(2), time(2, 30)), (time(2, 45), time(3, 15))), days=range(7)), date(2026, 3, 29))
def test_spans_ascend_and_never_overlap_even_over_midnight(calendar, day):
    spans = working_day(calendar, day) + working_day(calendar, day + timedelta(days=1))
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)


@settings(max_examples=30)
@given(calendars(), MOMENTS, st.integers(0, 60))
def test_a_count_on_the_wall_clock_agrees(calendar, start, quarters):
    """The oracle looks at the clock each quarter of an hour, knows nothing of spans, and works by day only."""
    awake = dict.fromkeys(calendar.hours, ((time(6), time(21)),))
    calendar = Calendar(key="any", zone=calendar.zone, hours=awake, closed_day=calendar.closed_day)
    moment = start.replace(minute=0, second=0, microsecond=0)
    reached = add_working_time(calendar, moment, timedelta(minutes=15) * quarters)
    counted = 0
    while moment < reached:
        local = moment.astimezone(calendar.zone)
        open_today = local.weekday() in awake and calendar.closed_day(local.date()) is None
        counted += open_today and time(6) <= local.time() < time(21)
        moment += timedelta(minutes=15)
    assert counted == quarters


@given(calendars(), MOMENTS, AMOUNTS, AMOUNTS)
def test_a_promise_is_ordered_in_working_time_and_less_than_five_minutes_late(calendar, received, one, other):
    first, last = sorted((one + timedelta(minutes=1), other + timedelta(minutes=1)))
    targets = promise(help_desk(first, last), calendar, Priority.NORMAL, received)
    late = targets.first_response - add_working_time(calendar, received, first)
    assert timedelta(0) <= late < timedelta(minutes=5)
    assert targets.first_response <= targets.resolution
    assert any(begin <= targets.first_response <= end for begin, end in spans_near(calendar, targets.first_response))


@given(calendars(), MOMENTS, AMOUNTS)
def test_a_reason_is_given_exactly_when_the_answer_is_not_today(calendar, received, amount):
    amount += timedelta(minutes=1)
    targets = promise(help_desk(amount, amount), calendar, Priority.NORMAL, received)
    days = {moment.astimezone(calendar.zone).date() for moment in (received, targets.first_response)}
    assert (targets.delay is Delay.NONE) == (len(days) == 1)
    assert bool(targets.closed_name) == (targets.delay is Delay.CLOSED)


@pytest.mark.parametrize(
    ("received", "now", "answered", "delay"),
    [
        ("2026-11-23 10:00", "2026-11-23 10:00", "2026-11-23 14:00", Delay.NONE),
        ("2026-11-23 10:00", "2026-11-23 13:59", "2026-11-23 14:00", Delay.NONE),
        ("2026-11-23 10:00", "2026-11-23 14:00", "2026-11-24 10:00", Delay.AFTER_HOURS),
        ("2026-11-20 16:00", "2026-11-23 10:00", "2026-11-23 12:00", Delay.NONE),
        ("2026-11-20 16:00", "2026-11-22 10:00", "2026-11-23 12:00", Delay.WEEKEND),
        ("2026-11-20 16:00", "2026-11-23 12:30", "2026-11-23 16:30", Delay.NONE),
    ],
)
def test_what_is_told_late_is_counted_from_the_arrival_while_it_can_be_kept(received, now, answered, delay):
    """Four hours to answer, weekdays from nine to five; the reason why not today is about the day of now."""
    department, calendar = help_desk(hours(4), hours(16)), office()
    asked = Asked(Priority.NORMAL, at(received))
    targets = kept_or_renewed(department, calendar, asked, at(now))
    assert (targets.first_response, targets.delay) == (at(answered), delay)
    assert targets.first_response <= targets.resolution
