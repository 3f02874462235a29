"""The parts of a mail lie where RFC 2046 says, and where the standard library finds them too."""

import base64
import binascii
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.fields import scan, split
from intake.mime import tree
from intake.parts import Place, TooDeep, header, parts

CLOSE_MISSING = "multipart without its last boundary"
START_MISSING = "multipart without its first boundary"
NO_EMPTY_LINE = "part without an empty line behind its header"
ROOT = scan(b"Content-Type: multipart/mixed; boundary=b\n\n")


def contents(body, *, root=ROOT):
    found, defects = parts(root, body)
    return [part.content for part in found if part.content is not None], defects


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    ("lines", "found", "defects"),
    [
        ([b"--b", b"", b"x", b"--b", b"", b"y", b"--b--"], [b"x", b"y"], []),
        ([b"preamble", b"--b", b"", b"x", b"--b--", b"epilogue", b"--b", b"", b"z"], [b"x"], []),
        ([b"--b \t", b"", b"x", b"--b-- ", b""], [b"x"], []),
        ([b"--b", b"", b"", b"--b--"], [b""], []),
        ([b"--b", b"", b"--b--"], [b""], []),
        ([b"--b", b"", b"x --b", b" --b", b"--bb", b"--b-", b"--b--b", b"--b--"], 1, []),
        ([b"--b", b"--b", b"", b"x", b"--b--"], [b"x"], []),
        ([b"--b", b"A: 1", b"--b--"], [b""], []),
        ([b"--b", b"text", b"", b"y", b"--b--"], 1, [NO_EMPTY_LINE]),
        ([b"--b", b"A: 1", b"text", b"--b--"], [b"text"], [NO_EMPTY_LINE]),
        ([b"--b", b"From x", b"A: 1", b"", b"y", b"--b--"], [b"y"], []),
        ([b"--b", b" folded", b"", b"y", b"--b--"], [b"y"], []),
        ([b"--b", b"", b"x", b""], [b"x"], [CLOSE_MISSING]),
        ([b"--b", b"", b"x"], [b"x"], [CLOSE_MISSING]),
        ([b"--b"], [b""], [CLOSE_MISSING]),
        ([b"--b", b"--b--"], [b""], [CLOSE_MISSING]),
        ([b"--b", b"--b--", b"", b"behind"], [b"behind"], [CLOSE_MISSING]),
        ([b"x", b"--b--"], 1, [START_MISSING]),
        ([b"x"], [b"x"], [START_MISSING]),
        ([b""], [b""], [START_MISSING]),
    ],
)
def test_parts_lie_between_their_delimiters(lines, found, defects, end):
    octets, told = contents(end.join(lines))
    assert told == defects
    assert len(octets) == found if isinstance(found, int) else octets == found


def test_the_delimiter_of_the_outer_multipart_ends_the_inner_one():
    inner = b"--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\none\n"
    assert contents(inner + b"--b\n\ntwo\n--bb--\n--b--\n") == ([b"one", b"two\n--bb--"], [CLOSE_MISSING])


def test_an_inner_multipart_with_the_boundary_of_the_outer_one_has_no_parts():
    inner = b"--b\nContent-Type: multipart/mixed; boundary=b\n\n"
    assert contents(inner + b"--b\n\nx\n--b--\n") == ([b"", b"x"], [START_MISSING])


def test_of_two_content_types_of_a_part_the_first_counts():
    body = b"--b\nContent-Type: text/html\nContent-Type: text/csv\n\nx\n--b--\n"
    assert [part.header.type for part in parts(ROOT, body)[0]] == ["multipart/mixed", "text/html"]


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("mixed", [Place(), Place()]),
        ("alternative", [Place(branches=((1, 0),)), Place(branches=((1, 1),))]),
        ("related", [Place(related=True), Place(related=True, extra=True)]),
        ("signed", [Place(), Place(extra=True)]),
    ],
)
def test_a_part_knows_its_place(kind, places):
    root = scan(b"Content-Type: multipart/" + kind.encode() + b"; boundary=b\n\n")
    assert [part.place for part in parts(root, b"--b\n\nx\n--b\n\ny\n--b--\n")[0]][1:] == places


