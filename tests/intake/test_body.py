"""One text is shown, everything else that is no version of it is an attachment."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import body
from intake.fields import scan, split
from intake.mime import tree

PLAIN = b"Content-Type: text/plain\n\nplain"
PAGE = b"Content-Type: text/html\n\n<p>page</p>"
INVITATION = b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR"
IMAGE = b"Content-Type: image/png\nContent-ID: <i>\n\nimage"
PDF = b'Content-Type: application/pdf; name="a.pdf"\nContent-Disposition: attachment\n\npdf'


def multi(kind, *parts):
    boundary = f"{kind}{len(b''.join(parts))}".encode()
    lines = [b"Content-Type: multipart/%b; boundary=%b\n\n" % (kind.encode(), boundary)]
    return b"".join((*lines, *(b"--%b\n%b\n" % (boundary, part) for part in parts), b"--%b--\n" % boundary))


def read(raw):
    return body.read(tree(scan(raw), split(raw)[1]).leaves)


def kinds(found):
    return [attachment.content_type for attachment in found.attachments]


@pytest.mark.parametrize(
    ("raw", "text", "attached"),
    [
        (PLAIN, "plain", []),
        (PAGE, "page", []),
        (multi("alternative", PLAIN, PAGE), "plain", []),
        (multi("alternative", PAGE, PLAIN), "plain", []),
        (multi("alternative", b"Content-Type: text/plain\n\n \n", PAGE), "page", []),
        (multi("alternative", b"\nPlease use an HTML mail reader.", PAGE), "page", []),
        (multi("alternative", PLAIN, PAGE, INVITATION), "plain", []),
        (multi("alternative", PLAIN, multi("related", PAGE, IMAGE)), "plain", ["image/png"]),
        (multi("related", multi("alternative", PLAIN, PAGE), IMAGE), "plain", ["image/png"]),
        (multi("alternative", PLAIN, multi("mixed", PAGE, PDF, PAGE)), "plain", ["application/pdf"]),
        (multi("alternative", PAGE, multi("alternative", PLAIN, PAGE)), "plain", []),
        (multi("mixed", PLAIN, PDF, b"\nbelow"), "plain\n\nbelow", ["application/pdf"]),
        (multi("mixed", PLAIN, PAGE), "plain\n\npage", []),
        (multi("mixed", PLAIN, b"\n\n\n"), "plain", []),
        (multi("mixed", PLAIN, b'Content-Type: text/plain; name="log.txt"\n\nlog'), "plain", ["text/plain"]),
        (b'Content-Type: text/plain; name="body.txt"\n\nplain', "plain", []),
        (b"Content-Type: text/plain\nContent-Disposition: attachment\n\nfile", "", ["text/plain"]),
        (multi("mixed", PLAIN, INVITATION), "plain", ["text/calendar"]),
        (multi("mixed", INVITATION, PDF), "BEGIN:VCALENDAR", ["application/pdf"]),
        (INVITATION, "BEGIN:VCALENDAR", []),
        (b"Content-Type: text/enriched\n\n<bold>x</bold>", "<bold>x</bold>", []),
        (b"Content-Type: text/csv\n\na;b", "", ["text/csv"]),
        (multi("signed", PLAIN, b"Content-Type: text/plain\n\nsignature"), "plain", ["text/plain"]),
        (multi("digest", b"\nSubject: a\n\nb"), "", ["message/rfc822"]),
        (multi("mixed", PLAIN, b"Content-Type: message/rfc822\n\nSubject: x\n\ny"), "plain", ["message/rfc822"]),
        (b"Content-Type: message/external-body; access-type=URL\n\nX: y\n\nMARK", "X: y\n\nMARK", []),
        (b"Content-Type: image/png\n\nx", "", ["image/png"]),
        (b"", "", []),
    ],
)
def test_the_text_is_chosen_and_the_rest_attached(raw, text, attached):
    found = read(raw)
    assert (found.text, kinds(found)) == (text, attached)


def test_an_attachment_has_size_and_digest_of_its_decoded_content():
    found = read(
        multi("mixed", PLAIN, b"Content-Type: image/png; name=i.png\nContent-Transfer-Encoding: base64\n\nSGVsbG8=")
    )
    (image,) = found.attachments
    assert (image.name, image.size, image.sha256) == ("i.png", 5, hashlib.sha256(b"Hello").hexdigest())


@pytest.mark.parametrize(
    ("part", "inline"),
    [
        (b"Content-Type: image/png\nContent-Disposition: inline\n\nx", True),
        (b"Content-Type: image/png\nContent-Disposition: attachment\n\nx", False),
        (b"Content-Type: image/png\nContent-ID: <a>\n\nx", False),
        (b"Content-Type: image/png\n\nx", False),
    ],
)
def test_an_attachment_in_mixed_is_inline_where_it_says_so(part, inline):
    assert [found.inline for found in read(multi("mixed", PLAIN, part)).attachments] == [inline]


def test_an_image_with_an_identifier_in_related_is_inline():
    assert [found.inline for found in read(multi("related", PAGE, IMAGE)).attachments] == [True]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (b"Content-Type: a/b; name=n.txt", "n.txt"),
        (b"Content-Type: a/b; name=n.txt\nContent-Disposition: attachment; filename=f.txt", "f.txt"),
        (b"Content-Type: a/b; name*=utf-8''%c5%bc; name=n", "ż"),
        (b"Content-Type: a/b\nContent-Disposition: x; filename=f; filename*=utf-8''star", "star"),
        (b"Content-Type: a/b; name*=utf-8''x\nContent-Disposition: attachment; filename=f.txt", "f.txt"),
        (b"Content-Type: a/b", ""),
        (b"Content-Type: a/b\nContent-Disposition: attachment; filename=", ""),
    ],
)
def test_the_name_of_an_attachment_has_one_precedence(fields, name):
    assert [found.name for found in read(fields + b"\n\nx").attachments] == [name]


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.doc", "x.doc"),
        ("/abs/a", "a"),
        ("C:\\dir\\f.txt", "f.txt"),
        ("a\x00b\nc\u202e.txt", "ab c.txt"),
        ("aux.txt ", "aux.txt"),
        ("trailing.", "trailing"),
        ("...", ""),
        (".", ""),
        ("..", ""),
        ("dir/", ""),
        ("", ""),
        ("-rf", "-rf"),
        ("x" * 5000 + ".pdf", "x" * 146 + ".pdf"),
        ("ż" * 5000 + ".pdf", "ż" * 73 + ".pdf"),
        ("x." + "y" * 5000, "x." + "y" * 148),
    ],
)
def test_a_name_is_the_last_component_clean_and_short(given_name, name):
    assert body.file_name(given_name) == name


@given(st.text(max_size=400))
def test_no_name_is_a_path_or_too_long(given_name):
    name = body.file_name(given_name)
    assert len(name.encode()) <= body.MAX_NAME
    assert not set(name) & set("/\\\n\0")
    assert name not in (".", "..")


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("one \ntwo", "one two"),
        ("one\ntwo", "one\ntwo"),
        ("> a \n> b\nc", "> a b\nc"),
        (">> a \n> b", ">> a \n> b"),
        (" >stuffed", ">stuffed"),
        (" From here", "From here"),
        ("text \n-- \nname", "text \n-- \nname"),
        ("", ""),
    ],
)
def test_flowed_lines_become_paragraphs(text, joined):
    assert body.unflowed(text, delete_space=False) == joined


def test_delsp_joins_words():
    assert body.unflowed("東 \n京", delete_space=True) == "東京"


def test_flowed_text_is_put_together_in_a_mail():
    assert read(b"Content-Type: text/plain; format=Flowed; DelSp=Yes\n\nab \ncd").text == "abcd"


def test_html_without_label_is_read_as_its_meta_element_says():
    raw = b"Content-Type: text/html\n\n<meta charset='iso-8859-2'><p>\xbf\xf3\xb3w"
    assert read(raw).text == "żółw"


def test_a_text_longer_than_a_mebibyte_is_cut_and_said_so():
    found = read(b"\n" + b"x" * (body.MAX_TEXT + 1))
    assert len(found.text) == body.MAX_TEXT
    assert found.defects == ("text longer than 1 MiB: rest not shown",)


def test_many_texts_together_are_cut_too():
    found = read(multi("mixed", *[b"\n" + b"x" * 300_000] * 5))
    assert len(found.text) == body.MAX_TEXT


@pytest.mark.parametrize("kind", ["application/ms-tnef", "application/pkcs7-mime", "application/pgp-encrypted"])
def test_content_nobody_here_can_read_is_attached_and_told(kind):
    found = read(b"Content-Type: " + kind.encode() + b"\n\nx")
    assert kinds(found) == [kind]
    assert found.defects[0].startswith("content not readable")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Content-Type: text/plain; charset=iso-8859-2\n\nx", "iso8859_2"),
        (b"Content-Type: text/plain; charset=utf-8\n\nx", None),
        (b"Content-Type: text/plain; charset=utf-16\n\nx", None),
        (b"Content-Type: image/png; charset=koi8-r\n\nx", None),
        (b"\nx", None),
    ],
)
def test_a_declared_8_bit_charset_tells_about_the_rest_of_the_mail(raw, name):
    assert body.charset(tree(scan(raw), split(raw)[1]).leaves) == name
