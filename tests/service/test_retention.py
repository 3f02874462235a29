"""What a department keeps no longer is erased: everything that was said, and nothing that is still owed."""

import json
from dataclasses import replace
from datetime import time, timedelta

import pytest

from desk.acknowledge import Mode
from desk.arrival import Position
from desk.lifecycle import State
from service import overrule
from service.erasing import erasable, erase
from service.evening import EveningReport, Evenings
from service.overrule import Author, Refused
from service.retention import BATCH, Retention
from store import ledger, modes, quarantine, requests
from store.erasing import OCTETS
from store.modes import Given
from tests.service.cast import HELP, HR, NOON, door, imap, mail

DAYS = 30
LATER = NOON + timedelta(days=DAYS + 1)
ADMIN = Author("root", NOON)
SECRET = b"From: Anna <anna@corp.example>\r\nSubject: Zebrafish\r\nMessage-ID: <z@corp.example>\r\n\r\nQuagmire.\r\n"
AGAIN = (
    b"From: Anna <anna@corp.example>\r\nSubject: Re: Zebrafish\r\nMessage-ID: <z2@corp.example>\r\n"
    b"In-Reply-To: %s\r\n\r\nStill a quagmire. %s\r\n"
)
WORDS = ("zebrafish", "quagmire", "anna", "z@corp.example", "eve@")
TABLES = ("request", "entry", "participant", "arrival", "outbox", "outbox_content", "journal", "limiter", "set_aside")


@pytest.fixture
def desk(desk):
    """Whose department it@ keeps its requests for a month."""
    it = replace(desk.house.departments["it"], retention_days=DAYS)
    house = replace(desk.house, departments={**desk.house.departments, "it": it})
    desk.house = house
    desk.pipeline.move_into(house)
    return desk


def sent(desk):
    """Everything that is owed was sent at noon."""
    with desk.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET state = 'sent', last_reply = '250 anna', settled = '{NOON}'")


def answered(desk):
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE request SET state = 'answered'")


def opened(desk, *mails):
    desk.accept(*(mails or (imap(1, SECRET),)))
    desk.settle()
    sent(desk)
    answered(desk)


def swept(desk, now=LATER):
    """All of the day's batches; how many there were."""
    retention, batches = Retention(desk.database, desk.transactions, desk.house), 0
    while retention.step(now):
        batches += 1
    return batches


def everything(desk):
    """All words that the database holds of mails and about them."""
    rows = [row for table in TABLES for row in desk.rows(f"SELECT * FROM {table}")]
    with desk.database.read() as connection:
        raws = [quarantine.octets(connection, one) for one in ledger.every(connection, mailbox=None, fate=None)]
    told = [bytes(value) if isinstance(value, memoryview) else value for row in rows for value in row]
    return " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in told + raws)


def left(desk):
    text = everything(desk).lower()
    return [word for word in WORDS if word in text]


def test_before_its_time_everything_is_there(desk):
    opened(desk)
    swept(desk, NOON + timedelta(days=DAYS, seconds=-1))
    assert left(desk) == list(WORDS[:-1])


