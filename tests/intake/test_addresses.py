"""Who wrote a mail is taken from one unambiguous mailbox or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import Address
from intake.addresses import MAX_ADDRESS, mailboxes, oddities, sender


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("alice@corp.example", "", "alice@corp.example"),
        ("<alice@corp.example>", "", "alice@corp.example"),
        ("Alice Doe <alice@corp.example>", "Alice Doe", "alice@corp.example"),
        ('"Doe, Alice" <alice@corp.example>', "Doe, Alice", "alice@corp.example"),
        ('"A \\"Al\\" Doe" <alice@corp.example>', 'A "Al" Doe', "alice@corp.example"),
        ("alice@corp.example (Alice Doe)", "Alice Doe", "alice@corp.example"),
        ("Alice (IT (2nd floor)) <alice@corp.example>", "Alice", "alice@corp.example"),
        ("Alice [IT] <alice@corp.example>", "Alice [IT]", "alice@corp.example"),
        ("alice@corp.example,", "", "alice@corp.example"),
        ("alice@corp.example <Alice@Corp.Example>", "alice@corp.example", "Alice@Corp.Example"),
        ("=?utf-8?q?Zo=C3=AB?= <zoe@corp.example>", "Zoë", "zoe@corp.example"),
        ('"=?utf-8?q?Zo=C3=AB?=" <zoe@corp.example>', "Zoë", "zoe@corp.example"),
        ("=?utf-8?q?A=0AB=E2=80=AE?= <a@corp.example>", "A B", "a@corp.example"),
        ("Jürgen <jürgen@müller.example>", "Jürgen", "jürgen@müller.example"),
        ("x <alice@[192.0.2.1]>", "x", "alice@[192.0.2.1]"),
        ("x <alice@[IPv6:2001:db8::1]>", "x", "alice@[IPv6:2001:db8::1]"),
        ('"john doe"@corp.example', "", '"john doe"@corp.example'),
        ("old..style.@docomo.example", "", "old..style.@docomo.example"),
        ("a+tag@corp.example", "", "a+tag@corp.example"),
    ],
)
def test_one_mailbox_is_the_sender(text, name, address):
    assert sender([text]) == (Address(name, address), None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("alice@corp.example <evil@e.example>", "more than one @"),
        ("=?utf-8?q?alice=40corp.example=20?=x@e.example", "an encoded word inside of the address"),
        ("alice@corp.example(<evil@e.example>", "not closed"),
        ("alice@corp.example)evil@e.example", "not closed"),
        ("<alice@corp.example>evil@e.example", "text behind the address"),
        ("alice@corp.example@e.example", "more than one @"),
        ("alice@corp.example, evil@e.example", "more than one mailbox"),
        ("Alice <alice@corp.example> <evil@e.example>", "angle brackets"),
        ("Alice <alice@corp.example", "angle brackets"),
        ("Doe, Alice <alice@corp.example>", "more than one mailbox"),
        ("Staff: alice@corp.example, bob@corp.example;", "a group"),
        ("undisclosed-recipients:;", "a group"),
        ("<@relay.example:alice@corp.example>", "a group"),
        ('"alice@corp.example"@e.example', "more than one @"),
        ("alice＠corp.example", "no address"),
        ("ａlice@corp.example", "looks like another"),
        ("al\u200bice@corp.example", "cannot be seen"),
        ("alice\u202e@corp.example", "cannot be seen"),
        ("alice\x00@corp.example", "malformed local part"),
        ("al ice@corp.example", "malformed local part"),
        ("alice@corp.example.", "malformed domain"),
        ("alice@-corp.example", "malformed domain"),
        ("alice@[corp]", "malformed domain"),
        ("alice@corp..example", "malformed domain"),
        ("<a(b)lice@corp.example>", "a comment inside"),
        ("", "no address"),
        ("<>", "no address"),
        ("Alice", "no address"),
        ('"Alice <alice@corp.example>', "not closed"),
        ('"Alice\\" <alice@corp.example>', "not closed"),
        ("(" * 500 + ")" * 500 + "alice@corp.example", "not closed"),
        ("a" * MAX_ADDRESS + "@corp.example", "longer than"),
    ],
)
def test_a_doubtful_from_gives_no_sender_but_a_reason(text, reason):
    found, fault = sender([text])
    assert found is None
    assert reason in fault


def test_no_from_field_gives_no_sender():
    assert sender([]) == (None, "no From field")


def test_two_from_fields_give_no_sender_even_if_equal():
    assert sender(["a@corp.example", "a@corp.example"]) == (None, "more than one From field")


def test_a_domain_that_only_begins_like_ours_is_kept_whole():
    found, _ = sender(["alice@corp.example-evil.example"])
    assert found.domain == "corp.example-evil.example"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (Address("Alice", "alice@corp.example"), []),
        (Address("alice@corp.example", "evil@e.example"), ["From: name looks like an address"]),
        (Address("Alice@Corp.example", "alice@corp.example"), []),
        (Address("", "alice@c\u043erp.example"), ["From: domain of mixed scripts"]),
        (Address("", "alice@xn--crp-sed.example"), ["From: domain of mixed scripts"]),
        (Address("", "alice@xn--99999999999.example"), []),
        (Address("", "alice@müller.example"), []),
        (Address("", "alice@почта.example"), []),
        (Address("", "alice@日本のdesk.example"), []),
    ],
)
def test_a_person_is_told_what_looks_deceptive(address, told):
    assert list(oddities(address)) == told


@pytest.mark.parametrize(
    ("text", "addresses", "sound"),
    [
        ("a@x.example, b@x.example", ["a@x.example", "b@x.example"], True),
        ('"Doe, J" <j@x.example>, k@x.example (K)', ["j@x.example", "k@x.example"], True),
        ("Team: a@x.example, b@x.example;, c@x.example", ["a@x.example", "b@x.example", "c@x.example"], True),
        ("undisclosed-recipients:;", [], True),
        ("a@x.example,, ,b@x.example", ["a@x.example", "b@x.example"], True),
        ("a@x.example; b@x.example", ["a@x.example", "b@x.example"], True),
        ("nobody, a@x.example", ["a@x.example"], False),
        ("a@x.example <b@x.example>", ["b@x.example"], True),
        ("<a@x.example> trailing", ["a@x.example"], True),
        ("<a@x.example", ["a@x.example"], True),
        ("<a,b@x.example>", [], False),
        ('"', [], False),
        (":=;[", [], False),
        (",=?@", [], False),
        ("", [], True),
    ],
)
def test_a_list_gives_every_address_that_can_be_read(text, addresses, sound):
    found, told = mailboxes(text)
    assert [address.address for address in found] == addresses
    assert told is sound


def test_names_of_a_list_are_decoded():
    found, _ = mailboxes("=?iso-8859-2?q?Pawe=B3_=AFak?= <p@x.example>, =?utf-8?b?5L2Q6Jek?= <s@x.example>")
    assert [address.name for address in found] == ["Paweł Żak", "佐藤"]


SPECIAL = st.text(alphabet='abAB@<>()[]",:;\\. =?_\u200b\u202e\uff20é\n', max_size=60)


@given(SPECIAL)
def test_whatever_is_written_a_sender_has_exactly_one_at(text):
    found, fault = sender([text])
    assert (found is None) == (fault is not None)
    assert found is None or found.address.count("@") == 1


@given(SPECIAL)
def test_no_address_of_a_list_holds_blanks_brackets_or_unseen_characters(text):
    found, _ = mailboxes(text)
    for address in found:
        local = address.address.rpartition("@")[0]
        assert local.startswith('"') or not set(address.address) & set("<>(),;: \u200b\u202e\n")


@given(st.sampled_from(['"', "(", "<", "[", '"\\', "a:", "a@b,", "<a@b>", "\\"]))
def test_a_long_run_of_one_special_is_read(piece):
    found, _ = mailboxes(piece * 2000)
    assert len(found) <= 2000
