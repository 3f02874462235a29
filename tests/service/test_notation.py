"""Single values of config.toml: tables of what is taken and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies

from service.notation import HostPort, read_address, read_domain, read_host, read_host_port


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2424", "127.0.0.1", 2424),
        ("[::1]:24", "::1", 24),
        ("localhost:65535", "localhost", 65535),
        ("mail.corp.example:1", "mail.corp.example", 1),
    ],
)
def test_a_door_is_host_and_port_and_reads_as_written(text: str, host: str, port: int) -> None:
    assert read_host_port(text) == HostPort(host=host, port=port)
    assert str(read_host_port(text)) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost",
        ":24",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:-1",
        "::1:24",
        "[::1]",
        24,
        "[localhost]:24",
        "[]:24",
        "local host:24",
        "a:b:24",
        "localhost:٣",
        "localhost:" + "9" * 5000,
    ],
)
def test_anything_else_is_no_door(value: object) -> None:
    with pytest.raises(ValueError, match="host:port"):
        read_host_port(value)


@pytest.mark.parametrize("text", ["help@corp.example", "a+b@x", "O'Neil@corp.example", "łódź@bücher.example"])
def test_an_address_stays_as_written(text: str) -> None:
    assert read_address(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "help",
        "@corp.example",
        "help@",
        "a@b@c",
        "a b@c",
        "<a@b>",
        "A <a@b>",
        "a,b@c",
        "a@-b.c",
        "a@b..c",
        "a@.",
        7,
        "a@b\n",
        "a@[127.0.0.1]",
        '"a b"@c',
        "a@" + "x" * 64,
        "a@" + "x." * 200 + "y",
        "a\x00@b",
        "a\u2028@b",
    ],
)
def test_anything_else_is_no_address(value: object) -> None:
    with pytest.raises(ValueError, match="one bare address"):
        read_address(value)


@pytest.mark.parametrize(
    ("text", "domain"), [("Corp.Example", "corp.example"), ("İ.example", "İ.example"), ("localhost", "localhost")]
)
def test_a_domain_has_only_its_ascii_letters_folded(text: str, domain: str) -> None:
    assert read_domain(text) == domain


@pytest.mark.parametrize("value", ["", "a b", "@corp.example", "https://corp.example", "corp.example.", None])
def test_anything_else_is_no_domain(value: object) -> None:
    with pytest.raises(ValueError, match="a domain such as"):
        read_domain(value)


@pytest.mark.parametrize("text", ["imap.corp.example", "127.0.0.1", "::1", "imap_1.corp.example"])
def test_a_host_stays_as_written(text: str) -> None:
    assert read_host(text) == text


@pytest.mark.parametrize("value", ["imaps://h", "h:993", "[::1]", "h/x", "", "h h", 1])
def test_anything_else_is_no_host(value: object) -> None:
    with pytest.raises(ValueError, match="without scheme and port"):
        read_host(value)


@given(text=strategies.text())
@settings(max_examples=50)
def test_every_text_is_an_address_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert read_address(text) == text
