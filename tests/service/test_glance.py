"""A mail that could not be understood still says from whom it is, as far as its header does."""

import pytest

from service.glance import Glance, glance


@pytest.mark.parametrize(
    ("raw", "sender", "subject"),
    [
        (
            b"From: Anna <anna@corp.example>\r\nSubject: Printer\r\n\r\nSubject: no\r\n",
            "Anna <anna@corp.example>",
            "Printer",
        ),
        (b"Subject: =?utf-8?B?RHLDtmNrZXI=?=\n\n", "", "Dröcker"),
        (b"", "", ""),
        (b"\0\xff\n" * 1000, "", ""),
        (b"Subject: " + b"x" * 100_000, "", "x" * 1000),
    ],
)
def test_sender_and_subject_are_those_of_the_header(raw, sender, subject):
    assert glance(raw, octets=9) == Glance(sender, subject, 9)
