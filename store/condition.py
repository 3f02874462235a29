"""In what condition the database itself is; nothing about what is in it."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Condition:
    """What a database says of itself. Where it has no pages to tell of (PostgreSQL), both counts are 0."""

    kind: str
    damage: str | None
    """The first thing that a quick check found broken; None where it found nothing."""
    survives_power_cut: bool
    pages: int = 0
    free_pages: int = 0


def condition(connection: Connection) -> Condition:
    """The condition as of now. SQLite reads all of its file for this; PostgreSQL checks its pages as it reads them."""
    kind = connection.dialect.name
    if kind != "sqlite":
        return Condition(kind, None, survives_power_cut=True)
    told = str(_pragma(connection, "quick_check(1)"))
    return Condition(
        kind=kind,
        damage=None if told == "ok" else told,
        survives_power_cut=_pragma(connection, "journal_mode") == "wal",
        pages=int(_pragma(connection, "page_count")),
        free_pages=int(_pragma(connection, "freelist_count")),
    )


def _pragma(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
