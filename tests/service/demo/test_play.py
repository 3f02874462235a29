"""What is expected of a scene is held against the ledger, and nothing else."""

from dataclasses import replace

import pytest

from desk.arrival import Fate
from service.demo.fates import Outcome
from service.demo.morning import SCENES, Expected, Scene
from service.demo.play import Played, surprises, typed
from service.demo.post import Letter
from tests.service.demo.test_words import LINE, OPENED

LAPTOP = SCENES[0]


def played(outcome: Outcome, *expected: Expected) -> Played:
    scene: Scene = replace(LAPTOP, expected=expected)
    return Played(scene, Letter("", (), b""), "01.eml", (outcome,) * len(expected))


BEFORE = {"laptop": played(OPENED, Expected(Fate.OPENED))}


def line(**changes: object) -> Outcome:
    return replace(OPENED, line=replace(LINE, **changes))


def test_what_came_out_as_expected_is_no_surprise() -> None:
    assert not list(surprises(played(OPENED, Expected(Fate.OPENED, department="it")), BEFORE))


@pytest.mark.parametrize(
    ("outcome", "expected", "words"),
    [
        (OPENED, Expected(Fate.HELD), "expected fate held, came out as opened"),
        (OPENED, Expected(Fate.OPENED, rule="follow-up"), "expected rule follow-up, came out as own-person"),
        (OPENED, Expected(Fate.OPENED, department="hr"), "expected department hr, came out as it"),
        (line(reference="R-1009"), Expected(Fate.OPENED, of="laptop"), "expected request R-1001, came out as R-1009"),
        (line(reference=None), Expected(Fate.OPENED, of="laptop"), "expected request R-1001, came out as none"),
        (line(receipt=None), Expected(Fate.OPENED), "expected rule own-person, came out as none"),
        (replace(OPENED, request=None), Expected(Fate.OPENED, department="it"), "department it, came out as none"),
    ],
)
def test_each_difference_is_named(outcome: Outcome, expected: Expected, words: str) -> None:
    (found,) = surprises(played(outcome, expected), BEFORE)
    assert found.endswith(words)


def test_a_command_can_be_pasted_whatever_stands_in_its_words() -> None:
    assert typed("send", "it's here").endswith("""deskbell send 'it'"'"'s here'""")
