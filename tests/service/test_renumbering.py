"""A renumbered folder on real servers, read by the real adapter: what is known is known, however much it is."""

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest

from desk.arrival import Fate
from intake.mailbox import Account, Folder
from service.reconcile import Look, Place, compare
from service.watch import SETTLED_FOLDER, FolderWatch, Spec, WatchPorts
from store import arrivals
from tests.servers.dovecot import PASSWORD, Dovecot, until, why_not
from tests.servers.exchange import Exchange
from tests.service.cast import HELP, mail, works

MANY = 5_000


@contextmanager
def watching(desk, server, user):
    """A watch of the user's INBOX that takes what it is told to."""
    account = Account("127.0.0.1", server.imap, "none", user, lambda: PASSWORD)
    ports = WatchPorts(
        lambda: Folder.open(account, "INBOX"),
        desk.pipeline,
        desk.database,
        desk.transactions,
        lambda: datetime.now(UTC),
    )
    watch = FolderWatch(Spec(HELP, "INBOX", "auto", 1_000_000), ports)
    yield watch
    watch.close()


def now():
    return datetime.now(UTC)


def steps(watch):
    while watch.step():
        pass


def compared(desk, server, user):
    account = Account("127.0.0.1", server.imap, "none", user, lambda: PASSWORD)
    place = Place(HELP, "INBOX", *(partial(Folder.examine, account, name) for name in ("INBOX", SETTLED_FOLDER)))
    (found,) = compare([place], Look(desk.database, lambda: False))
    return found


@pytest.mark.server
def test_five_thousand_known_mails_are_found_again_and_one_new_one_is_taken_in(monkeypatch):
    """In transactions of fifty at most; each of the old arrivals stands for its mail under the new number."""
    if reason := why_not():
        pytest.skip(reason)
    sizes = []
    with Dovecot() as dovecot, works() as desk:
        dovecot.deliver("many", mail(0))
        dovecot.expunge("many", 1)
        with watching(desk, dovecot, "many") as watch:
            watch.open()
            dovecot.put_files("many", [mail(number) for number in range(1, MANY + 1)])
            until(lambda: steps(watch) or desk.rows("SELECT count(*) FROM arrival") == [(MANY,)])
            dovecot.lose_index("many", meanwhile=[mail(MANY + 1)])
            accept = arrivals.accept
            monkeypatch.setattr(arrivals, "accept", lambda *a, **k: (sizes.append(len(a[1])), accept(*a, **k)))
            watch.close()
            steps(watch)
        assert desk.rows("SELECT count(*), count(DISTINCT uidvalidity), max(uid) FROM arrival") == [
            (MANY + 1, 1, MANY + 1)
        ]
        assert (sum(sizes), len(sizes) >= MANY / 50) == (1, True)
        found = compared(desk, dovecot, "many")
        assert (found.on_server, found.missing, found.surplus) == (MANY + 1, (), ())


def test_a_server_that_makes_each_mail_anew_has_them_known_by_their_content():
    """One more line in the ledger for each, which says so; no second request, and the numbers agree."""
    with Exchange() as exchange, works() as desk, watching(desk, exchange, "anew") as watch:
        watch.open()
        for number in (1, 2):
            exchange.deliver("anew@corp.example", mail(number))
        steps(watch)
        desk.settle()
        exchange.renumber("anew")
        exchange.deliver("anew@corp.example", mail(3))
        watch.close()
        steps(watch)
        desk.settle()
        found = compared(desk, exchange, "anew")
        assert (found.missing, found.surplus) == ((), ())
        assert found.fates == {Fate.DUPLICATE: 2, Fate.OPENED: 1}
        assert desk.rows("SELECT count(*) FROM request") == [(3,)]
        assert desk.rows("SELECT count(*) FROM outbox WHERE kind = 'receipt'") == [(3,)]
