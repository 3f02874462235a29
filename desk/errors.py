"""Errors whose words are for the person at the command line, with the exit code the command ends with."""

from typing import ClassVar


class UserError(Exception):
    """Usage or configuration: the text names what, where, what was found and what would be accepted."""

    exit_code: ClassVar[int] = 2


class RefusedError(UserError):
    """Refused, or found faulty, for the reason in the text."""

    exit_code: ClassVar[int] = 1
