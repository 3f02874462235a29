"""Message-IDs and tokens: the same for the same, another for anything else, found in whatever a mail program makes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.token import TOKEN_LENGTH, Key, Keyring, quoted_references

OLD, NEW = Key("a", b"1" * 32), Key("b", b"2" * 32)
BEFORE, RING, AFTER = Keyring((OLD,)), Keyring((OLD, NEW)), Keyring((NEW,))
REFERENCE, ANNA = "R-1042", "anna@corp.example"
TOKEN = RING.token(REFERENCE, ANNA)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def confirmed(token, *, ring=RING, reference=REFERENCE, recipient=ANNA):
    return ring.confirms(token, reference=reference, recipient=recipient)


def test_a_token_is_the_signing_keys_name_and_16_characters():
    assert re.fullmatch(r"b[a-z2-7]{16}", TOKEN)
    assert TOKEN_LENGTH == 16


def test_these_values_never_change_because_they_stand_in_mails_that_went_out():
    assert BEFORE.token(REFERENCE, ANNA) == "aw7vwhwa7qnsjagh2"
    made = BEFORE.message_id("receipt", content_key="k", recipient=ANNA, domain="corp.example")
    assert made == "<receipt.a.KTL6BSDTOYJGLFST2WPKZNXONI@corp.example>"


@pytest.mark.parametrize("ring", [RING, AFTER])
def test_a_token_is_confirmed_while_its_key_is_in_the_ring(ring):
    assert confirmed(TOKEN, ring=ring)


def test_an_older_keys_token_is_confirmed_until_the_key_is_taken_out():
    older = BEFORE.token(REFERENCE, ANNA)
    assert confirmed(older, ring=RING)
    assert not confirmed(older, ring=AFTER)


def test_capitals_change_nothing():
    assert confirmed(TOKEN.upper())
    assert confirmed(TOKEN.title())


@pytest.mark.parametrize("place", range(17))
def test_one_other_character_makes_another_token(place):
    other = next(letter for letter in ALPHABET if letter != TOKEN[place])
    assert not confirmed(TOKEN[:place] + other + TOKEN[place + 1 :])


@pytest.mark.parametrize(
    "token", ["", "b", TOKEN[:-1], TOKEN + "a", f" {TOKEN}", "z" + TOKEN[1:], "b\u0130\u017f", "\u212a" * 17]
)
def test_what_is_no_token_of_ours_is_not_confirmed(token):
    assert not confirmed(token)


def test_a_token_is_bound_to_its_reference_and_its_recipient():
    assert not confirmed(TOKEN, reference="R-1043")
    assert not confirmed(TOKEN, recipient="bob@corp.example")


def test_a_key_shows_its_name_only():
    assert repr(RING) == "Keyring(keys=(Key('a'), Key('b')))"


def made(**other):
    values = {"content_key": "k", "recipient": ANNA, "domain": "corp.example"} | other
    return RING.message_id(values.pop("kind", "receipt"), **values)


def test_a_message_id_is_the_same_each_time():
    assert (
        made()
        == made()
        == Keyring((OLD, NEW)).message_id("receipt", content_key="k", recipient=ANNA, domain="corp.example")
    )


@pytest.mark.parametrize(
    "other",
    [{"kind": "notification"}, {"content_key": "l"}, {"recipient": "bob@corp.example"}, {"domain": "other.example"}],
)
def test_a_message_id_differs_by_kind_content_recipient_and_domain(other):
    assert made(**other) != made()


def test_the_keyed_part_differs_even_where_kind_and_domain_are_set_aside():
    assert made().split(".")[2][:26] != made(kind="notification").split(".")[2][:26]


def test_a_message_id_differs_by_key():
    assert BEFORE.message_id("receipt", content_key="k", recipient=ANNA, domain="corp.example") != made()


def test_a_message_id_is_a_dot_atom_between_angle_brackets():
    assert re.fullmatch(r"<receipt\.b\.[A-Z2-7]{26}@corp\.example>", made())


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=5), min_size=2, max_size=4), st.data())
def test_no_two_lists_of_values_have_one_mac(values, data):
    others = data.draw(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=5), min_size=2, max_size=4))
    assert (RING.mac(*values) == RING.mac(*others)) is (values == others)


def test_a_value_with_a_lone_surrogate_has_a_mac_all_the_same():
    assert RING.mac("\ud800") != RING.mac("\ud801")


LINE = f"Ref: {REFERENCE} {TOKEN}"
ISOLATED = f"\u2068{LINE}\u2069"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LINE, id="as sent"),
        pytest.param(LINE.upper(), id="in capitals"),
        pytest.param(f"Thanks!\n\n> Hello Anna,\n> {LINE}\n", id="quoted"),
        pytest.param(f">>> > {LINE}", id="quoted often"),
        pytest.param(f"| {LINE}", id="quoted with bars"),
        pytest.param(ISOLATED, id="isolated, as in Arabic"),
        pytest.param(f"> {ISOLATED}\n", id="isolated and quoted"),
        pytest.param(f"> \u2068Ref: {REFERENCE}\n> {TOKEN}\u2069\n", id="isolated, quoted and wrapped"),
        pytest.param(f"> Ref: {REFERENCE}\r\n> {TOKEN}", id="wrapped with CRLF"),
        pytest.param(f"> > Ref: {REFERENCE} \n> > {TOKEN}", id="flowed"),
        pytest.param(f"> > Ref:\n> > {REFERENCE}\n> > {TOKEN}", id="wrapped twice"),
        pytest.param(f"Ref: \u2068{REFERENCE}\u2069 \u2068{TOKEN}\u2069", id="each isolated"),
        pytest.param(f"Ref: {REFERENCE}\u200e \u200f{TOKEN}\u200e", id="direction marks"),
        pytest.param(f"Ref:\u00a0{REFERENCE}\u00a0{TOKEN}", id="no-break spaces"),
        pytest.param(f"Ref: {REFERENCE}\t\t{TOKEN}.", id="tabs and a full stop"),
        pytest.param(f"*Ref: {REFERENCE} {TOKEN}*", id="bold in plain text"),
        pytest.param(f"<p>{LINE}</p>", id="tags left over"),
    ],
)
def test_the_reference_line_is_found_whatever_a_mail_program_made_of_it(text):
    assert quoted_references(text) == ((REFERENCE, TOKEN),)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(REFERENCE, id="no token"),
        pytest.param(f"{REFERENCE}{TOKEN}", id="nothing between"),
        pytest.param(f"{REFERENCE} {TOKEN[:-1]}", id="token too short"),
        pytest.param(f"{REFERENCE} {TOKEN}a", id="token too long"),
        pytest.param(f"{REFERENCE} {TOKEN[:-1]}1", id="a digit that base32 lacks"),
        pytest.param(f"XR-1042 {TOKEN}", id="inside a word"),
        pytest.param(f"R-1234567890123 {TOKEN}", id="too many digits"),
        pytest.param(f"{REFERENCE}{' ' * 25}{TOKEN}", id="too far apart"),
        pytest.param(f"{REFERENCE} and {TOKEN}", id="a word between"),
    ],
)
def test_what_only_resembles_a_reference_line_is_none(text):
    assert quoted_references(text) == ()


def test_each_pair_is_given_once_and_the_first_one_first():
    other = RING.token("R-7", ANNA)
    text = f"R-1042 {TOKEN}\n> R-7 {other}\n>> r-01042 {TOKEN.upper()}"
    assert quoted_references(text) == ((REFERENCE, TOKEN), ("R-7", other))


def test_at_most_twenty_are_given():
    text = "\n".join(f"R-{number} {TOKEN}" for number in range(30))
    assert [reference for reference, _ in quoted_references(text)] == [f"R-{number}" for number in range(20)]


@pytest.mark.parametrize(
    "piece",
    [
        "R-",
        "R-1",
        "R-1 ",
        "R-1042\n> ",
        "R-123456789012",
        "R-1042 b",
        f"R-1042 {TOKEN[:-1]}",
        " ",
        "\u2068",
        f"R-1042 {TOKEN}",
    ],
)
def test_a_megabyte_of_anything_is_read_at_once(piece):
    assert len(quoted_references(piece * (1_000_000 // len(piece)))) <= 20


_PIECES = st.sampled_from(
    ["R-", "r-", "1", "\u0661", " ", "\n> ", "\u2068", TOKEN, TOKEN.upper(), "kelvin\u212a", "b" * 17]
)


@given(st.lists(_PIECES, max_size=12).map(lambda pieces: f"R-1042 {TOKEN}\n{''.join(pieces)}"))
def test_whatever_is_found_has_a_number_and_only_the_token_made_for_it_is_confirmed(text):
    found = quoted_references(text)
    assert found[0] == (REFERENCE, TOKEN)
    for reference, token in found:
        assert re.fullmatch(r"R-[0-9]{1,12}", reference)
        assert confirmed(token, reference=reference) is ((reference, token) == (REFERENCE, TOKEN))


@given(st.integers(1, 10**12 - 1), st.text(max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_what_was_sent_is_found_and_confirmed_between_any_other_text(number, recipient, before, after):
    reference = f"R-{number}"
    text = f"{before}\n> {reference} {RING.token(reference, recipient)}\n{after}"
    assert any(confirmed(token, reference=one, recipient=recipient) for one, token in quoted_references(text))


def test_a_probe_proves_by_its_name_alone_that_it_is_ours():
    probe = RING.probe_id("0123456789abcdef", domain="corp.example")
    assert re.fullmatch(r"<probe\.b\.0123456789abcdef\.[A-Z2-7]{26}@corp\.example>", probe)
    assert RING.confirms_probe(probe)
    assert not BEFORE.confirms_probe(probe)


@pytest.mark.parametrize(
    ("part", "other"),
    [("0123", "1123"), ("probe.", "receipt."), (".b.", ".a."), ("<", ""), (">", "> "), ("@", "@x@"), (".b.", ".z.")],
)
def test_no_other_name_is_taken_for_a_probe(part, other):
    probe = RING.probe_id("0123456789abcdef", domain="corp.example")
    assert not RING.confirms_probe(probe.replace(part, other, 1))


def test_a_probe_with_another_signature_is_not_ours():
    probe = RING.probe_id("0123456789abcdef", domain="corp.example")
    mac = probe.rpartition(".")[0].rpartition("@")[0].rpartition(".")[2]
    assert not RING.confirms_probe(probe.replace(mac, "A" * 26))


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROTATED = Keyring((OLD, Key("b", b"2" * 32, NOON)))


@pytest.mark.parametrize(
    ("came", "name"), [(NOON - timedelta(seconds=1), "a"), (NOON, "b"), (NOON + timedelta(days=900), "b")]
)
def test_the_answer_to_a_mail_is_named_under_the_key_of_the_moment_it_came(came, name):
    """A restored database answers it again after a rotation: by the same Message-ID."""
    made = ROTATED.at(came).message_id("receipt", content_key="k", recipient=ANNA, domain="corp.example")
    assert made.startswith(f"<receipt.{name}.")
    if name == "a":
        assert made == BEFORE.message_id("receipt", content_key="k", recipient=ANNA, domain="corp.example")


def test_a_ring_has_a_key_at_every_moment():
    assert Keyring((Key("a", b"1" * 32, NOON),)).at(NOON - timedelta(days=1)).keys
    assert RING.at(NOON) == RING


def test_a_token_is_made_with_the_newest_key_at_once_and_older_ones_are_confirmed():
    assert ROTATED.token(REFERENCE, ANNA) == TOKEN
    assert ROTATED.confirms(BEFORE.token(REFERENCE, ANNA), reference=REFERENCE, recipient=ANNA)
