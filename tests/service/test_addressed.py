"""Which of our mailboxes a mail is for, which get a copy, and which one answers."""

from dataclasses import replace

import pytest

from desk.acknowledge import Mode
from desk.mail import Address, Mail
from service.addressed import addressed, is_named
from tests.service.cast import HELP, HR, office

OFFICE = office()
IT, BOB = "it@corp.example", "bob@corp.example"


def house(**modes):
    """The office; help and hr in the modes given."""
    mailboxes = {
        one: replace(box, mode=modes.get(one.partition("@")[0], box.mode)) for one, box in OFFICE.mailboxes.items()
    }
    return replace(OFFICE, mailboxes=mailboxes)


def mail(to=(), cc=()):
    return Mail(to=tuple(Address("", one) for one in to), cc=tuple(Address("", one) for one in cc))


def found(at, written, office=OFFICE):
    """The mailboxes it is for, and those that get a copy, by the names of their addresses."""
    whom = addressed(office.mailboxes[at], written, office)
    return tuple(" ".join(one.address.partition("@")[0] for one in part) for part in (whom.mailboxes, whom.copies))


@pytest.mark.parametrize(
    ("to", "cc", "at_help", "at_hr"),
    [
        pytest.param([HELP, HR], [], ("help hr", ""), ("help hr", ""), id="both in To"),
        pytest.param([HR, BOB, HELP], [], ("hr help", ""), ("hr help", ""), id="in their order"),
        pytest.param(["IT+vpn@corp.example", HR, HELP], [], ("help hr", ""), ("help hr", ""), id="alias and tag"),
        pytest.param([HELP], [HR], ("help", "hr"), ("help", "hr"), id="one in Cc"),
        pytest.param([HELP, HR], [HELP], ("help hr", ""), ("help hr", ""), id="in To and Cc"),
        pytest.param([BOB], [HELP, HR], ("help hr", ""), ("help hr", ""), id="none of ours in To"),
        pytest.param([HELP], [], ("help", ""), ("help hr", ""), id="Bcc"),
        pytest.param([BOB], [HELP], ("help", ""), ("help hr", ""), id="Bcc beside Cc"),
        pytest.param([BOB], [], ("help", ""), ("hr", ""), id="a list"),
    ],
)
def test_to_and_cc_say_whom_it_is_for_whichever_copy_is_in_hand(to, cc, at_help, at_hr):
    written = mail(to, cc)
    assert (found(HELP, written), found(HR, written)) == (at_help, at_hr)


def test_one_that_observes_has_no_part_beside_one_that_does_not():
    for at in (HELP, HR):
        assert found(at, mail([HELP, HR]), house(help=Mode.OBSERVE)) == ("hr", "")
        assert found(at, mail([HELP, HR]), house(help=Mode.OBSERVE, hr=Mode.OBSERVE)) == ("help hr", "")


def test_a_mailbox_is_named_by_each_of_its_addresses_in_to_or_cc():
    assert is_named(OFFICE.mailboxes[HELP], mail([BOB], [IT]), OFFICE)
    assert not is_named(OFFICE.mailboxes[HR], mail([HELP], [IT]), OFFICE)