def test_after_its_time_a_request_is_a_row_without_a_word(desk):
    opened(desk)
    assert swept(desk)
    assert left(desk) == []
    with desk.database.read() as connection:
        found = requests.find(connection, 1001)
        assert requests.entries(connection, [1001]) == {1001: []}
    assert (found.reference, found.department, found.state, found.opened) == ("R-1001", "it", State.ANSWERED, NOON)
    assert (found.erased, found.subject, found.requester) == (LATER, "", None)
    assert desk.rows("SELECT fate, request_number, trace FROM arrival") == [("opened", 1001, None)]
    assert desk.rows("SELECT recipient, request_number, state FROM outbox") == [("", None, "sent")] * 2
    assert desk.rows("SELECT count(*) FROM promise") == [(4 // 2,)]
    assert desk.rows("SELECT event, request_number FROM journal ORDER BY id") == [
        ("settled", 1001),
        ("erased", 1001),
    ]


def test_the_last_entry_counts_and_not_the_first(desk):
    opened(desk)
    desk.accept(imap(2, AGAIN % (b"<z@corp.example>", b""), received_at=NOON + timedelta(days=10)))
    desk.settle()
    sent(desk)
    answered(desk)
    swept(desk)
    assert left(desk) == list(WORDS[:-1])
    swept(desk, LATER + timedelta(days=10))
    assert left(desk) == []


BOTH = SECRET.replace(b"Subject:", f"To: {HELP}, {HR}\r\nSubject:".encode())


@pytest.mark.parametrize(("days", "words"), [(None, True), (DAYS + 10, True), (DAYS, False), (1, False)])
def test_what_several_departments_have_is_kept_as_long_as_the_longest_of_them_keeps_its_own(desk, days, words):
    hr = replace(desk.house.departments["hr"], retention_days=days)
    desk.house = replace(desk.house, departments={**desk.house.departments, "hr": hr})
    desk.pipeline.move_into(desk.house)
    opened(desk, imap(1, BOTH))
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE part SET state = 'answered'")
    swept(desk)
    assert bool(left(desk)) is words


def test_a_part_that_nobody_answered_keeps_the_request(desk):
    hr = replace(desk.house.departments["hr"], retention_days=DAYS)
    desk.house = replace(desk.house, departments={**desk.house.departments, "hr": hr})
    desk.pipeline.move_into(desk.house)
    opened(desk, imap(1, BOTH))
    swept(desk)
    assert left(desk)


def test_a_department_without_retention_keeps_everything(desk):
    opened(desk, imap(1, SECRET, mailbox=HR))
    swept(desk, NOON + timedelta(days=9_999))
    assert "quagmire" in left(desk)


def test_what_is_owed_is_never_erased(desk):
    desk.accept(imap(1, SECRET))
    desk.settle()
    answered(desk)
    swept(desk)
    assert left(desk) == list(WORDS[:-1])
    with pytest.raises(Refused, match="a mail about it is still to be sent"):
        erase(desk.database, [1001], ADMIN)
    assert left(desk) == list(WORDS[:-1])


def test_a_mail_that_is_owed_keeps_the_requests_it_answers_and_no_other(desk):
    """A joint receipt answers several."""
    opened(desk, *(imap(number, mail(number)) for number in (1, 2, 3)))
    with desk.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO promise (request_number, outbox_id, kind, due) "
            f"SELECT 1002, id, 'resolution', '{NOON}' FROM outbox WHERE request_number = 1001 AND kind = 'receipt'"
        )
        connection.exec_driver_sql("UPDATE outbox SET settled = NULL WHERE request_number = 1001 AND kind = 'receipt'")
    swept(desk)
    assert desk.rows("SELECT number FROM request WHERE erased IS NOT NULL") == [(1003,)]


def test_a_request_whose_answer_was_promised_is_named_in_the_evening_and_not_erased(desk):
    opened(desk)
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE request SET state = 'new'")
    swept(desk)
    assert "quagmire" in left(desk)
    report = EveningReport(desk.transactions, desk.house, Evenings(time(17), ("admin@corp.example",)))
    report.step(LATER - timedelta(days=1))
    report.step(LATER)
    report.step(LATER + timedelta(days=1))
    (told,) = desk.rows(
        "SELECT content FROM outbox JOIN outbox_content ON outbox_id = outbox.id WHERE kind = 'evening'"
        " ORDER BY id DESC LIMIT 1"
    )
    text = bytes(told[0]).decode()
    assert "- R-1001 (it): an answer was promised, and nobody has answered" in text
    assert "Zebrafish" not in text


def test_where_answers_are_not_seen_none_is_missed(desk):
    opened(desk)
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE request SET state = 'new'")
        modes.give(connection, HELP, Given(Mode.RECEIPTS, NOON, "root"))
    swept(desk)
    assert left(desk) == []


def test_a_mail_that_belongs_to_no_request_is_erased_by_the_department_of_its_mailbox(desk):
    desk.parser.poison.add(b"poison")
    opened(desk, imap(1, b"From: eve@shop.example\r\n\r\npoison\r\n"), imap(2, b"From: eve@x\r\n\r\n", complete=False))
    overrule.drop(desk.database, 1, "an empty fax from eve@shop.example", ADMIN)
    assert swept(desk)
    assert left(desk) == []
    assert desk.rows("SELECT fate, erased IS NOT NULL FROM arrival ORDER BY id") == [
        ("filed", True),
        ("oversize", True),
    ]


def test_what_was_set_aside_and_erased_is_not_listed_and_cannot_be_released(desk):
    desk.parser.poison.add(b"poison")
    opened(desk, imap(1, b"From: eve@shop.example\r\n\r\npoison\r\n"))
    swept(desk)
    with desk.database.read() as connection:
        assert quarantine.every(connection) == []
    for refused in (
        lambda: overrule.retry(desk.database, [1], ADMIN),
        lambda: overrule.drop(desk.database, 1, "x", ADMIN),
    ):
        with pytest.raises(Refused, match="1 was erased on 2026-04-02: nothing of it is left"):
            refused()


def test_reports_about_mails_lose_their_words_with_them(desk):
    opened(desk)
    with desk.database.write() as connection:
        connection.exec_driver_sql("UPDATE outbox SET request_number = NULL, kind = 'evening'")
        connection.exec_driver_sql("DELETE FROM promise")
    swept(desk)
    assert desk.rows("SELECT count(*) FROM outbox_content") == [(0,)]
    assert desk.rows("SELECT count(*) FROM outbox") == [(2,)]


def test_a_mail_that_is_fetched_again_is_known_and_its_bytes_go_again(desk):
    """Numbered anew by the server, or sent once more: a duplicate, whose bytes the next day erases."""
    opened(desk)
    swept(desk)
    desk.accept(imap(9, SECRET, position=Position("INBOX", 43, 9)))
    desk.settle()
    assert desk.rows("SELECT fate, request_number FROM arrival ORDER BY id") == [("opened", 1001), ("duplicate", None)]
    assert "quagmire" in left(desk), "the bytes are taken as those of any mail: nothing may be lost"
    assert desk.rows("SELECT count(*) FROM request") == [(1,)]
    swept(desk, LATER + timedelta(days=1))
    assert left(desk) == []


def test_a_mail_without_message_id_that_is_written_again_is_a_request_with_all_its_bytes(desk):
    """Erased bytes are not mistaken for those of the new mail."""
    raw = b"From: Anna <anna@corp.example>\r\nSubject: Zebrafish\r\n\r\nQuagmire.\r\n"
    opened(desk, imap(1, raw))
    swept(desk)
    desk.accept(imap(2, raw, received_at=LATER))
    desk.settle()
    assert desk.rows("SELECT fate, request_number FROM arrival ORDER BY id") == [("opened", 1001), ("opened", 1002)]
    assert desk.rows("SELECT text FROM entry") == [("Quagmire.",)]
    with desk.database.read() as connection:
        assert quarantine.octets(connection, ledger.find(connection, 2)) == raw


def test_bytes_that_another_arrival_has_too_stay_for_that_one(desk):
    raw = b"From: Anna <anna@corp.example>\r\nSubject: Zebrafish\r\n\r\nQuagmire.\r\n"
    opened(desk, imap(1, raw), imap(2, raw, received_at=LATER))
    swept(desk)
    assert desk.rows("SELECT erased IS NULL FROM arrival ORDER BY id") == [(False,), (True,)]
    with desk.database.read() as connection:
        assert quarantine.octets(connection, ledger.find(connection, 2)) == raw


def test_bytes_of_a_mail_that_is_not_settled_yet_stay(desk):
    opened(desk)
    desk.accept(imap(2, SECRET))
    swept(desk)
    desk.settle()
    assert desk.rows("SELECT fate FROM arrival ORDER BY id") == [("opened",), ("duplicate",)]


@pytest.mark.parametrize("evidence", ["receipt", "requester's mail", "token", "subject"])
def test_a_reply_to_an_erased_request_opens_a_new_one(desk, evidence):
    desk.accept(imap(1, SECRET))
    desk.settle()
    sent(desk)
    answered(desk)
    receipt = desk.rows("SELECT message_id FROM outbox WHERE kind = 'receipt'")[0][0]
    token = desk.house.keyring.token("R-1001", "anna@corp.example")
    swept(desk)
    replies = {
        "receipt": AGAIN % (receipt.encode(), b""),
        "requester's mail": AGAIN % (b"<z@corp.example>", b""),
        "token": AGAIN % (b"<none@corp.example>", f"Ref: R-1001 {token}".encode()),
        "subject": mail().replace(b"Printer", b"R-1001"),
    }
    desk.accept(imap(2, replies[evidence], received_at=LATER))
    desk.settle()
    assert desk.rows("SELECT fate, request_number FROM arrival WHERE id = 2") == [("opened", 1002)]
    assert desk.rows("SELECT subject, erased IS NULL FROM request WHERE number = 1001") == [("", False)]
    assert desk.rows("SELECT request_number FROM entry") == [(1002,)]


def test_a_day_is_done_once_and_goes_on_where_a_restart_interrupted_it(desk):
    opened(desk, *(imap(number, mail(number)) for number in range(1, BATCH + 6)))
    first = Retention(desk.database, desk.transactions, desk.house)
    assert first.step(LATER)
    assert desk.rows("SELECT count(*) FROM request WHERE erased IS NOT NULL") == [(BATCH,)]
    assert swept(desk) > 0
    assert desk.rows("SELECT count(*) FROM request WHERE erased IS NULL") == [(0,)]
    assert swept(desk, LATER + timedelta(minutes=1)) == 0
    assert desk.rows("SELECT count(*) FROM journal WHERE event = 'erased'") == [(BATCH + 5,)]


def test_requests_that_are_kept_do_not_stand_in_the_way_of_others(desk):
    opened(desk, *(imap(number, mail(number)) for number in range(1, BATCH + 6)))
    with desk.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE request SET state = 'new' WHERE number <= {1000 + BATCH}")
    swept(desk)
    assert desk.rows("SELECT count(*) FROM request WHERE erased IS NOT NULL") == [(5,)]


def test_a_joint_receipt_loses_its_words_and_still_leads_to_the_other_request(desk):
    opened(desk, imap(1, mail(1)), imap(2, mail(2)))
    with desk.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO promise (request_number, outbox_id, kind, due) "
            f"SELECT 1002, id, 'resolution', '{NOON}' FROM outbox WHERE request_number = 1001 AND kind = 'receipt'"
        )
    erase(desk.database, [1002], ADMIN)
    assert desk.rows(
        "SELECT recipient, request_number, content IS NULL FROM outbox LEFT JOIN outbox_content ON outbox_id = id"
        " WHERE kind = 'receipt' ORDER BY outbox.id"
    ) == [("anna@corp.example", 1001, True), ("", None, True)]


