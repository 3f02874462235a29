"""Modes that were given: the last one holds, and who gave it is known."""

from desk.acknowledge import Mode
from store import modes
from store.modes import Given
from tests.store.cast import HELP, HOUR, NOON


def test_the_mode_given_last_holds(database):
    first, second = Given(Mode.OBSERVE, NOON, "root"), Given(Mode.FULL, NOON + HOUR, "anna")
    with database.write() as connection:
        assert modes.every(connection) == {}
        modes.give(connection, HELP, first)
        modes.give(connection, "hr@corp.example", first)
        modes.give(connection, HELP, second)
        assert modes.every(connection) == {HELP: second, "hr@corp.example": first}
