"""A mail is taken apart in bounded work, and each leaf is decoded once."""

from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.fields import scan, split
from intake.labels import labels
from intake.mime import MAX_DEPTH, MAX_PARTS, open_messages, tree


def taken_apart(raw):
    return tree(scan(raw), split(raw)[1])


def multipart(*parts, kind="mixed", boundary="b"):
    lines = [f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()]
    lines += [b"--%b\n%b\n" % (boundary.encode(), part) for part in parts]
    return b"".join(lines) + b"--%b--\n" % boundary.encode()


def nested(depth):
    mail = b"Content-Type: text/plain\n\ninnermost"
    for level in range(depth):
        mail = multipart(mail, boundary=f"b{level}x")
    return mail


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('text/plain; charset="utf-8"; format=flowed', "text/plain", {"charset": "utf-8", "format": "flowed"}),
        ('text/plain; name="a; b=c"', "text/plain", {"name": "a; b=c"}),
        ("text/plain; name=two words.txt; x=1", "text/plain", {"name": "two words.txt", "x": "1"}),
        ('text/plain; name="a\\"b"', "text/plain", {"name": 'a"b'}),
        ('text/plain; name="C:\\dir\\f.txt"', "text/plain", {"name": "C:\\dir\\f.txt"}),
        ('text/plain; name="open', "text/plain", {"name": "open"}),
        ("text/plain; charset=a; charset=b", "text/plain", {"charset": "a"}),
        ('text/plain; name="=?utf-8?q?=C5=BC.txt?="', "text/plain", {"name": "ż.txt"}),
        ('text/plain; name="=?utf-8?q?a?=\n =?utf-8?q?b?="', "text/plain", {"name": "ab"}),
        ("a/b; filename*=utf-8''%c5%bc.txt", "a/b", {"filename*": "ż.txt"}),
        ("a/b; filename*=iso-8859-2'pl'%bf.txt", "a/b", {"filename*": "ż.txt"}),
        ("a/b; filename*=%41.txt", "a/b", {"filename*": "A.txt"}),
        ("a/b; n*0=one; n*1=two; n*2=three", "a/b", {"n*": "onetwothree"}),
        ("a/b; n*2=c; n*0=a; n*9=z", "a/b", {"n*": "acz"}),
        ("a/b; n*0*=utf-8''%c5; n*1*=%bc; n*2=%41", "a/b", {"n*": "ż%41"}),
        ("a/b; n*0*=rot13''abc", "a/b", {"n*": "abc"}),
        ("text/plain (a comment); charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("text/html charset=utf-8", "text/html", {"charset": "utf-8"}),
        ("", "", {}),
        (";;;", "", {}),
        ("a/b; =x; *=y; *0=z", "a/b", {}),
        ("a/b; name=\udce9", "a/b", {"name": "é"}),
    ],
)
def test_a_structured_field_is_read_tolerantly(value, main, parameters):
    found = labels(value)
    assert (found.value, dict(found.parameters)) == (main, parameters)


def test_the_extended_form_of_a_parameter_goes_first():
    assert labels("a; filename=plain; filename*=utf-8''star").named("filename") == "star"


def test_at_most_a_hundred_parameters_are_read():
    assert len(labels("a/b" + "".join(f"; p{number}=x" for number in range(300))).parameters) == 100


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        (b"7bit", b"a=3D\n", b"a=3D\n"),
        (b"quoted-printable", b"a=3Db=\nc =C3=A9", b"a=bc \xc3\xa9"),
        (b"Quoted-Printable;", b"a=3D", b"a="),
        (b"quoted-printable", b"broken =ZZ", b"broken =ZZ"),
        (b"base64", b"SGVsbG8=", b"Hello"),
        (b"BASE64 (a comment)", b"SGVs\nbG8", b"Hello"),
        (b" (first) base64", b"SGVsbG8=", b"Hello"),
        (b"x-uuencode", b"begin 644 f.bin\n%2&5L;&\\ \n`\nend\n", b"Hello"),
        (b"x-uuencode", b"no beginning", b"no beginning"),
        (b"x-uuencode", b"begin 644 f\n\xff\xff\xff\nend", b""),
        (b"8-bit", b"\xe9", b"\xe9"),
        (b"", b"x", b"x"),
    ],
)
def test_a_transfer_encoding_is_undone(encoding, body, content):
    found = taken_apart(b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body)
    assert [leaf.octets for leaf in found.leaves] == [content]
    assert found.defects == ()


def test_an_unknown_transfer_encoding_leaves_the_content_as_it_is_and_says_so():
    found = taken_apart(b"Content-Transfer-Encoding: x-strange\n\nbody")
    assert found.leaves[0].octets == b"body"
    assert found.defects == ("unknown transfer encoding x-strange",)


