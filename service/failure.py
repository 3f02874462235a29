"""What went wrong with a mail, in words that hold nothing of it: the message of an exception may quote what it met."""

import traceback
from pathlib import Path

from service.parser import ParserDied

_CALLS = 8


def failure(error: BaseException) -> str:
    """Our own words where they are; else which exception, and where, the innermost call first."""
    if isinstance(error, ParserDied):
        return str(error)
    calls = traceback.extract_tb(error.__traceback__)[-_CALLS:]
    places = (f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in reversed(calls))
    return " < ".join((type(error).__name__, *places))
