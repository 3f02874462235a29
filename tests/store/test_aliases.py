"""A mail of ours is known by the ids that relays gave it too."""

import pytest
from sqlalchemy.exc import IntegrityError

from desk.outbox import NoticeKind
from desk.thread import SentMail
from store import aliases, holding
from store.requests import StoredThreads
from tests.store.cast import ANNA, new_request, notice, open_request, owe


def add(database, outbox_id, *message_ids):
    with database.write() as connection:
        for message_id in message_ids:
            aliases.add(connection, outbox_id, message_id)


def sent(database, *message_ids):
    with database.read() as connection:
        return StoredThreads(connection).sent(message_ids)


def test_a_mail_is_found_by_its_own_id_and_by_each_alias(database):
    number = open_request(database)
    receipt, news = owe(database, notice("r1"), notice("n1", NoticeKind.NOTIFICATION), number=number)
    add(database, receipt, "<a@relay>", "<b@relay>")
    add(database, news, "<c@relay>")
    assert sent(database, "<r1@corp.example>", "<a@relay>", "<b@relay>", "<c@relay>", "<d@relay>") == {
        "<r1@corp.example>": SentMail(number, to_department=False, recipient=ANNA.key),
        "<a@relay>": SentMail(number, to_department=False, recipient=ANNA.key),
        "<b@relay>": SentMail(number, to_department=False, recipient=ANNA.key),
        "<c@relay>": SentMail(number, to_department=True, recipient=ANNA.key),
    }


def test_an_alias_of_two_requests_leads_to_neither(database):
    for number, name in ((1001, "r1"), (1002, "r2")):
        open_request(database, new_request(number))
        [mail] = owe(database, notice(name), number=number)
        add(database, mail, "<same@relay>", f"<{name}@relay>")
    assert set(sent(database, "<same@relay>", "<r1@relay>", "<r2@relay>")) == {"<r1@relay>", "<r2@relay>"}


def test_an_alias_given_twice_is_no_error_and_still_leads_there(database):
    """A relay that names one id again must not undo the record of a sent mail."""
    [mail] = owe(database, notice())
    add(database, mail, "<a@relay>", "<a@relay>")
    assert set(sent(database, "<a@relay>")) == {"<a@relay>"}


def test_an_id_of_ours_wins_over_an_alias(database):
    for number, name in ((1001, "r1"), (1002, "r2")):
        open_request(database, new_request(number))
        owe(database, notice(name), number=number)
    add(database, 1, "<r2@corp.example>")
    assert sent(database, "<r2@corp.example>") == {
        "<r2@corp.example>": SentMail(1002, to_department=False, recipient=ANNA.key)
    }


def test_the_aliases_of_mails_are_listed_oldest_first(database):
    first, second, third = owe(database, notice("1"), notice("2"), notice("3"))
    add(database, second, "<b@relay>", "<a@relay>")
    add(database, first, "<c@relay>")
    with database.read() as connection:
        listed = {one.id: one.aliases for one in holding.every(connection, state=None)}
    assert listed == {first: ("<c@relay>",), second: ("<b@relay>", "<a@relay>"), third: ()}


def test_an_alias_belongs_to_a_mail_of_ours(database):
    with pytest.raises(IntegrityError):
        add(database, 99, "<a@relay>")
