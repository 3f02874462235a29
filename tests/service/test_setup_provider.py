"""The commands of a provider name each address where it has to be typed."""

from typing import get_args

import pytest

from service.setup_answers import Provider
from service.setup_provider import commands

TWO = ["help@corp.example", "hr@corp.example"]


@pytest.mark.parametrize("provider", get_args(Provider))
@pytest.mark.parametrize("addresses", [TWO, TWO[:1]])
def test_every_address_is_named_and_no_place_is_left_open(provider, addresses):
    told = commands(provider, addresses)
    assert all(address in told for address in addresses)
    assert "{" not in told
    assert told.endswith("\n")


def test_at_microsoft_the_first_mailbox_may_send_as_the_others_but_not_as_itself():
    told = commands("m365", TWO)
    assert "Add-RecipientPermission -Identity hr@corp.example -Trustee help@corp.example" in told
    assert "-Identity help@corp.example -Trustee" not in told
    assert "Add-RecipientPermission" not in commands("m365", TWO[:1])


def test_a_known_application_is_filled_in():
    assert '$app = "1234"' in commands("m365", TWO, client_id="1234")
    assert '$app = "CLIENT_ID"' in commands("m365", TWO)


def test_at_postfix_the_login_of_the_first_mailbox_may_send_as_each():
    told = commands("generic", TWO)
    assert "hr@corp.example hr@corp.example help@corp.example" in told
    assert "help@corp.example help@corp.example\n" in told
