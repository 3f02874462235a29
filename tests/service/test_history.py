"""Old mail taken in as history: it becomes a request, nobody hears of it, and replies find it."""

import pytest

from desk.arrival import Position, Source
from tests.service.cast import imap, works

FIRST = b"From: Anna <anna@corp.example>\r\nSubject: Old printer\r\nMessage-ID: <old@corp.example>\r\n\r\nJam.\r\n"
REPLY = (
    b"From: Anna <anna@corp.example>\r\nSubject: Re: Old printer\r\nMessage-ID: <reply%d@corp.example>\r\n"
    b"In-Reply-To: <old@corp.example>\r\n\r\nStill.\r\n"
)
ABSENCE = (
    b"From: Anna <anna@corp.example>\r\nSubject: Away\r\nMessage-ID: <away@corp.example>\r\n"
    b"Auto-Submitted: auto-replied\r\nIn-Reply-To: <old@corp.example>\r\n\r\nAway.\r\n"
)
BOUNCE = (
    b"From: MAILER-DAEMON@mx.corp.example\r\nSubject: Undelivered\r\nReturn-Path: <>\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNo.\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
    b"Final-Recipient: rfc822; x@y.example\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
)


@pytest.fixture
def office():
    with works() as office:
        yield office


def old(uid, raw, **known):
    return imap(uid, raw, source=Source.IMPORT, position=Position("INBOX", 42, uid), **known)


def settle(office, *arrivals):
    office.accept(*arrivals)
    office.settle()


def test_an_old_mail_opens_a_request_that_nobody_waits_for(office):
    settle(office, old(1, FIRST))
    assert office.rows("SELECT fate, reason, receipt, effect FROM arrival") == [
        ("backfilled", "imported", "never: imported", None)
    ]
    assert office.rows("SELECT number, state, department FROM request") == [(1001, "answered", "it")]
    assert office.rows("SELECT kind FROM entry") == [("mail",)]


def test_nobody_is_written_to_and_nothing_is_promised(office):
    settle(office, old(1, FIRST), old(2, REPLY % 1), old(3, ABSENCE), old(4, BOUNCE))
    assert office.rows("SELECT * FROM outbox") == []
    assert office.rows("SELECT * FROM promise") == []


def test_its_moments_are_counted_from_when_it_came(office):
    office.clock.pass_by(days=300)
    settle(office, old(1, FIRST))
    (opened, due) = office.rows("SELECT opened, first_response_due FROM request")[0]
    assert opened < due < "2026-03-05"


def test_an_old_reply_is_part_of_the_history_and_changes_no_state(office):
    settle(office, old(1, FIRST), old(2, REPLY % 1))
    assert office.rows("SELECT fate, request_number FROM arrival") == [("backfilled", 1001)] * 2
    assert office.rows("SELECT number, state FROM request") == [(1001, "answered")]
    assert len(office.rows("SELECT * FROM entry")) == 2


def test_a_new_reply_to_an_old_mail_finds_its_request_and_the_department_hears_of_it(office):
    settle(office, old(1, FIRST))
    settle(office, imap(9, REPLY % 2))
    assert office.rows("SELECT fate, request_number FROM arrival WHERE source = 'imap'") == [("appended", 1001)]
    assert office.rows("SELECT state FROM request") == [("open",)]
    assert office.rows("SELECT kind FROM outbox") == [("notification",)]


def test_old_automatic_mail_is_history_too_and_a_stray_bounce_is_filed(office):
    settle(office, old(1, FIRST), old(2, ABSENCE), old(3, BOUNCE))
    fates = office.rows("SELECT fate, request_number FROM arrival ORDER BY id")
    assert fates == [("backfilled", 1001), ("backfilled", 1001), ("filed", None)]


def test_an_old_mail_that_came_again_is_a_duplicate(office):
    settle(office, imap(9, FIRST))
    settle(office, old(1, FIRST))
    assert office.rows("SELECT fate FROM arrival ORDER BY id") == [("opened",), ("duplicate",)]


def test_an_old_mail_too_large_is_no_half_request(office):
    settle(office, old(1, FIRST, complete=False))
    assert office.rows("SELECT fate FROM arrival") == [("oversize",)]
    assert office.rows("SELECT * FROM request") == []