@pytest.mark.parametrize(
    "kind", [b"text", b"/", b"text/", b"/plain", b"a/b/c", b";", b"multipart/mixed", b"multipart/x; boundary="]
)
def test_a_leaf_of_malformed_type_is_plain_text(kind):
    found = taken_apart(b"Content-Type: " + kind + b"\n\nbody")
    assert [(leaf.type, leaf.octets) for leaf in found.leaves] == [("text/plain", b"body")]


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (b"Content-Type: multipart/mixed\n\nx", "multipart without a boundary"),
        (b"Content-Type: multipart/mixed; boundary=b\n\nx", "multipart without its first boundary"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx", "multipart without its last boundary"),
        (
            b"Content-Transfer-Encoding: base64\n" + multipart(b"\nx"),
            "transfer encoding on a multipart",
        ),
    ],
)
def test_what_is_wrong_with_the_structure_is_said(raw, defect):
    found = taken_apart(raw)
    assert found.defects == (defect,)
    assert found.leaves[0].octets.strip() == b"x"


def test_a_line_that_is_no_field_does_not_end_the_header():
    found = taken_apart(b"Subject: x\nno field\nContent-Transfer-Encoding: base64\n\nSGVsbG8=")
    assert found.leaves[0].octets == b"Hello"


@pytest.mark.parametrize("boundary", [b'"with blank "', b"plain   ", b"first; boundary=second", b'"q\\"q"'])
def test_a_strange_boundary_is_found(boundary):
    line = {b'"w': b"with blank", b"pl": b"plain", b"fi": b"first", b'"q': b'q"q'}[boundary[:2]]
    raw = b"Content-Type: multipart/mixed; boundary=" + boundary + b"\n\n--" + line + b"\n\nx\n--" + line + b"--\n"
    assert [leaf.octets for leaf in taken_apart(raw).leaves] == [b"x"]


def test_an_attached_message_is_one_leaf_with_its_exact_octets():
    inner = b"Subject: inner\r\nX: a\r\n b\r\n\r\nbody\r\n"
    found = taken_apart(multipart(b"\ntext", b"Content-Type: message/rfc822\n\n" + inner))
    assert [(leaf.type, leaf.octets) for leaf in found.leaves][1] == ("message/rfc822", inner)


def test_attached_messages_open_to_the_shape_of_the_standard_parser():
    status = b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b\r\nStatus: 5.1.1\r\n"
    raw = multipart(
        b"Content-Type: message/delivery-status\n\n" + status,
        b"Content-Type: message/rfc822\n\nMessage-ID: <x@y>\n\nbody",
        kind="report",
    )
    report, returned = open_messages(taken_apart(raw)).get_payload()
    assert [dict(block.items()) for block in report.get_payload()] == [
        {"Reporting-MTA": "dns; mx"},
        {"Final-Recipient": "rfc822; a@b", "Status": "5.1.1"},
    ]
    assert [message["Message-ID"] for message in returned.get_payload()] == ["<x@y>"]
    assert all(isinstance(part, Message) for part in (report, returned))


def test_parts_know_their_alternative_and_their_relation():
    related = multipart(b"Content-Type: text/html\n\nh", b"Content-ID: <i>\n\nimage", kind="related", boundary="r")
    found = taken_apart(multipart(b"\nplain", related, kind="alternative"))
    assert [(leaf.branches, leaf.extra, leaf.related) for leaf in found.leaves] == [
        (((1, 0),), False, False),
        (((1, 1),), False, False),
        (((1, 1),), True, True),
    ]


def test_thirty_levels_are_taken_apart():
    found = taken_apart(nested(MAX_DEPTH))
    assert found.intact
    assert [leaf.octets for leaf in found.leaves] == [b"innermost"]


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100, 1000, 5000])
def test_deeper_levels_are_shown_as_they_came(depth):
    found = taken_apart(nested(depth))
    assert not found.intact
    assert b"innermost" in found.leaves[0].octets
    assert found.defects == ("parts nested deeper than 30: shown as they came",)


def test_messages_within_messages_are_one_leaf():
    found = taken_apart(b"Content-Type: message/rfc822\n\n" * 5000)
    assert [leaf.type for leaf in found.leaves] == ["message/rfc822"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_after_five_hundred_parts_the_rest_is_not_read(line_end):
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b" + line_end * 2 + b"x" + line_end) * 20_000
    found = taken_apart(raw)
    assert len(found.leaves) == MAX_PARTS
    assert "more than 500 parts: rest not read" in found.defects


def test_dashes_that_are_no_boundary_are_text():
    found = taken_apart(multipart(b"\n" + b"--no\n" * 2000))
    assert found.leaves[0].octets == (b"--no\n" * 2000)[:-1] + b"\n"


def test_many_octets_below_many_levels_are_shown_as_they_came():
    raw = nested(MAX_DEPTH).replace(b"innermost", b"a\n" * 200_000)
    assert not taken_apart(raw).intact


PIECES = st.sampled_from(
    [
        *(b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822", b"Content-Type: text/html"),
        *(b"--b", b"--b--", b"--", b"", b"", b"text", b"\r", b"\xff", b"Content-Transfer-Encoding: base64", b" folded"),
        b"Content-Type: message/delivery-status",
    ]
)


@given(st.lists(PIECES, max_size=40), st.sampled_from([b"\n", b"\r\n"]))
def test_no_arrangement_of_lines_raises_or_grows(pieces, line_end):
    raw = line_end.join(pieces)
    found = taken_apart(raw)
    assert sum(len(leaf.octets) for leaf in found.leaves) <= len(raw)
    open_messages(found)
