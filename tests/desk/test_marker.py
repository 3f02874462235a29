"""Who serves a folder, as the markers in the mailbox tell it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.marker import GONE, Marker, Ourselves, Seen, is_copy, read, rival, written

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINE = Marker("aaaa", "INBOX", "mail1 with /srv/deskbell.db", NOON, "n1")
OURS = Ourselves("aaaa", MINE.place, frozenset({"n1", "n2"}))
ELSEWHERE = "mail2 with /srv/deskbell.db"


def seen(marker, uid=1, ago=timedelta(0)):
    return Seen(uid, NOON - ago, marker)


@given(st.text(), st.text(), st.text(), st.text())
def test_what_is_written_is_read_again_also_between_other_lines(instance, folder, place, nonce):
    marker = Marker(instance, folder, place, NOON, nonce)
    assert written(marker).isascii()
    assert read(f"Please leave it here.\r\n\r\n{written(marker)}\r\n") == marker


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "{}",
        "}{",
        "{" * 100_000 + "}",
        written(MINE).replace("2026", "soon"),
        written(MINE).replace("+00:00", ""),
        written(MINE).replace('"n1"', "1"),
        written(MINE).replace('"nonce"', '"once"'),
    ],
)
def test_any_other_text_is_no_marker(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("marker", "is_rival"),
    [
        (MINE, False),
        (replace(MINE, place=ELSEWHERE), False),  # moved, with its nonces
        (replace(MINE, nonce="n9"), False),  # restored from a backup
        (replace(MINE, nonce="n9", place=ELSEWHERE), True),  # a copy serves there
        (replace(MINE, instance="bbbb"), True),
        (replace(MINE, instance="bbbb", nonce="n9", place=ELSEWHERE), True),
    ],
)
def test_who_is_a_rival(marker, is_rival):
    assert (rival([seen(marker)], OURS, NOON) is not None) == is_rival


def test_a_marker_that_is_not_renewed_for_an_hour_is_nobodys():
    other = replace(MINE, instance="bbbb")
    assert rival([seen(other, ago=GONE)], OURS, NOON) is None
    assert rival([seen(other, ago=GONE - timedelta(seconds=1))], OURS, NOON) is not None
    assert rival([seen(other, ago=-GONE)], OURS, NOON) is not None, "a server's clock that is ahead proves no end"


def test_of_one_database_only_the_newest_marker_counts():
    """Its older ones may still lie there."""
    copy = replace(MINE, nonce="n9", place=ELSEWHERE)
    assert rival([seen(MINE, uid=2), seen(copy, uid=1)], OURS, NOON) is None
    assert rival([seen(MINE, uid=1), seen(copy, uid=2)], OURS, NOON) is not None


def test_no_marker_is_no_rival():
    assert rival([], OURS, NOON) is None


def test_a_copy_is_told_from_another_database():
    assert is_copy(replace(MINE, place=ELSEWHERE), OURS)
    assert not is_copy(replace(MINE, instance="bbbb"), OURS)
