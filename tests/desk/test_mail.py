"""Addresses are compared by ASCII alone; a mail is found by its fields and cannot be changed."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import Address, AutomaticKind, Mail, ascii_fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Anna@Corp.Example", "anna@corp.example"),
        ("AZaz09", "azaz09"),
        ("@[`{", "@[`{"),
        ("\u0130I\u0131i", "\u0130i\u0131i"),
        ("\u212aelvin", "\u212aelvin"),
        ("STRA\u1e9eE", "stra\u1e9ee"),
        ("\u00c4", "\u00c4"),
        ("", ""),
    ],
)
def test_only_ascii_capitals_are_folded(text, folded):
    assert ascii_fold(text) == folded


@given(st.text())
def test_folding_keeps_the_length_and_a_second_time_changes_nothing(text):
    folded = ascii_fold(text)
    assert len(folded) == len(text)
    assert ascii_fold(folded) == folded


@given(st.text(), st.text())
def test_folding_makes_no_letter_equal_to_an_ascii_one_that_was_not(left, right):
    if ascii_fold(left) == ascii_fold(right):
        assert [one.isascii() for one in left] == [one.isascii() for one in right]


@pytest.mark.parametrize(
    ("address", "key", "domain"),
    [
        ("Anna@Corp.Example", "anna@corp.example", "corp.example"),
        ('"a@b"@C.example', '"a@b"@c.example', "c.example"),
        ("no at", "no at", ""),
        ("", "", ""),
        ("anna@", "anna@", ""),
        ("anna@corp.\u212az", "anna@corp.\u212az", "corp.\u212az"),
    ],
)
def test_an_address_has_a_key_and_a_domain(address, key, domain):
    found = Address("Anna", address)
    assert (found.key, found.domain) == (key, domain)


def test_two_spellings_of_one_address_have_one_key_but_stay_as_written():
    assert Address("", "ANNA@corp.example").key == Address("Anna", "anna@CORP.example").key
    assert Address("", "ANNA@corp.example").address == "ANNA@corp.example"


def test_all_values_of_a_field_are_found_in_order():
    mail = Mail(headers=(("received", "b"), ("x", "1"), ("received", "a")))
    assert mail.header("received") == ("b", "a")
    assert mail.header("Received") == ()
    assert mail.header("absent") == ()


def test_a_mail_of_which_nothing_is_known_is_a_persons():
    assert Mail().automatic.kind is AutomaticKind.PERSON


def test_a_mail_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Mail().subject = "another"
