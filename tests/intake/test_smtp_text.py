"""An address is the one that was written, or none; a reply has an enhanced code exactly once."""

import pytest

from intake.smtp_text import enhanced, envelope_sender, is_plain, split_path


@pytest.mark.parametrize(
    ("argument", "path", "parameters"),
    [
        pytest.param("<ann@corp.example>", "ann@corp.example", "", id="plain"),
        pytest.param("<>", "<>", "", id="null"),
        pytest.param("<>  SIZE=5 BODY=8BITMIME", "<>", "SIZE=5 BODY=8BITMIME", id="parameters"),
        pytest.param('<"a \\" b>"@corp.example>', '"a \\" b>"@corp.example', "", id="quoted"),
        pytest.param("<@a,@b:ann@corp.example>", "@a,@b:ann@corp.example", "", id="source route"),
        pytest.param("<ann@[127.0.0.1]>", "ann@[127.0.0.1]", "", id="address literal"),
        pytest.param("<ann(x)@corp.example>", "ann(x)@corp.example", "", id="a comment stays text"),
        pytest.param("<łucja@corp.example>", "łucja@corp.example", "", id="UTF-8"),
    ],
)
def test_a_path_comes_out_as_written(argument, path, parameters):
    assert split_path(argument) == (path, parameters)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "ann@corp.example",
        "<ann@corp.example",
        "<<ann@corp.example>>",
        "<ann smith@corp.example>",
        "<ann@corp.example>x",
        "<a\r\n@corp.example>",
        "<a\0@corp.example>",
        "<a\x85@corp.example>",
        '<"a\0"@corp.example>',
        "<\udcff@corp.example>",
        '<"\udcff"@corp.example>',
        '<"ann@corp.example>',
        "<" + '"' * 20_001,
        "<" + '"a"' * 20_000,
        "<" + '"\\' * 20_000,
    ],
)
def test_what_is_no_path_is_none(argument):
    assert split_path(argument) is None


@pytest.mark.parametrize("path", ["help@corp.example", "help+tag@corp.example", "zażółć@corp.example", "postmaster"])
def test_a_mailbox_of_ours_has_a_plain_address(path):
    assert is_plain(path)


@pytest.mark.parametrize(
    "path",
    [
        "<>",
        "",
        "@corp.example",
        "help@",
        "a@b@c",
        '"a"@b',
        "a%b@c",
        "a!b@c",
        "@a:b@c",
        "a@[127.0.0.1]",
        "a(b)@c",
        "a;b@c",
    ],
)
def test_any_other_form_of_address_is_not_plain(path):
    assert not is_plain(path)


@pytest.mark.parametrize(
    ("path", "sender"),
    [
        ("<>", ""),
        ("ann@corp.example", "ann@corp.example"),
        ("@a,@b:ann@corp.example", "ann@corp.example"),
        ('"x@a:b"@corp.example', '"x@a:b"@corp.example'),
    ],
)
def test_the_null_path_is_empty_and_a_source_route_is_dropped(path, sender):
    assert envelope_sender(path) == sender


@pytest.mark.parametrize(
    ("reply", "sent"),
    [
        ("250 OK", "250 2.0.0 OK"),
        ("503 Error: nested MAIL command", "503 5.5.1 Error: nested MAIL command"),
        ("550 5.1.1 No such mailbox here", "550 5.1.1 No such mailbox here"),
        ("500 5.6.0 Message has a line that is too long", "500 5.6.0 Message has a line that is too long"),
        ("354 End data with <CR><LF>.<CR><LF>", "354 End data with <CR><LF>.<CR><LF>"),
        ("250-mx.corp.example\r\n250 PIPELINING", "250-mx.corp.example\r\n250 PIPELINING"),
    ],
)
def test_a_reply_has_an_enhanced_code_once(reply, sent):
    assert enhanced(reply) == sent
