"""A department that reads in a watched mailbox: its notification lies there as our own mail, and nothing goes round."""

from dataclasses import replace

import pytest

from tests.service.cast import HELP, HR, MAIL, imap, works

ARRIVALS = "SELECT fate, receipt, effect FROM arrival ORDER BY id"
NOTIFICATIONS = "SELECT count(*) FROM outbox WHERE kind = 'notification'"
LONG = 10


def circle(house):
    """Every department reads in a mailbox that is watched."""
    departments = {key: replace(one, address=HR) for key, one in house.departments.items()}
    return replace(house, departments=departments)


@pytest.fixture
def office():
    with works() as office:
        office.house = circle(office.house)
        office.pipeline.move_into(office.house)
        yield office


def come_back(office, relay, *, rounds=LONG):
    """What was written for the mailbox came in there, as that relay leaves it; so often at most. How often it did."""
    for number in range(rounds):
        query = "SELECT content FROM outbox_content JOIN outbox ON outbox.id = outbox_id"
        written = office.rows(f"{query} WHERE recipient = '{HR}' ORDER BY outbox.id")[number:]
        if not written:
            return number
        office.accept(imap(number + 100, relay(written[0][0], number), mailbox=HR))
        office.settle()
    return rounds


def without(raw, *names):
    """The mail without those header fields, folded lines and all."""
    kept, drop = [], False
    header, blank, body = raw.partition(b"\r\n\r\n")
    for line in header.split(b"\r\n"):
        drop = drop if line[:1] in b" \t" and line else line.partition(b":")[0].lower() in names
        kept += [] if drop else [line]
    return b"\r\n".join(kept) + blank + body


def renamed(raw, number):
    return b"Message-ID: <%d@relay.example>\r\n" % number + without(raw, b"message-id")


def stripped(raw, number):
    """What a gateway makes of it that keeps hardly a field."""
    names = (b"x-deskbell-id", b"auto-submitted", b"precedence", b"x-auto-response-suppress", b"in-reply-to")
    return without(renamed(raw, number), *names, b"references")


@pytest.mark.parametrize("relay", [lambda raw, _number: raw, renamed], ids=["as it was", "with another Message-ID"])
def test_a_notification_that_comes_back_is_our_own_mail_and_stays_where_it_is(office, relay):
    """Staff find it there: it gets no mark and is not moved away; nobody hears of it again."""
    office.accept(imap(1, mailbox=HR))
    office.settle()
    assert come_back(office, relay) == 1
    assert office.rows(ARRIVALS) == [
        ("opened", "send: own-person", "pending"),
        ("absorbed", "never: automatic-mail", None),
    ]
    assert office.rows(NOTIFICATIONS) == [(1,)]


def test_a_notification_that_nothing_tells_to_be_ours_is_told_to_nobody(office):
    """At the worst it is a request of its own, and there it ends."""
    office.accept(imap(1, mailbox=HR))
    office.settle()
    assert come_back(office, stripped) == 1
    assert office.rows(NOTIFICATIONS) == [(1,)]
    assert [receipt for _, receipt, _ in office.rows(ARRIVALS)] == ["send: own-person", "never: own-mailbox"]


def test_a_colleague_who_writes_from_a_watched_mailbox_is_told_of_where_staff_read_elsewhere(office):
    """Only what could go round is not told."""
    elsewhere = {key: replace(one, address="staff@corp.example") for key, one in office.house.departments.items()}
    office.pipeline.move_into(replace(office.house, departments=elsewhere))
    office.accept(imap(1, (MAIL % (1, 1)).replace(b"anna@corp.example", HELP.encode()), mailbox=HR))
    office.settle()
    assert office.rows(NOTIFICATIONS) == [(1,)]
