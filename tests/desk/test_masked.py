"""A reply keeps its codes and words, and loses whom it names."""

import pytest

from desk.masked import without_addresses

ANNA = "anna.nowak@corp.example"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("550 5.1.1 <anna.nowak@corp.example>: Recipient rejected", "550 5.1.1 <(address)>: Recipient rejected"),
        ("452 Anna.Nowak@CORP.example: full", "452 (address): full"),
        ("550 unknown user anna.nowak", "550 unknown user (address)"),
        ("550 ANNA.NOWAK: not here (anna.nowak)", "550 (address): not here ((address))"),
        ("550 anna.nowakowska is another", "550 anna.nowakowska is another"),
        ("550 rfc822;eve@elsewhere.example;", "550 rfc822;(address);"),
        ("the database: at 10.0.0.1:25", "the database: at 10.0.0.1:25"),
        ("", ""),
    ],
)
def test_the_addresses_of_a_reply_are_masked(text, masked):
    assert without_addresses(text, ANNA) == masked


def test_a_quoted_or_strange_address_is_masked_where_it_is_known():
    assert without_addresses('550 <"anna (x)"@corp.example>', '"anna (x)"@corp.example') == "550 <(address)>"


@pytest.mark.parametrize("known", ["", "@", "nobody"])
def test_what_is_no_address_masks_nothing(known):
    assert without_addresses("550 5.1.1 no such user", known) == "550 5.1.1 no such user"
