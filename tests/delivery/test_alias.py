"""The Message-ID that a relay names in its reply to the dot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.alias import alias_in

KNOWN = ("<1@desk.example>", "ann@corp.example", "help@corp.example")
NEW = "<AM0PR04MB0001ABC@AM0PR04MB0001.eurprd04.prod.outlook.com>"


@pytest.mark.parametrize(
    ("reply", "alias"),
    [
        (f"250 2.0.0 OK {NEW} [Hostname=AM0PR04MB0001.eurprd04.prod.outlook.com]", NEW),
        (f"250 2.6.0 {NEW} [InternalId=1, Hostname=mx] Queued mail for delivery", NEW),
        (f"250 2.1.5 <ann@corp.example> ok {NEW}", NEW),
        ("250 2.6.0 <1@DESK.example> [InternalId=1] Queued mail for delivery", None),
        ("250 2.1.5 <Ann@Corp.Example> accepted", None),
        ("250 2.0.0 Ok: queued as 4WxYz0123", None),
        ("250 OK id=1tEx-0001-AB", None),
        ("250 <no-at-sign> <> <@> <a@> <@b> <a@b@c> <a b@c>", None),
        (f"451 4.3.2 {NEW} try again", None),
        (f"554 5.2.0 {NEW}", None),
        ("", None),
    ],
)
def test_the_id_in_a_reply_is_found_and_nothing_else_taken_for_one(reply, alias):
    assert alias_in(reply, known=KNOWN) == alias


@given(st.text(alphabet="<>@ ab.\r\n\0", max_size=200))
def test_whatever_a_relay_says_an_alias_is_one_msg_id(words):
    found = alias_in(f"250 {words}", known=())
    if found is not None:
        assert found[0] + found[-1] == "<>"
        assert found.count("@") == 1
        assert not set(found[1:-1]) & set("<> \r\n\0")
