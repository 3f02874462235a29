"""Statements that run for every mail: compiled once, then handed to the driver as they are.

SQLAlchemy's way from a statement to the driver costs several times what the database itself does for one row. The
statements stay declared in its terms; only that way is cut short. Values and rows are converted by the same types.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, bindparam

from store.database import in_sqlalchemys_words
from store.postgres import silence_values

Convert = Callable[[Any], Any]
Values = Mapping[str, Any]


class Prepared:
    """A statement for a transaction that has begun; values are given by name.

    Lists (`in_`) are written out at each run by SQLAlchemy, which this leaves out: they are for PreparedForMany.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._ready: dict[tuple[str, ...], _Ready] = {}
        """By dialect and by the names of the values."""

    def run(self, connection: Connection, values: Values) -> int:
        """Run it; how many rows it wrote. Raises what SQLAlchemy raises."""
        ready = self._for(connection.dialect, values)
        parameters = ready.parameters(values)
        cursor = _executed(connection, ready.sql, lambda cursor: cursor.execute(ready.sql, parameters))
        count: int = cursor.rowcount
        cursor.close()
        return count

    def run_each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Run it for each of the rows, all with the same names. Raises what SQLAlchemy raises."""
        if rows:
            ready = self._for(connection.dialect, rows[0])
            parameters = [ready.parameters(row) for row in rows]
            _executed(connection, ready.sql, lambda cursor: cursor.executemany(ready.sql, parameters)).close()

    def rows(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Run it; the rows it gives, in the order of its columns. Raises what SQLAlchemy raises."""
        ready = self._for(connection.dialect, values)
        parameters = ready.parameters(values)
        cursor = _executed(connection, ready.sql, lambda cursor: cursor.execute(ready.sql, parameters))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
        return [ready.converted(row) for row in found] if ready.converts else found

    def _for(self, dialect: Dialect, values: Values) -> "_Ready":
        key = (dialect.name, *values)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = _compiled(self._statement, dialect, values)
        return ready


class PreparedForMany:
    """A statement about any number of ids, such as `where(column.in_(ids))`, built by a function of their binds.

    It is compiled for 1, 2, 4, 8 ... ids; where there are fewer the last one is given again, which changes nothing for
    a set.
    """

    def __init__(self, build: Callable[[Sequence[BindParameter[Any]]], Any]) -> None:
        self._build = build
        self._by_size: dict[int, Prepared] = {}

    def run(self, connection: Connection, ids: Sequence[Any], values: Values = {}) -> int:  # noqa: B006 - only read
        """Run it for at least one id; how many rows it wrote. Raises what SQLAlchemy raises."""
        return self._for(len(ids)).run(connection, {**values, **_named(ids)})

    def rows(self, connection: Connection, ids: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run it; the rows it gives, none where there are no ids. Raises what SQLAlchemy raises."""
        return self._for(len(ids)).rows(connection, _named(ids)) if ids else []

    def _for(self, count: int) -> Prepared:
        size = _padded(count)
        if size not in self._by_size:
            self._by_size[size] = Prepared(self._build([bindparam(f"id_{place}") for place in range(size)]))
        return self._by_size[size]


def _padded(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _named(ids: Sequence[Any]) -> dict[str, Any]:
    padded = [*ids, *[ids[-1]] * (_padded(len(ids)) - len(ids))]
    return {f"id_{place}": one for place, one in enumerate(padded)}


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement in the words of one database."""

    sql: str
    constants: dict[str, Any]
    binds: Mapping[str, Convert]
    """Of the values that are not handed over as they are."""
    order: list[str] | None
    """Names of the values where the driver takes them by position."""
    converts: Mapping[int, Convert]
    """What makes a column's value of the driver's, by its place in the row; of those that are not taken as they are."""

    def parameters(self, values: Values) -> Any:
        """The values as the driver takes them."""
        given = {**self.constants, **values}
        for name, convert in self.binds.items():
            given[name] = convert(given[name])
        return given if self.order is None else [given[name] for name in self.order]

    def converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of the driver's as SQLAlchemy would give it."""
        found = list(row)
        for place, convert in self.converts.items():
            found[place] = convert(found[place])
        return tuple(found)


def _executed(connection: Connection, sql: str, run: Callable[[Any], object]) -> Any:
    """A cursor of the driver on which that was run."""
    pooled, dialect = connection.connection, connection.dialect
    cursor = pooled.cursor()
    error_class = dialect.loaded_dbapi.Error
    try:
        run(cursor)
    except error_class as error:  # as SQLAlchemy words it: the caller still has the mail
        silence_values(error)
        if lost := dialect.is_disconnect(error, pooled.driver_connection, cursor):
            connection.invalidate(error)
        raise in_sqlalchemys_words(error, sql, error_class, connection_lost=lost) from error
    return cursor


def _compiled(statement: Any, dialect: Dialect, values: Values) -> _Ready:
    compiled = statement.compile(dialect=dialect, column_keys=list(values))
    processors = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
    }
    binds = {name: convert for name, convert in processors.items() if convert is not None}
    constants = {
        name: binds[name](value) if name in binds else value
        for name, value in compiled.params.items()
        if name not in values
    }
    columns = getattr(statement, "exported_columns", ())
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Ready(
        sql=str(compiled),
        constants=constants,
        binds={name: convert for name, convert in binds.items() if name in values},
        order=compiled.positiontup,
        converts={place: convert for place, convert in enumerate(results) if convert is not None},
    )
