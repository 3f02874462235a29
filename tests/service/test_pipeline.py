"""A mail that makes us fail costs nobody else anything: it is counted, tried alone, and set aside."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy.exc import DataError, OperationalError

from desk.acknowledge import Mode
from service import pipeline as module
from service.parser import ParserDied
from store import leases, modes
from store.arrivals import ArrivalLost
from store.modes import Given
from tests.service.cast import HELP, NOON, door, imap, mail, works_on

FATES = "SELECT fate, attempts FROM arrival ORDER BY id"


def failing(monkeypatch, error, *, subject=None, times=99):
    """Settling fails for mails with that subject (default: for each), so many times."""
    settle, left = module.settle, [times]

    def unsettled(settling):
        if left[0] and subject in (None, settling.judged.mail.subject):
            left[0] -= 1
            raise error
        return settle(settling)

    monkeypatch.setattr(module, "settle", unsettled)


def test_accepted_mails_are_settled_and_owe_what_follows(desk):
    """Fate, request, entry, both letters, promises and journal are one commit."""
    desk.accept(imap(1), imap(2))
    assert desk.rows(FATES) == [("received", 0)] * 2
    assert [desk.pipeline.settle() for _ in range(3)] == [True, True, False], "handed over, stored, nothing left"
    assert desk.rows(FATES) == [("opened", 0)] * 2
    assert desk.rows("SELECT count(*) FROM request") == [(2,)]
    both = [("receipt", "anna@corp.example"), ("notification", "it@localhost")]
    assert desk.rows("SELECT kind, recipient FROM outbox ORDER BY id") == both * 2
    assert desk.rows("SELECT count(*) FROM promise") == [(4,)]
    assert desk.rows("SELECT event FROM journal") == [("settled",)] * 2


def test_nothing_to_settle_asks_nobody(desk):
    """False means: rest."""
    assert not desk.pipeline.settle()
    assert desk.rows("SELECT count(*) FROM journal") == [(0,)]


def test_accepting_the_same_message_twice_changes_nothing(desk):
    """Mailbox, folder, UIDVALIDITY and UID name one row, before it is settled and after."""
    desk.accept(imap(1))
    desk.accept(imap(1))
    desk.settle()
    desk.accept(imap(1))
    desk.settle()
    assert desk.rows(FATES) == [("opened", 0)]


def test_a_mail_that_kills_the_parser_is_quarantined_after_three_failures_and_the_others_are_served(desk):
    """The first failure is in company; then it is tried alone, and its bytes stay."""
    desk.parser.poison = {b"Printer 2"}
    desk.accept(imap(1), imap(2), imap(3))
    desk.settle()
    assert desk.rows(FATES) == [("opened", 0), ("quarantined", 3), ("opened", 0)]
    assert [len(asked) for asked in desk.parser.asked if asked] == [3, 1, 1]
    assert desk.rows("SELECT reason, receipt, effect FROM arrival WHERE id = 2") == [
        ("failed 3 times", "never: quarantined", "pending")
    ]
    assert desk.rows("SELECT event FROM journal WHERE arrival_id = 2") == [("quarantined",)]
    assert desk.rows("SELECT count(*) FROM raw") == [(3,)]


def test_a_quarantined_mail_of_a_door_owes_no_mark(desk):
    """There is no message on a server to be marked."""
    desk.parser.poison = {b"Printer"}
    desk.accept(door(mail()))
    desk.settle()
    assert desk.rows("SELECT fate, effect FROM arrival") == [("quarantined", None)]


def test_fresh_mail_does_not_wait_behind_a_failing_one(desk):
    """What failed is tried again only when nothing new is there."""
    desk.parser.poison = {b"Printer 1"}
    desk.accept(imap(1))
    desk.pipeline.settle()
    desk.accept(imap(2))
    desk.pipeline.settle()
    assert desk.rows(FATES) == [("received", 1), ("opened", 0)]


@pytest.mark.parametrize("error", [ValueError("no"), DataError("INSERT", {}, Exception("too long"))])
def test_a_mail_that_cannot_be_settled_takes_no_other_with_it(desk, monkeypatch, error):
    """It is rolled back; the rest of the batch is committed."""
    failing(monkeypatch, error, subject="Printer 2")
    desk.accept(imap(1), imap(2), imap(3))
    desk.settle()
    assert desk.rows(FATES) == [("opened", 0), ("quarantined", 3), ("opened", 0)]
    assert desk.rows("SELECT subject FROM request ORDER BY number") == [("Printer 1",), ("Printer 3",)]


@pytest.mark.parametrize("failures", [1, 2])
def test_a_mail_that_failed_and_then_did_not_is_served(desk, monkeypatch, failures):
    """It keeps the count of its attempts, the last one included."""
    failing(monkeypatch, ValueError("no"), times=failures)
    desk.accept(imap(1))
    desk.settle()
    assert desk.rows(FATES) == [("opened", failures + 1)]


def test_trouble_of_the_database_is_raised_and_blames_no_mail(desk, monkeypatch):
    """Nothing of that mail happened: it stays received, uncounted, and is served when the trouble is over."""
    failing(monkeypatch, OperationalError("INSERT", {}, Exception("disk full")), subject="Printer 2", times=1)
    desk.accept(imap(1), imap(2))
    with pytest.raises(OperationalError):
        desk.settle()
    assert desk.rows(FATES) == [("opened", 0), ("received", 0)]
    assert desk.rows("SELECT count(*) FROM outbox") == [(2,)]
    desk.settle()
    assert desk.rows(FATES) == [("opened", 0)] * 2


def test_trouble_of_the_database_never_adds_up_to_quarantine(desk, monkeypatch):
    """A leftover's attempt is counted before it is made; one that the database prevented is not counted again."""
    desk.accept(imap(1))
    desk.take_in_hand()
    later = desk.restarted()
    failing(monkeypatch, OperationalError("INSERT", {}, Exception("disk full")), subject="Printer 1", times=5)
    for _ in range(5):
        with pytest.raises(OperationalError):
            later.settle()
    later.settle()
    assert desk.rows(FATES) == [("opened", 1)]


