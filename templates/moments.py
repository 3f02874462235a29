"""A moment as a native reader writes it: day in words, time of day, and whose clock it is.

Names of days, months and cities come from the locale data of Babel; the order of the words is ours, because a skeleton
knows neither "jutro, w środę" nor where a zone belongs in a sentence. Digits are always 0-9.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one language puts a moment; the fields in braces are those that in_words fills."""

    locale: str
    day: str
    dated: str
    """The day with its year."""
    today: str
    tomorrow: str
    moment: str
    city: str
    """The zone by the name of its city."""
    abbreviated: bool
    """Whether readers of the language know zones by Latin abbreviations such as CET."""
    weekday_width: str = "wide"
    on_weekday: tuple[str, ...] = ()
    """Monday first, where "on Tuesday" is not a fixed word and the name of the day."""
    first: str = "1"
    """The first of a month."""


_SHAPES = {
    "en": _Shape(
        locale="en_GB",
        day="{weekday} {day} {month}",
        dated="{weekday} {day} {month} {year}",
        today="today",
        tomorrow="tomorrow, {day}",
        moment="{day}, {at:%H:%M} ({zone})",
        city="{city} time",
        abbreviated=True,
    ),
    "pl": _Shape(
        locale="pl",
        day="{weekday} {day} {month}",
        dated="{weekday} {day} {month} {year} r.",
        today="dziś",
        tomorrow="jutro, {day},",
        moment="{day} o godz. {at.hour}:{at:%M} ({zone})",
        city="czas: {city}",
        abbreviated=True,
        on_weekday=(
            "w poniedziałek",
            "we wtorek",
            "w środę",
            "w czwartek",
            "w piątek",
            "w sobotę",
            "w niedzielę",
        ),
    ),
    "it": _Shape(
        locale="it",
        day="{weekday} {day} {month}",
        dated="{weekday} {day} {month} {year}",
        today="oggi",
        tomorrow="domani, {day}",
        moment="{day}, ore {at.hour}:{at:%M} ({zone})",
        city="fuso orario: {city}",
        abbreviated=True,
        first="1º",
    ),
    "ar": _Shape(
        locale="ar",
        day="{weekday} {day} {month}",
        dated="{weekday} {day} {month} {year}",
        today="اليوم",
        tomorrow="غدًا {day}",
        # U+2066 and U+2069: a time stays left-to-right, whatever stands beside it.
        moment="{day}، الساعة \u2066{at.hour}:{at:%M}\u2069 بتوقيت {zone}",
        city="{city}",
        abbreviated=False,
    ),
    "ja": _Shape(
        locale="ja",
        day="{month}{day}日({weekday})",
        dated="{year}年{month}{day}日({weekday})",
        today="本日",
        tomorrow="明日{day}",
        moment="{day} {at.hour}:{at:%M}({zone})",
        city="{city}時間",
        abbreviated=False,
        weekday_width="abbreviated",
    ),
}

LANGUAGES: tuple[str, ...] = tuple(_SHAPES)
"""The languages deskbell writes, as primary subtags (RFC 5646 section 2.2.1)."""

_ABBREVIATIONS = frozenset(("UTC", "WET", "WEST", "CET", "CEST", "EET", "EEST", "EST", "EDT", "JST"))
"""Those that mean one thing everywhere; BST, CST, IST or PST would not."""

_OWN_CITY = {("ja", "Asia/Tokyo"): "日本"}
"""Where readers name a zone otherwise than by its city."""


def offered(language: str) -> str:
    """The language of LANGUAGES that a tag such as "pl" or "pl-PL" asks for, else English."""
    primary = language.replace("_", "-").partition("-")[0].lower()
    return primary if primary in _SHAPES else "en"


def locale_of(language: str) -> str:
    """The name of the locale data of one of the languages."""
    return _SHAPES[language].locale