@pytest.mark.parametrize(
    ("value", "kind"),
    [(b"Text/HTML; a=b", "text/html"), (b"text", "text/plain"), (b"a/b/c", "text/plain"), (b"", "message/rfc822")],
)
def test_only_a_part_without_any_type_has_the_default_type(value, kind):
    assert header(scan(b"Content-Type: " + value), default="message/rfc822").type == kind


@pytest.mark.parametrize(
    "body",
    [
        b"--b\n\n" + b"--b x\n" * 100_001,
        b"--b\n" * 100_002,
        b"--b\nContent-Type: multipart/mixed; boundary=c\n\n" + b"--c x\n" * 100_001,
    ],
)
def test_very_many_lines_like_delimiters_are_refused(body):
    with pytest.raises(TooDeep):
        parts(ROOT, body)


def test_a_boundary_of_hyphens_in_a_line_of_hyphens_is_looked_at_once():
    root = scan(b"Content-Type: multipart/mixed; boundary=" + b"-" * 60 + b"\n\n")
    assert contents(b"-" * 300_000, root=root)[1] == [START_MISSING]


# Well-formed mails: what both readers must see alike.

KINDS = st.sampled_from(["text/plain", "text/html", "application/pdf", "image/png", "message/rfc822", ""])
TEXTS = st.lists(
    st.sampled_from([b"--", b"--b", b"--b1--", b"text", b"", b"From x", b"\xff\xfe", b"A: 1", b"=3D", b"SGVs"])
)
LEAVES = st.tuples(KINDS, st.sampled_from(["", "7bit", "base64", "quoted-printable"]), TEXTS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(["mixed", "alternative", "related", "digest"]), st.lists(inner, min_size=1)
    ),
    max_leaves=12,
)


def encoded(lines, encoding):
    octets = b"\n".join(lines)
    if encoding == "base64":
        return base64.encodebytes(octets)
    return binascii.b2a_qp(octets) if encoding == "quoted-printable" else octets


def written(found, level=0):
    """The lines of a part; its boundary is in no other line, as RFC 2046 section 5.1.1 wants it."""
    if len(found) == 3:
        kind, encoding, text = found
        head = [b"Content-Type: " + kind.encode()] * bool(kind)
        head += [b"Content-Transfer-Encoding: " + encoding.encode()] * bool(encoding)
        return [*head, b"", encoded(text, encoding)]
    kind, inner = found
    delimiter = f"--level {level}".encode()
    lines = [f'Content-Type: multipart/{kind};\n\tboundary="level {level}"'.encode(), b"", b"preamble"]
    for part in inner:
        lines += [delimiter, *written(part, level + 1)]
    return [*lines, delimiter + b"--", b"epilogue"]


def standard(message: Message):
    """The type and content of each leaf, as the standard library has them; an attached message is not opened."""
    if message.get_content_maintype() == "multipart":
        return [leaf for part in message.get_payload() for leaf in standard(part)]
    if message.get_content_maintype() == "message":
        return [("message/rfc822", None)]
    return [(message.get_content_type(), message.get_payload(decode=True))]


@given(TREES, st.sampled_from([b"\n", b"\r\n"]))
def test_leaves_and_contents_are_those_of_the_standard_library(mail, end):
    raw = b"\n".join([b"Subject: x", *written(mail)]).replace(b"\n", end)
    found = tree(scan(raw), split(raw)[1])
    assert found.defects == ()
    assert [(leaf.type, None if leaf.type == "message/rfc822" else leaf.octets) for leaf in found.leaves] == standard(
        message_from_bytes(raw, policy=compat32)
    )