def test_what_an_earlier_start_left_is_served_by_the_next(desk):
    """As suspects: each attempt is written before it is made, since the last one may have been a death."""
    desk.accept(imap(1), imap(2))
    desk.take_in_hand()
    later = desk.restarted()
    later.settle()
    assert desk.rows(FATES) == [("opened", 1)] * 2


def test_a_mail_that_kills_the_whole_daemon_is_quarantined_at_the_third_start(desk, monkeypatch):
    """Each death is counted although nobody was left to count it; its neighbour is served meanwhile."""

    class Death(BaseException):
        pass

    desk.accept(imap(1), imap(2))
    failing(monkeypatch, Death(), subject="Printer 1")
    with pytest.raises(Death):
        desk.pipeline.settle()
    for epoch in (2, 3, 4, 5):
        try:
            desk.restarted(epoch).settle()
        except Death:
            continue
    assert desk.rows("SELECT fate FROM arrival ORDER BY id") == [("quarantined",), ("opened",)]


def test_the_reason_of_a_failure_is_logged_with_the_number_of_the_arrival(desk, caplog):
    """An admin finds the mail by it; the mail's own words stay out of the log."""
    desk.parser.poison = {b"Printer 1"}
    desk.accept(imap(1))
    desk.settle()
    assert "arrival 1 could not be settled: ran out of memory" in caplog.text
    assert "Printer" not in caplog.text


def test_a_batch_is_bounded(desk):
    """However much came in at once."""
    desk.accept(*(imap(number) for number in range(1, module.BATCH + 3)))
    desk.settle()
    assert [len(asked) for asked in desk.parser.asked if asked] == [module.BATCH, 2]


def test_a_parser_that_cannot_start_is_no_mails_fault(desk, monkeypatch):
    """The step fails, nothing is counted, nothing is lost."""

    def unavailable(_items):
        raise RuntimeError("no child starts")

    desk.accept(imap(1))
    monkeypatch.setattr(desk.parser, "parse_batch", unavailable)
    with pytest.raises(RuntimeError):
        desk.pipeline.settle()
    assert desk.rows(FATES) == [("received", 0)]


def test_a_dead_parser_is_told_apart_from_a_mail(desk):
    """The answer of a batch holds the reason in the place of the mail."""
    desk.parser.poison = {b"Printer 2"}
    answers = desk.parser.parse_batch([(mail(1), None), (mail(2), None)])
    assert [isinstance(answer, ParserDied) for answer in answers] == [False, True]


def test_a_mailbox_keeps_the_mode_it_was_given_when_the_house_changes(desk):
    """Who was told that nothing is sent must not find mails sent because somebody imported a rule."""
    desk.transactions.run(lambda connection: modes.give(connection, HELP, Given(Mode.OBSERVE, NOON, "root")))
    desk.accept(imap(1))
    desk.settle()
    desk.pipeline.move_into(replace(desk.house))
    desk.accept(imap(2))
    desk.settle()
    assert desk.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.server
def test_two_starts_on_one_database_settle_each_mail_once_and_none_of_the_others(postgres_database):
    """What one has claimed the other leaves alone while that one lives."""
    first = works_on(postgres_database)
    alive(postgres_database, 1, 2)
    first.accept(imap(1), imap(2))
    first.take_in_hand()
    second = first.restarted()
    second.accept(imap(3))
    second.settle()
    assert first.rows(FATES) == [("received", 0), ("received", 0), ("opened", 0)]
    first.settle()
    assert first.rows(FATES) == [("opened", 0)] * 3


@pytest.mark.server
def test_whoever_stood_still_for_too_long_settles_nothing_that_another_took_over(postgres_database):
    """It is neither opened twice nor counted against the mail."""
    first = works_on(postgres_database)
    first.accept(imap(1))
    batch = first.pipeline._next_batch()
    first.restarted().settle()
    outcome = first.pipeline._begun(batch.items[0], first.pipeline._judged(batch, first.house)[0], first.house)
    assert isinstance(outcome.exception(), ArrivalLost)
    first.pipeline._look_at(batch, [outcome.exception()])
    assert first.rows("SELECT count(*) FROM request") == [(1,)]
    assert first.rows(FATES) == [("opened", 1)]


@pytest.mark.server
def test_the_same_mail_in_the_hands_of_two_is_one_request(postgres_database):
    """The second waits for the first, and finds that it is a duplicate."""
    first, letter = works_on(postgres_database), mail(1)
    alive(postgres_database, 1, 2)
    first.accept(door(letter))
    first.take_in_hand()
    second = first.restarted()
    second.accept(door(letter))
    threads = [threading.Thread(target=one.settle) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(first.rows("SELECT fate FROM arrival")) == [("duplicate",), ("opened",)]
    assert first.rows("SELECT count(*) FROM outbox WHERE kind = 'receipt'") == [(1,)]


def alive(database, *starts):
    with database.write() as connection:
        for start in starts:
            leases.keep(connection, [f"start {start}"], holder=start, seconds=60)
