"""A department hears at once of mail that could not become a request: once, safely, and not too often."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from desk.acknowledge import Mode
from desk.arrival import Source
from service import overrule
from service.asides import AsideNews
from service.overrule import Author
from store import modes
from store.modes import Given
from tests.service.cast import HELP, HR, NOON, door, imap, mail

CONTENT = (
    "SELECT recipient, envelope_sender, content FROM outbox JOIN outbox_content ON outbox_id = outbox.id "
    "WHERE kind = 'set-aside' ORDER BY id"
)
HOSTILE = (
    b'From: "Eve\r\n Bcc: all@corp.example" <eve@shop.example>\r\n'
    b"Subject: =?utf-8?q?a=0D=0ABcc=3A_x=E2=80=AE?= poison\r\n"
    b"Message-ID: <1@shop.example>\r\n\r\nEXECUTE-ME\r\n"
)


STRANGER = b"From: eve@shop.example\r\nSubject: Re %d\r\nIn-Reply-To: <%d@corp.example>\r\n\r\nMe too.\r\n"


def poisoned(number, **known):
    return imap(number, b"From: eve@shop.example\r\nSubject: Scan %d\r\n\r\npoison\r\n" % number, **known)


@pytest.fixture
def desk(desk):
    """Whose parser dies of the word poison."""
    desk.parser.poison.add(b"poison")
    return desk


def quarantined(desk, *mails):
    desk.accept(*mails)
    desk.settle()


COLUMNS = (
    "mailbox, source, received, accepted, epoch, size, complete, replayed, before_floor, raw_digest, attempts"
    ", fate, reason"
)


def many_more(desk, count):
    """So many mails are quarantined like the first one."""
    with desk.database.write() as connection:
        for number in range(1001, 1001 + count):
            connection.exec_driver_sql(
                f"INSERT INTO arrival (id, {COLUMNS}) SELECT {number}, {COLUMNS} FROM arrival WHERE id = 1"
            )
        connection.exec_driver_sql("INSERT INTO set_aside SELECT id, received FROM arrival WHERE id > 1000")


def news(desk):
    return AsideNews(desk.database, desk.transactions, desk.house)


def said(desk):
    """Each word that was owed: to whom, in whose name, the mail."""
    return [
        (to, sender, message_from_bytes(bytes(content), policy=policy.default))
        for to, sender, content in desk.rows(CONTENT)
    ]


def give(desk, mode):
    desk.transactions.run(lambda connection: modes.give(connection, HELP, Given(mode, desk.clock(), "root")))


def test_a_quarantined_mail_is_told_to_the_department_of_its_mailbox_in_plain_words(desk):
    quarantined(desk, poisoned(1))
    assert news(desk).step(NOON)
    ((to, sender, word),) = said(desk)
    assert (to, sender, word["Subject"]) == ("it@localhost", HELP, f"{HELP}: 1 mail for a person to look at")
    assert (word["Auto-Submitted"], word["Precedence"]) == ("auto-generated", "bulk")
    text = word.get_content()
    for line in (
        "Mail 1, today, 12:00 (UTC)",
        "  From: eve@shop.example",
        "  Subject: Scan 1",
        "  Why: deskbell could not read it (failed 3 times)",
        f"  Where it is: in the mailbox {HELP}; it came in INBOX",
        "  deskbell quarantine show 1",
    ):
        assert line in text.splitlines()
    assert "poison" not in text


def test_an_oversize_mail_is_told_with_its_size(desk):
    quarantined(desk, imap(1, b"From: anna@corp.example\r\nSubject: Video\r\n\r\n", size=52_100_000, complete=False))
    assert news(desk).step(NOON)
    text = said(desk)[0][2].get_content()
    assert "  Size: 52.1 MB" in text.splitlines()
    assert "  Subject: Video" in text.splitlines()
    assert "larger than deskbell takes" in text


def test_a_held_mail_is_told_where_departments_get_no_notification(desk):
    """In mode full it has a notification of its own."""
    for mode, expected in ((Mode.FULL, 0), (Mode.RECEIPTS, 1)):
        give(desk, mode)
        number = 10 if mode is Mode.FULL else 20
        desk.accept(imap(number, mail(number)))
        desk.settle()
        stranger = (
            f"From: eve@shop.example\r\nSubject: Re {number}\r\nIn-Reply-To: <{number}@corp.example>\r\n\r\nMe too.\r\n"
        )
        desk.accept(imap(number + 1, stranger.encode()))
        desk.settle()
        news(desk).step(NOON)
        assert len(said(desk)) == expected
    assert "who wrote it has no part in that" in said(desk)[0][2].get_content()


def test_a_mail_of_a_door_is_kept_by_deskbell_alone(desk):
    quarantined(desk, door(b"From: eve@shop.example\r\n\r\npoison\r\n"))
    news(desk).step(NOON)
    text = said(desk)[0][2].get_content()
    assert "Where it is: kept by deskbell alone" in text
    assert "the folder Deskbell" not in text


def test_nothing_is_said_of_a_mailbox_that_observes_not_even_later(desk):
    give(desk, Mode.OBSERVE)
    quarantined(desk, poisoned(1), imap(2, b"Subject: x\r\n\r\n", complete=False))
    give(desk, Mode.FULL)
    assert not news(desk).step(NOON)
    assert said(desk) == []


def test_what_waits_for_its_word_is_forgotten_when_the_mailbox_begins_to_observe(desk):
    quarantined(desk, poisoned(1))
    give(desk, Mode.OBSERVE)
    assert not news(desk).step(NOON)
    give(desk, Mode.FULL)
    assert not news(desk).step(NOON)
    assert said(desk) == []


def test_old_mail_that_is_taken_in_as_history_is_not_told(desk):
    quarantined(desk, poisoned(1, source=Source.IMPORT))
    assert not news(desk).step(NOON)


def test_five_hundred_broken_mails_make_few_words_and_each_is_told_once(desk):
    """The first one at once, all others in the next word, which counts what it does not describe."""
    quarantined(desk, poisoned(1))
    assert news(desk).step(desk.clock())
    many_more(desk, 499)
    for _ in range(9):
        desk.clock.pass_by(minutes=1)
        assert not news(desk).step(desk.clock())
    desk.clock.pass_by(minutes=1)
    assert news(desk).step(desk.clock())
    desk.clock.pass_by(hours=1)
    assert not news(desk).step(desk.clock())
    (_, _, first), (_, _, second) = said(desk)
    assert second["Subject"] == f"{HELP}: 499 mails for a person to look at"
    assert second.get_content().count("  Where it is:") == 50
    assert "And 449 more: deskbell quarantine list" in second.get_content()
    assert first.get_content().count("  Where it is:") == 1


def test_a_restart_tells_nothing_twice_and_forgets_nothing(desk):
    quarantined(desk, poisoned(1))
    restarted = desk.restarted()
    assert news(restarted).step(NOON)
    assert not news(desk.restarted(3)).step(NOON)
    assert len(said(desk)) == 1
    assert desk.rows("SELECT count(*) FROM set_aside") == [(0,)]
    assert desk.rows("SELECT event FROM journal WHERE outbox_id IS NOT NULL") == [("told",)]


def test_each_mailbox_has_a_word_of_its_own(desk):
    quarantined(desk, poisoned(1), poisoned(2, mailbox=HR))
    assert news(desk).step(NOON)
    assert {(to, sender) for to, sender, _ in said(desk)} == {("it@localhost", HELP), ("hr@localhost", HR)}


def test_who_wrote_to_a_confidential_department_is_not_in_its_word(desk):
    quarantined(desk, poisoned(1))
    secret = replace(desk.house.departments["it"], confidential=True)
    told = AsideNews(
        desk.database, desk.transactions, replace(desk.house, departments={**desk.house.departments, "it": secret})
    )
    assert told.step(NOON)
    text = said(desk)[0][2].get_content()
    assert "eve@" not in text
    assert "Scan" not in text
    assert "Mail 1," in text


def test_a_word_that_comes_back_and_cannot_be_read_leads_to_no_other(desk):
    quarantined(desk, poisoned(1))
    news(desk).step(desk.clock())
    word = said(desk)[0][2]
    desk.clock.pass_by(hours=1)
    relayed = f"Message-ID: <other@relay.example>\r\nX-Deskbell-Id: {word['X-Deskbell-Id']}\r\n\r\npoison\r\n"
    for number, raw in ((2, f"Message-ID: {word['Message-ID']}\r\n\r\npoison\r\n"), (3, relayed)):
        quarantined(desk, imap(number, raw.encode()))
        assert not news(desk).step(desk.clock())
    assert len(said(desk)) == 1


def test_a_hostile_header_is_one_line_of_harmless_text(desk):
    quarantined(desk, imap(1, HOSTILE))
    news(desk).step(NOON)
    ((to, _, word),) = said(desk)
    assert to == "it@localhost"
    assert word["Bcc"] is None
    assert "\u202e" not in word.get_content()
    assert not any(line.startswith("Bcc") for line in word.get_content().splitlines())
    assert "EXECUTE-ME" not in word.as_string()
    assert not word.is_multipart()


def test_what_was_released_before_its_word_becomes_a_request_and_is_not_told(desk):
    quarantined(desk, poisoned(1))
    overrule.retry(desk.database, [1], Author("root", NOON))
    desk.parser.poison.clear()
    desk.restarted().settle()
    assert desk.rows("SELECT fate FROM arrival") == [("opened",)]
    assert not news(desk).step(NOON)
    assert said(desk) == []


def test_what_is_released_and_cannot_be_read_again_is_told_again(desk):
    quarantined(desk, poisoned(1))
    news(desk).step(desk.clock())
    desk.clock.pass_by(hours=1)
    overrule.retry(desk.database, [1], Author("root", desk.clock()))
    desk.restarted().settle()
    assert news(desk).step(desk.clock())
    assert len(said(desk)) == 2


def test_a_mail_that_is_settled_as_usual_is_not_told(desk):
    quarantined(desk, imap(1))
    assert desk.rows("SELECT count(*) FROM set_aside") == [(0,)]
    assert not news(desk).step(NOON)
