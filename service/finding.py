"""What a check found, in the words a person needs: the state, what it means, what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something is; only BAD makes a command end with exit code 1."""

    OK = "ok"
    WARN = "warn"
    """It works, but somebody should know."""
    BAD = "bad"
    SKIPPED = "skipped"
    """Could not be looked at, or there is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of `deskbell doctor` or `deskbell health`."""

    check: str
    state: State
    meaning: str
    advice: str = ""
    """What to do next; empty where nothing has to be done."""

    def shown(self) -> dict[str, str]:
        """As JSON: check, state, meaning, next."""
        return {"check": self.check, "state": self.state.value, "meaning": self.meaning, "next": self.advice}


def ok(check: str, meaning: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, meaning)


def warn(check: str, meaning: str, advice: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(check, State.WARN, meaning, advice)


def bad(check: str, meaning: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(check, State.BAD, meaning, advice)


def skipped(check: str, meaning: str, advice: str = "") -> Finding:
    """Not looked at, for that reason."""
    return Finding(check, State.SKIPPED, meaning, advice)


def is_bad(findings: Iterable[Finding]) -> bool:
    """Whether anything does not work."""
    return any(finding.state is State.BAD for finding in findings)
