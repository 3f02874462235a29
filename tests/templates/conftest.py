"""The cast: Anna Nowak writes to help@ on a Tuesday afternoon in Warsaw; IT Support answers."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from desk.promise import Delay
from templates.render import Event, NotificationFacts, ReceiptFacts

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture(scope="session")
def receipt_facts():
    return ReceiptFacts(
        language="en",
        requester_name="Anna Nowak",
        department="IT Support",
        first_response=datetime(2026, 11, 25, 11, 0, tzinfo=WARSAW),
        resolution=datetime(2026, 11, 27, 15, 0, tzinfo=WARSAW),
        zone=WARSAW,
        now=datetime(2026, 11, 24, 16, 40, tzinfo=WARSAW),
        delay=Delay.AFTER_HOURS,
        closed_name="",
        reference="R-1042",
        token="k7f3qz2m9x4w8tbd",
        urgent_contact="+48 22 555 01 99",
    )


@pytest.fixture(scope="session")
def notification_facts():
    return NotificationFacts(
        language="en",
        reference="R-1042",
        subject="Printer on floor 3",
        requester_name="Anna Nowak",
        requester_address="anna@corp.example",
        mailbox="help@corp.example",
        department="IT Support",
        reply="Good afternoon,\n\n  it prints only grey.\nAnna",
        first_response=datetime(2026, 11, 25, 11, 0, tzinfo=WARSAW),
        resolution=datetime(2026, 11, 27, 15, 0, tzinfo=WARSAW),
        zone=WARSAW,
        now=datetime(2026, 11, 24, 16, 40, tzinfo=WARSAW),
        event=Event.OPENED,
    )
