"""The scan finds every field up to the first empty line and nothing behind it, whatever the octets are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.fields import MAX_BLOCK, MAX_FIELD, MAX_FIELDS, Fields, scan, split

NAMELESS = "a header line without a field name"


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        (b"Subject: x\n\nbody", (("subject", b"x"),)),
        (b"Subject: x\r\n\r\nbody", (("subject", b"x"),)),
        (b"SUBJECT : x\n\n", (("subject", b"x"),)),
        (b"Subject:\n\n", (("subject", b""),)),
        (b"A: 1\nB: 2\nA: 3\n\n", (("a", b"1"), ("b", b"2"), ("a", b"3"))),
        (b"A: one\n two\r\n\tthree\n\n", (("a", b"one two\tthree"),)),
        (b"A: x: y\n\n", (("a", b"x: y"),)),
        (b"A: 1\rB: 2\r\rC: 3\n\n", (("a", b"1"), ("b", b"2"), ("c", b"3"))),
        (b"A: 1\nB\0C: 2\0\n\n", (("a", b"1"), ("bc", b"2"))),
        (b"From alice Mon Mar  2 09:00:00 2026\nA: 1\n\n", (("a", b"1"),)),
        (b"A: 1", (("a", b"1"),)),
        (b"A: \xff\xfe\n\n", (("a", b"\xff\xfe"),)),
        (b"\nA: 1\n\n", ()),
        (b"\r\nA: 1\r\n\r\n", ()),
        (b" folded into nothing\nA: 1\n\n", (("a", b"1"),)),
        (b"", ()),
        (b"\n", ()),
    ],
)
def test_the_fields_of_a_block_are_exactly_these(raw, items):
    assert scan(raw).items == items


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"A: 1\n\nbody", b"body"),
        (b"A: 1\r\n\r\nbody\r\n", b"body\r\n"),
        (b"A: 1\n\r\nbody", b"body"),
        (b"A: 1\r\n\nbody", b"body"),
        (b"A: 1\n\n\nbody", b"\nbody"),
        (b"A: 1\r\rB: 2\n\nbody", b"body"),
        (b"\nbody", b"body"),
        (b"\r\nbody", b"body"),
        (b"no end", b""),
    ],
)
def test_the_body_begins_behind_the_first_empty_line(raw, body):
    assert split(raw)[1] == body


def test_a_line_that_is_no_field_is_passed_over_and_reported():
    fields = scan(b"A: 1\ngarbage without colon\nB: 2\n\n")
    assert fields == Fields(items=(("a", b"1"), ("b", b"2")), defects=(NAMELESS,))


def test_a_continuation_behind_garbage_does_not_hide_the_next_field():
    assert scan(b"garbage\n more\nB: 2\n\n").first("b") == b"2"


def test_the_mbox_line_is_no_defect_at_the_top_and_one_elsewhere():
    assert scan(b"From alice\nA: 1\n\n").defects == ()
    assert scan(b"A: 1\nFrom alice\n\n").defects == (NAMELESS,)


def test_all_gives_each_value_and_first_the_first():
    fields = scan(b"A: 1\nB: 2\nA: 3\n\n")
    assert (fields.all("a"), fields.first("a"), fields.all("c"), fields.first("c")) == ((b"1", b"3"), b"1", (), None)


def test_what_is_behind_the_bounds_is_not_read_and_said_so():
    many = scan(b"A: 1\n" * (MAX_FIELDS + 5) + b"\n")
    assert (len(many.items), many.defects) == (MAX_FIELDS, ("more than 1000 header fields: rest not read",))
    long = scan(b"A: " + b"x" * MAX_BLOCK + b"\nB: 2\n\n")
    assert [len(value) for _, value in long.items] == [MAX_FIELD]
    assert long.defects == ("header block longer than 256 KiB: rest not read",)


FRAGMENTS = st.sampled_from(
    [
        b"A: 1",
        b"List-Id: x",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"garbage",
        b"From ",
        b"\xff",
        b"\n\n",
        b": ",
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=8), max_size=60).map(b"".join))
def test_any_octets_give_bounded_fields_with_plain_names(raw):
    fields = scan(raw)
    assert sum(len(name) + len(value) for name, value in fields.items) <= len(raw)
    for name, value in fields.items:
        assert name == name.lower()
        assert name.isascii()
        assert not set(b"\n\r\0") & set(value)


@given(st.lists(FRAGMENTS | st.binary(max_size=8), max_size=60).map(b"".join))
def test_no_octet_is_in_both_head_and_body(raw):
    head, body = split(raw)
    assert raw.startswith(head)
    assert raw.endswith(body)
    assert len(head) + len(body) <= len(raw)


@given(st.lists(FRAGMENTS, max_size=30).map(b"".join), st.binary(max_size=40))
def test_the_body_never_changes_the_fields(head, body):
    end = b"\n\nX"
    assert scan(head + end).items == scan(head + end + body).items
