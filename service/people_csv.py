"""People as personnel offices export them: a table with a header row, in whatever a spreadsheet makes of CSV.

Comma, semicolon or tab between the cells; UTF-8 with or without byte order mark, or UTF-16. A file in an encoding that
does not say which it is (Windows-1250, -1252) is read as long as the cells that count are ASCII.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from desk.errors import RefusedError
from desk.mail import ascii_fold
from desk.person import Person
from service.people import zone_named

COLUMNS = ("address", "aliases", "language", "zone", "country", "manager")
"""All but address may be left out; what a column that is not there would say stays as it is."""
LISTED_PROBLEMS = 50

_OTHER_NAMES = {"addresses": "address", "alias": "aliases"}
_SEPARATORS = (",", ";", "\t")
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+|[^\s@<>,;\"]+@localhost")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}")


class BadPeople(RefusedError):
    """The file cannot be used; the text names every bad line. Nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the file has them, on the line where they end."""

    line: int
    person: Person


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """What a file says: its people, the columns it has, and those of its columns that mean nothing here."""

    rows: tuple[Row, ...]
    columns: frozenset[str]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    content: str
    certain: bool


def read_people(content: bytes, source: str) -> PeopleFile:
    """The people of the file, addresses folded. Raises BadPeople that lists every bad line."""
    text = _decoded(content)
    filled = _filled(text.content, source)
    _, head = next(filled, (0, []))
    columns, ignored = _header(head, source)
    problems: list[str] = []
    found = list(_rows(filled, columns, certain=text.certain, problems=problems))
    problems += _repeated(found)
    if problems:
        raise BadPeople(listed_problems(source, problems))
    has_aliases = {"aliases"} if any(row.person.aliases for row in found) else set()
    return PeopleFile(tuple(found), frozenset({*columns, *has_aliases} & {*COLUMNS}), ignored)


def listed_problems(source: str, problems: Sequence[str]) -> str:
    """The words of a refusal: a line for each problem, as far as anybody reads on."""
    shown = [f"{source}: {problem}" for problem in problems[:LISTED_PROBLEMS]]
    more = len(problems) - len(shown)
    return "\n".join([*shown, *([f"{source}: and {more} more lines like these"] if more else [])])


def _decoded(content: bytes) -> _Text:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _Text(content.decode("utf-16", errors="replace"), certain=True)
    try:
        return _Text(content.decode("utf-8-sig"), certain=True)
    except UnicodeDecodeError:  # no mail is in hand; ASCII reads the same in every encoding that is left
        return _Text(content.decode("latin-1"), certain=False)


def _filled(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that says anything, with its line. Raises BadPeople for quotes that are never closed, and the like."""
    # Line ends as they are: the reader counts lines, and knows those inside of quotes.
    lines = io.StringIO(text, newline="")
    separator = _declared(lines.readline())
    skipped = 1 if separator else 0
    if not separator:
        lines.seek(0)
        separator = _likeliest(text)
    rows = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield rows.line_num + skipped, cells
    except csv.Error as error:  # no mail is in hand, nothing of the file was taken
        line = rows.line_num + skipped
        raise BadPeople(f"{source}: line {line}: cannot be read as CSV: {error}") from None


def _declared(line: str) -> str:
    """The separator that Excel's first line "sep=;" declares, or nothing."""
    found = re.fullmatch(r'"?sep=(.)"?\s*', line, re.IGNORECASE)
    return found[1] if found else ""


def _likeliest(text: str) -> str:
    head = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    return max(_SEPARATORS, key=head.count)


def _header(cells: Sequence[str], source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns by the names we know them by ("" for the others), and the names of the others."""
    names = [ascii_fold(cell) for cell in cells]
    columns = tuple(known if (known := _OTHER_NAMES.get(name, name)) in COLUMNS else "" for name in names)
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if "address" not in columns or twice:
        found = f"{' and '.join(twice)} twice" if twice else ", ".join(filter(None, cells)) or "nothing"
        accepted = f"a header row with address and, in any order, {', '.join(COLUMNS[1:])}"
        raise BadPeople(f"{source}: line 1: found {found}; accepted: {accepted}")
    return columns, tuple(cell for cell, column in zip(cells, columns, strict=True) if not column and cell)


def _rows(
    filled: Iterator[tuple[int, list[str]]], columns: Sequence[str], *, certain: bool, problems: list[str]
) -> Iterator[Row]:
    for line, cells in filled:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            problems.append(f"line {line}: {len(cells)} cells; accepted: {len(columns)}, as the header row has")
            continue
        values = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        found = [*_mistakes(values, certain=certain)]
        problems += [f"line {line}: {one}" for one in found]
        if not found:
            yield Row(line, _person(values))


def _person(values: Mapping[str, str]) -> Person:
    address, *others = _split(values["address"])
    aliases = dict.fromkeys((*others, *_split(values.get("aliases", ""))))
    aliases.pop(address, None)
    plain = {name: values.get(name, "") for name in ("language", "zone", "country")}
    return Person(address, tuple(aliases), manager=ascii_fold(values.get("manager", "")), **plain)


def _split(cell: str) -> list[str]:
    return [ascii_fold(part) for part in re.split(r"[\s,;|]+", cell) if part]


def _mistakes(values: Mapping[str, str], *, certain: bool) -> Iterator[str]:
    """What is wrong with one line, each as key, what was found and what would be accepted."""
    if not certain and (odd := [cell for cell in values.values() if not cell.isascii()]):
        yield f"{odd[0]!r} is in an encoding that the file does not name; accepted: the same file saved as CSV UTF-8"
        return
    if not values.get("address"):
        yield "address is empty; accepted: the person's address"
    given = [(key, address) for key in ("address", "aliases") for address in _split(values.get(key, ""))]
    manager = [("manager", values["manager"])] if values.get("manager") else []
    for key, address in (*given, *manager):
        if not _ADDRESS.fullmatch(address):
            yield f"{key} is {address!r}; accepted: a bare address, name@domain"
    yield from _wrong_tags(values)


def _wrong_tags(values: Mapping[str, str]) -> Iterator[str]:
    if (language := values.get("language", "")) and not _LANGUAGE.fullmatch(language):
        yield f'language is {language!r}; accepted: a tag such as "pl" or "pt-BR"'
    if (zone := values.get("zone", "")) and zone_named(zone) is None:
        yield f'zone is {zone!r}; accepted: an IANA name such as "Europe/Warsaw"'
    if (country := values.get("country", "")) and not _COUNTRY.fullmatch(country):
        yield f'country is {country!r}; accepted: two capital letters such as "PL"'


def _repeated(rows: Sequence[Row]) -> Iterator[str]:
    first: dict[str, int] = {}
    for row in rows:
        for address in row.person.addresses:
            line = first.setdefault(address, row.line)
            if line != row.line:
                yield f"line {row.line}: {address} is on line {line} already; accepted: each address once"


def updated(known: Person, said: Person, columns: frozenset[str]) -> Person:
    """The known person with what the file's columns say; a column that is not there changes nothing."""
    return replace(known, **{name: getattr(said, name) for name in columns if name != "address"})
