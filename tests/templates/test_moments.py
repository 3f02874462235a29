"""Moments in words: tables of exact values, and what holds for every moment, zone and language."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.moments import LANGUAGES, in_words, offered

WARSAW = ZoneInfo("Europe/Warsaw")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=WARSAW)


def words(moment, *, language="en", zone=WARSAW, now=NOON):
    return in_words(moment, language=language, zone=zone, now=now)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Tuesday 24 November, 09:05 (CET)"),
        ("pl", "we wtorek 24 listopada o godz. 9:05 (CET)"),
        ("it", "martedì 24 novembre, ore 9:05 (CET)"),
        ("ar", "الثلاثاء 24 نوفمبر، الساعة \u20669:05\u2069 بتوقيت وارسو"),
        ("ja", "11月24日(火) 9:05(ワルシャワ時間)"),
    ],
)
def test_a_day_of_this_year_is_said_without_year(language, expected):
    assert words(datetime(2026, 11, 24, 9, 5, tzinfo=WARSAW), language=language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Friday 1 January 2027, 15:00 (CET)"),
        ("pl", "w piątek 1 stycznia 2027 r. o godz. 15:00 (CET)"),
        ("it", "venerdì 1º gennaio 2027, ore 15:00 (CET)"),
        ("ar", "الجمعة 1 يناير 2027، الساعة \u206615:00\u2069 بتوقيت وارسو"),
        ("ja", "2027年1月1日(金) 15:00(ワルシャワ時間)"),
    ],
)
def test_a_day_of_another_year_is_said_with_it(language, expected):
    assert words(datetime(2027, 1, 1, 15, 0, tzinfo=WARSAW), language=language) == expected


@pytest.mark.parametrize(
    ("language", "today", "tomorrow"),
    [
        ("en", "today, 15:00 (CET)", "tomorrow, Saturday 21 November, 15:00 (CET)"),
        ("pl", "dziś o godz. 15:00 (CET)", "jutro, w sobotę 21 listopada, o godz. 15:00 (CET)"),
        ("it", "oggi, ore 15:00 (CET)", "domani, sabato 21 novembre, ore 15:00 (CET)"),
        (
            "ar",
            "اليوم، الساعة \u206615:00\u2069 بتوقيت وارسو",
            "غدًا السبت 21 نوفمبر، الساعة \u206615:00\u2069 بتوقيت وارسو",
        ),
        ("ja", "本日 15:00(ワルシャワ時間)", "明日11月21日(土) 15:00(ワルシャワ時間)"),
    ],
)
def test_today_and_tomorrow_are_called_so(language, today, tomorrow):
    moment = NOON.replace(hour=15)
    assert words(moment, language=language) == today
    assert words(moment + timedelta(days=1), language=language) == tomorrow


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (23, "w poniedziałek 23 listopada"),
        (24, "we wtorek 24 listopada"),
        (25, "w środę 25 listopada"),
        (26, "w czwartek 26 listopada"),
        (27, "w piątek 27 listopada"),
        (28, "w sobotę 28 listopada"),
        (29, "w niedzielę 29 listopada"),
    ],
)
def test_polish_says_on_which_day_in_the_right_case(day, expected):
    moment = datetime(2026, 11, day, 15, 0, tzinfo=WARSAW)
    assert words(moment, language="pl") == f"{expected} o godz. 15:00 (CET)"


@pytest.mark.parametrize(
    ("month", "english", "polish", "italian", "arabic"),
    [
        (1, "January", "stycznia", "gennaio", "يناير"),
        (2, "February", "lutego", "febbraio", "فبراير"),
        (3, "March", "marca", "marzo", "مارس"),
        (4, "April", "kwietnia", "aprile", "أبريل"),
        (5, "May", "maja", "maggio", "مايو"),
        (6, "June", "czerwca", "giugno", "يونيو"),
        (7, "July", "lipca", "luglio", "يوليو"),
        (8, "August", "sierpnia", "agosto", "أغسطس"),
        (9, "September", "września", "settembre", "سبتمبر"),
        (10, "October", "października", "ottobre", "أكتوبر"),
        (12, "December", "grudnia", "dicembre", "ديسمبر"),
    ],
)
def test_months_take_the_form_they_have_in_a_date(month, english, polish, italian, arabic):
    moment = datetime(2026, month, 15, 15, 0, tzinfo=WARSAW)
    assert f" 15 {english}, 15:00" in words(moment)
    assert f" 15 {polish} o godz." in words(moment, language="pl")
    assert f" 15 {italian}, ore" in words(moment, language="it")
    assert f" 15 {arabic}، الساعة" in words(moment, language="ar")
    assert words(moment, language="ja").startswith(f"{month}月15日(")


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("Europe/Rome", ("CET", "CET", "CET", "روما", "ローマ時間")),
        ("Africa/Cairo", ("EET", "EET", "EET", "القاهرة", "カイロ時間")),
        ("America/New_York", ("EST", "EST", "EST", "نيويورك", "ニューヨーク時間")),
        ("Asia/Tokyo", ("JST", "JST", "JST", "طوكيو", "日本時間")),
        ("Asia/Riyadh", ("Riyadh time", "czas: Rijad", "fuso orario: Riyad", "الرياض", "リヤド時間")),
        ("Asia/Kolkata", ("Kolkata time", "czas: Kalkuta", "fuso orario: Calcutta", "كالكتا", "コルカタ時間")),
        ("Asia/Calcutta", ("Kolkata time", "czas: Kalkuta", "fuso orario: Calcutta", "كالكتا", "コルカタ時間")),
        ("America/Nuuk", ("Nuuk time", "czas: Nuuk", "fuso orario: Nuuk", "غودثاب", "ヌーク時間")),
        ("Europe/London", ("London time", "czas: Londyn", "fuso orario: Londra", "لندن", "ロンドン時間")),
        ("America/Chicago", ("Chicago time", "czas: Chicago", "fuso orario: Chicago", "شيكاغو", "シカゴ時間")),
        ("UTC", ("UTC", "UTC", "UTC", "\u2066UTC\u2069", "UTC")),
        ("Etc/GMT-9", ("UTC+9", "UTC+9", "UTC+9", "\u2066UTC+9\u2069", "UTC+9")),
    ],
)
def test_a_zone_is_named_so_that_it_means_one_thing(key, named):
    """In en, pl, it, ar and ja; abbreviations that several zones share (IST, CST, BST) are never used."""
    zone = ZoneInfo(key)
    moment = datetime(2026, 11, 24, 15, 0, tzinfo=zone)
    english, polish, italian, arabic, japanese = named
    assert words(moment, zone=zone).endswith(f", 15:00 ({english})")
    assert words(moment, zone=zone, language="pl").endswith(f" 15:00 ({polish})")
    assert words(moment, zone=zone, language="it").endswith(f" 15:00 ({italian})")
    assert words(moment, zone=zone, language="ar").endswith(f" بتوقيت {arabic}")
    assert words(moment, zone=zone, language="ja").endswith(f" 15:00({japanese})")


def test_a_city_inside_a_country_is_named_without_it():
    zone = ZoneInfo("America/Argentina/Buenos_Aires")
    assert words(NOON, zone=zone).endswith("(Buenos Aires time)")


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (timedelta(0), "UTC"),
        (timedelta(hours=9), "UTC+9"),
        (timedelta(hours=-5), "UTC-5"),
        (timedelta(hours=5, minutes=30), "UTC+5:30"),
        (timedelta(hours=-3, minutes=-30), "UTC-3:30"),
        (timedelta(hours=5, minutes=45), "UTC+5:45"),
    ],
)
def test_a_fixed_offset_is_named_by_itself(offset, expected):
    assert words(NOON, zone=timezone(offset)).endswith(f"({expected})")


def test_a_fixed_offset_is_not_believed_about_its_name():
    zone = timezone(timedelta(hours=9), "CET")
    assert words(NOON, zone=zone).endswith("(UTC+9)")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "Sunday 29 March, 01:59 (CET)"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Sunday 29 March, 03:00 (CEST)"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Sunday 25 October, 02:30 (CEST)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Sunday 25 October, 02:30 (CET)"),
    ],
)
def test_summer_and_winter_time_are_told_apart(moment, expected):
    assert words(moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "UTC+1"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "UTC"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "London time"),
    ],
)
def test_in_the_hour_that_comes_twice_a_city_does_not_suffice(moment, expected):
    assert words(moment, zone=ZoneInfo("Europe/London")).endswith(f"({expected})")


def test_today_is_the_readers_today():
    """At 20:00 in Warsaw it is already Saturday in Tokyo."""
    now = datetime(2026, 11, 20, 20, 0, tzinfo=WARSAW)
    moment = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert words(moment, now=now) == "tomorrow, Saturday 21 November, 02:00 (CET)"
    assert words(moment, now=now, zone=ZoneInfo("Asia/Tokyo")) == "today, 10:00 (JST)"


def test_the_year_is_the_readers_year():
    """New Year's Eve in Warsaw is New Year's Day in Tokyo."""
    now = datetime(2026, 12, 31, 20, 0, tzinfo=WARSAW)
    moment = datetime(2027, 1, 4, 3, 0, tzinfo=UTC)
    assert words(moment, now=now, zone=ZoneInfo("Asia/Tokyo")) == "Monday 4 January, 12:00 (JST)"
    assert words(moment, now=now) == "Monday 4 January 2027, 04:00 (CET)"


def test_yesterday_is_a_date_like_any_other():
    assert words(NOON - timedelta(days=1)) == "Thursday 19 November, 12:00 (CET)"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("pl", "pl"), ("pl-PL", "pl"), ("PL_pl", "pl"), ("ar-EG", "ar"), ("en-US", "en"), ("de", "en"), ("", "en")],
)
def test_a_language_not_offered_falls_back_to_english(tag, expected):
    assert offered(tag) == expected
    assert words(NOON, language=tag) == words(NOON, language=expected)


@pytest.mark.parametrize(("moment", "now"), [(NOON.replace(tzinfo=None), NOON), (NOON, NOON.replace(tzinfo=None))])
def test_a_moment_without_zone_is_refused(moment, now):
    """It would silently take the zone of the machine."""
    with pytest.raises(ValueError, match="needs a zone"):
        words(moment, now=now)


ZONES = st.sampled_from(["Europe/Warsaw", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "UTC"])


@given(
    moment=st.integers(631_152_000, 3_786_912_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    zone=ZONES.map(ZoneInfo),
    language=st.sampled_from(LANGUAGES),
)
def test_every_moment_is_one_line_with_its_time_of_day(moment, zone, language):
    line = words(moment, zone=zone, language=language)
    local = moment.astimezone(zone)
    assert len(line.splitlines()) == 1
    assert f"{local.hour}:{local.minute:02}" in line
    assert line.isprintable() or language == "ar"
    assert "{" not in line