def in_words(moment: datetime, *, language: str, zone: tzinfo, now: datetime) -> str:
    """The moment on the reader's clock, fit to stand behind "by" or a colon; the zone is always named.

    The year is said only where it is not the current one. A moment without a zone raises ValueError.
    """
    if moment.tzinfo is None or now.tzinfo is None:
        raise ValueError("a moment in words needs a zone")
    return _in_words(moment.astimezone(UTC), offered(language), zone, now.astimezone(zone).date())


@lru_cache(maxsize=1024)
def _in_words(moment: datetime, language: str, zone: tzinfo, today: date) -> str:
    """Remembered, because promises are rounded: mails of the same minutes tell the same moments."""
    local = moment.astimezone(zone)
    named_zone = _zone_named(local, language=language)
    return _SHAPES[language].moment.format(day=_day(local, today, language=language), at=local, zone=named_zone)


def _day(local: datetime, today: date, *, language: str) -> str:
    shape = _SHAPES[language]
    distance = (local.date() - today).days
    if distance == 0:
        return shape.today
    weekdays, months = _names(language)
    day = (shape.day if local.year == today.year else shape.dated).format(
        weekday=weekdays[local.weekday()],
        day=shape.first if local.day == 1 else local.day,
        month=months[local.month - 1],
        year=local.year,
    )
    return shape.tomorrow.format(day=day) if distance == 1 else day


@cache
def _names(language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Days from Monday and months from January, in the form they take in a date."""
    from babel import Locale  # noqa: PLC0415 (33 MB that only a process that writes mail needs)

    shape = _SHAPES[language]
    locale = Locale.parse(shape.locale)
    weekdays, months = locale.days["format"][shape.weekday_width], locale.months["format"]["wide"]
    named = shape.on_weekday or tuple(str(weekdays[number]) for number in range(7))
    return named, tuple(str(months[number]) for number in range(1, 13))


def _zone_named(local: datetime, *, language: str) -> str:
    """The zone so that a reader far away takes it for no other, also in the hour that a clock change repeats."""
    shape, abbreviation = _SHAPES[language], local.tzname()
    # Only a zone of the database can be believed about its abbreviation; a fixed one says what its maker said.
    if shape.abbreviated and _key(local.tzinfo) and abbreviation in _ABBREVIATIONS:
        return str(abbreviation)
    city = _city(local.tzinfo, language)
    repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    if city and not repeated:
        return shape.city.format(city=city)
    return _isolated(_offset(local.utcoffset() or timedelta(0)), language)


@lru_cache(maxsize=1024)
def _city(zone: tzinfo | None, language: str) -> str:
    """The city of a zone of the database, or nothing for one that has none (Etc/GMT-9, CET)."""
    key = _key(zone)
    if "/" not in key or key.startswith("Etc/"):
        return ""
    # Where the locale has no name, the key's last part comes as "Argentina/Ushuaia".
    found = _OWN_CITY.get((language, key)) or _exemplar_city(key, _SHAPES[language].locale)
    return _isolated(found.rpartition("/")[2], language)


def _exemplar_city(key: str, tag: str) -> str:
    """The locale's name of the zone's city.

    Babel asks only for the present key of a zone, while the locale data still lists some by a former one (Kolkata as
    Asia/Calcutta, Kyiv as Europe/Kiev), so these are asked for first.
    """
    from babel import Locale  # noqa: PLC0415 (as above)
    from babel.core import get_global  # noqa: PLC0415 (as above)
    from babel.dates import get_timezone_location  # noqa: PLC0415 (as above)

    locale, present = Locale.parse(tag), get_global("zone_aliases")
    current = present.get(key, key)
    former = sorted(old for old, new in present.items() if new == current)
    named = (locale.time_zones.get(each, {}).get("city") for each in (current, *former))
    found = next(filter(None, named), None)
    return str(found or get_timezone_location(key, locale=locale, return_city=True))


def _key(zone: tzinfo | None) -> str:
    """The name of a zone of the database, or nothing."""
    return getattr(zone, "key", None) or ""


def _isolated(name: str, language: str) -> str:
    return f"\u2066{name}\u2069" if language == "ar" and name.isascii() else name


def _offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if minutes == 0:
        return "UTC"
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
