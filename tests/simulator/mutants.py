"""Deliberately broken orders of the same steps. Each must be caught, else the oracle is too weak."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.simulator.process import Parts

NONE = "none"
Patches = list[AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is put in place of the real code."""

    parts: Parts = field(default_factory=Parts)
    patches: Callable[[], Patches] = list


MUTANTS: dict[str, Mutant] = {NONE: Mutant()}
