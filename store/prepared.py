"""Statements that run for every mail: compiled once, then handed to the driver as they are.

SQLAlchemy's way from a statement to the driver costs several times what the database itself does for one row. The
statements stay declared in its terms; only that way is cut short. Values and rows are converted by the same types.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError

from store.postgres import silence_values

Convert = Callable[[Any], Any]


class Prepared:
    """A statement for a transaction that has begun; values are given by name."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._ready: dict[tuple[str, ...], _Ready] = {}
        """By dialect and by the names of the values."""

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it; how many rows it wrote. Raises what SQLAlchemy raises."""
        cursor = self._executed(connection, self._for(connection.dialect, values), values)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it; the rows it gives, in the order of its columns. Raises what SQLAlchemy raises."""
        ready = self._for(connection.dialect, values)
        cursor = self._executed(connection, ready, values)
        found = cursor.fetchall()
        cursor.close()
        return [tuple(convert(value) for convert, value in zip(ready.converts, row, strict=True)) for row in found]

    def _for(self, dialect: Dialect, values: Mapping[str, Any]) -> "_Ready":
        key = (dialect.name, *values)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = _compiled(self._statement, dialect, values)
        return ready

    def _executed(self, connection: Connection, ready: "_Ready", values: Mapping[str, Any]) -> Any:
        pooled, dialect = connection.connection, connection.dialect
        cursor = pooled.cursor()
        error_class = dialect.loaded_dbapi.Error
        try:
            cursor.execute(ready.sql, ready.parameters(values))
        except error_class as error:  # as SQLAlchemy words it: the caller still has the mail
            silence_values(error)
            if lost := dialect.is_disconnect(error, pooled.driver_connection, cursor):
                connection.invalidate(error)
            raise DBAPIError.instance(
                ready.sql, None, error, error_class, hide_parameters=True, connection_invalidated=lost
            ) from error
        return cursor


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement in the words of one database."""

    sql: str
    constants: dict[str, Any]
    binds: Mapping[str, Convert]
    order: list[str] | None
    """Names of the values where the driver takes them by position."""
    converts: list[Convert]
    """What makes a column's value of the driver's."""

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        given = self.constants | {name: self.binds[name](value) for name, value in values.items()}
        return given if self.order is None else [given[name] for name in self.order]


def _compiled(statement: Any, dialect: Dialect, values: Mapping[str, Any]) -> _Ready:
    compiled = statement.compile(dialect=dialect, column_keys=list(values))
    binds = {
        name: _convert(bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in compiled.binds.items()
    }
    constants = {name: binds[name](value) for name, value in compiled.params.items() if name not in values}
    columns = getattr(statement, "exported_columns", ())
    return _Ready(
        sql=str(compiled),
        constants=constants,
        binds=binds,
        order=compiled.positiontup,
        converts=[_convert(column.type.dialect_impl(dialect).result_processor(dialect, None)) for column in columns],
    )


def _convert(processor: Convert | None) -> Convert:
    return processor or _unchanged


def _unchanged(value: Any) -> Any:
    return value
