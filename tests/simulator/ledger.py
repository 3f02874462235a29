"""The database of a simulated world, read without the code under test."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import event

from delivery.transport import Outgoing
from store import schema
from store.database import Database

_OWED = """
select 'unsettled arrival ' || id from arrival where fate = 'received'
union all select 'owed mail ' || message_id || ' ' || state from outbox where settled is null
union all select 'missing mark ' || uid from arrival where effect = 'pending' and uidvalidity = ?
"""


class Ledger:
    """One database in memory, used for one world after the other: statements stay compiled."""

    def __init__(self) -> None:
        self.database = Database("sqlite://")
        schema.prepare(self.database)
        self._driver = _driver(self.database)
        self._empty = sqlite3.connect(":memory:")
        self._driver.backup(self._empty)
        self.before_statement: Callable[[], None] = lambda: None
        # Not before_cursor_execute: what is no Exception there costs the connection, and with it the database.
        event.listen(self.database.engine, "before_execute", lambda *_: self.before_statement())

    def empty(self) -> None:
        """Nothing has happened yet."""
        self._empty.backup(self._driver)

    def in_transaction(self) -> bool:
        """Whether somebody has one open."""
        return self._driver.in_transaction

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._driver.execute(query, values).fetchall()

    def records(self, table: str) -> Iterator[dict[str, Any]]:
        """Every row of a table by column name."""
        cursor = self._driver.execute(f"select * from {table}")
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    def is_settled(self, uidvalidity: int, uid: int) -> bool:
        """Whether the message has a committed fate."""
        query = "select 1 from arrival where uidvalidity = ? and uid = ? and fate <> 'received'"
        return bool(self.rows(query, uidvalidity, uid))

    def is_watched(self) -> bool:
        """Whether the folder has a floor."""
        return bool(self.rows("select 1 from folder"))

    def owed(self, uidvalidity: int) -> list[str]:
        """What is still to be done, in words."""
        return [words for (words,) in self.rows(_OWED, uidvalidity)]

    def progress(self, message_id: str) -> tuple[str, str | None, int]:
        """State, phase, and how many outcomes were recorded."""
        found = self.rows("select state, phase, attempts from outbox where message_id = ?", message_id)
        return (str(found[0][0]), found[0][1], int(found[0][2])) if found else ("unknown", None, 0)

    def is_overtaken(self, message_id: str, now: datetime) -> bool:
        """Whether it promises a moment that has passed, though nobody can have got it yet."""
        promised = "select min(due) from promise join outbox on outbox.id = outbox_id where message_id = ?"
        first = self.rows(f"{promised} and ambiguous = 0", message_id)[0][0]
        return first is not None and datetime.fromisoformat(f"{first}+00:00") <= now

    def trouble_with(self, outgoing: Outgoing) -> str | None:
        """Why the mail must not be handed over now, or None."""
        query = (
            "select state, phase, settled, content from outbox "
            "join outbox_content on outbox_id = outbox.id where message_id = ?"
        )
        found = self.rows(query, outgoing.message_id)
        if not found:
            return "and is not in the outbox"
        state, phase, settled, content = found[0]
        if (state, phase, settled) != ("sending", "dot", None):
            return f"in state {state}, phase {phase}, settled {settled}"
        return None if content == outgoing.content else "with other bytes than were frozen"


def _driver(database: Database) -> sqlite3.Connection:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@cache
def ledger() -> Ledger:
    """The one of this process."""
    return Ledger()