def test_one_request_is_erased_on_demand_whatever_its_age(desk):
    opened(desk, imap(1, SECRET), imap(2, mail(2)))
    (found,) = erasable(desk.database, [1001])
    assert (found.entries, found.unanswered) == (1, False)
    assert erase(desk.database, [1001], ADMIN) == 1
    assert desk.rows("SELECT number, erased IS NULL FROM request ORDER BY number") == [(1001, False), (1002, True)]
    text = everything(desk)
    assert "Quagmire" not in text
    assert "Printer 2" in text
    ((detail,),) = desk.rows("SELECT detail FROM journal WHERE event = 'erased'")
    assert (json.loads(detail) if isinstance(detail, str) else detail) == {"by": "root"}


def test_of_several_all_are_erased_or_none(desk):
    opened(desk)
    with pytest.raises(Refused, match="there is no request R-7; nothing was erased"):
        erase(desk.database, [1001, 7], ADMIN)
    assert "quagmire" in left(desk)
    erase(desk.database, [1001], ADMIN)
    with pytest.raises(Refused, match="R-1001 was erased on 2026-03-02; nothing was erased"):
        erase(desk.database, [1001], ADMIN)


def test_copies_of_a_mail_that_came_in_elsewhere_are_erased_with_its_request(desk):
    opened(desk, imap(1, SECRET), door(SECRET, mailbox=HR))
    assert desk.rows("SELECT fate FROM arrival ORDER BY id") == [("opened",), ("appended",)]
    assert erase(desk.database, [1001], ADMIN) == 2
    assert left(desk) == []


def test_the_rules_are_not_tried_on_what_was_erased(desk):
    from store import mails

    opened(desk)
    erase(desk.database, [1001], ADMIN)
    with desk.database.read() as connection:
        assert mails.opened_lately(connection, 10) == []


def test_large_mails_are_erased_in_small_batches(desk):
    """So that mail which comes in meanwhile does not wait for all of them."""
    opened(desk, *(imap(number, mail(number), size=OCTETS // 2) for number in range(1, 6)))
    assert desk.rows("SELECT count(*) FROM request") == [(5,)]
    retention = Retention(desk.database, desk.transactions, desk.house)
    counts = []
    while retention.step(LATER):
        counts += desk.rows("SELECT count(*) FROM request WHERE erased IS NOT NULL")
    assert counts == [(2,), (4,), (5,)]
