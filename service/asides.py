"""Word to a department of each mail that could not become a request: at once, and never more than six times an hour.

What is to be told is noted in the transaction that gives the mail its fate (store/asides.py), and forgotten in the one
that owes the word: nothing is told twice, and nothing is left out. What came since the last word is told in one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from delivery.compose import Letter, LetterKind, compose
from desk.acknowledge import Mode
from desk.arrival import Fate
from desk.aside import is_told_of, may_tell, split
from desk.department import Department
from desk.mail import Address
from desk.outbox import Notice, NoticeKind
from service.confidential import NEUTRAL
from service.glance import HEAD_OCTETS, glance, own_ids
from service.house import House
from service.letters import size_of
from service.modes import with_modes
from service.transactions import Transactions
from store import asides, journal, ledger, modes, outbox, quarantine, turns
from store.asides import Aside
from store.database import Database
from store.ledger import Line
from store.turns import Turn
from templates.facts import AsideFacts, AsideLine
from templates.render import render_aside


@dataclass(frozen=True, slots=True)
class Told:
    """One word: about which mailbox, to whom, of which mails."""

    mailbox: str
    department: Department
    asides: Sequence[Aside]


class AsideNews:
    """The words of one installation."""

    def __init__(self, database: Database, transactions: Transactions, house: House) -> None:
        self._database = database
        self._transactions = transactions
        self._house = house

    def move_into(self, house: House) -> None:
        """The next word is said by that house."""
        self._house = house

    def step(self, now: datetime) -> bool:
        """Each department is owed the word that is due; False where none was."""
        with self._database.read() as connection:
            if not asides.is_any(connection):
                return False
        return self._transactions.run(lambda connection: _tell(connection, self._house, now))


def _tell(connection: Connection, configured: House, now: datetime) -> bool:
    turns.take(connection, Turn.SETTLING)
    house = with_modes(configured, modes.every(connection))
    found = asides.every(connection)
    lines = ledger.of_ids(connection, [one.arrival_id for one in found])
    news = [one for one in found if _is_news(connection, house, one, lines[one.arrival_id])]
    asides.forget(connection, {one.arrival_id for one in found} - {one.arrival_id for one in news})
    told = [_told(connection, house, word, lines, now) for word in _words(house, news)]
    return any(told)


def _is_news(connection: Connection, house: House, one: Aside, line: Line) -> bool:
    """Whether it is still to be told: nobody released or erased it, the mailbox may speak, and it is no mail of ours.

    A word that comes back and cannot be read would otherwise lead to the next one.
    """
    mailbox = house.mailboxes.get(one.mailbox)
    if mailbox is None or mailbox.mode is Mode.OBSERVE or not is_told_of(line.fate) or line.erased is not None:
        return False
    return not asides.is_ours(connection, own_ids(quarantine.octets(connection, line, most=HEAD_OCTETS)))


def _words(house: House, news: Iterable[Aside]) -> list[Told]:
    """What each department is to be told about each mailbox."""
    grouped: dict[tuple[str, str], list[Aside]] = {}
    for one in news:
        key = one.department or house.mailboxes[one.mailbox].department or house.matcher.default_department
        grouped.setdefault((one.mailbox, house.department_of(key).key), []).append(one)
    return [Told(mailbox, house.departments[key], found) for (mailbox, key), found in grouped.items()]


def _told(connection: Connection, house: House, word: Told, lines: dict[int, Line], now: datetime) -> bool:
    recipient = Address("", word.department.address).key
    if not may_tell(asides.last_told(connection, recipient, word.mailbox), now):
        return False
    ids = [one.arrival_id for one in word.asides]
    listed, more = split(ids)
    described = tuple(_described(connection, lines[one], hides=word.department.confidential) for one in listed)
    facts = AsideFacts(
        mailbox=word.mailbox,
        department=word.department.name_in("en"),
        listed=described,
        more=more,
        zone=house.calendars[word.department.calendar].zone,
        now=now,
        moved=any(lines[one].folder is not None for one in listed),
    )
    outbox_id = outbox.owe(connection, None, _notice(house, word, facts), now=now)
    asides.forget(connection, ids)
    record = journal.Record("told", outbox_id=outbox_id, detail={"arrivals": ids})
    journal.write(connection, record, now=now)
    return outbox_id is not None


def _described(connection: Connection, line: Line, *, hides: bool) -> AsideLine:
    head = quarantine.octets(connection, line, most=HEAD_OCTETS)
    seen = glance(head, octets=line.size)
    if hides:
        seen = replace(seen, sender=NEUTRAL, subject=NEUTRAL)
    where = f"in the mailbox {line.mailbox}; it came in {line.folder}" if line.folder else "kept by deskbell alone"
    return AsideLine(line.id, line.received, seen.sender, seen.subject, size_of(line.size), _why(line), where)


def _why(line: Line) -> str:
    if line.fate is Fate.OVERSIZE:
        return "it is larger than deskbell takes (limits.message_octets)"
    if line.fate is Fate.HELD:
        return f"it is about {line.reference}, and who wrote it has no part in that"
    return f"deskbell could not read it ({line.reason})"


def _notice(house: House, word: Told, facts: AsideFacts) -> Notice:
    rendered = render_aside(facts)
    to = Address(facts.department, word.department.address)
    told = " ".join(f"{one.digest} {one.at.isoformat()}" for one in word.asides)
    message_id = house.keyring.message_id(
        NoticeKind.SET_ASIDE.value, content_key=told, recipient=to.key, domain=word.mailbox.rpartition("@")[2]
    )
    letter = Letter(
        from_name="deskbell",
        from_address=word.mailbox,
        to=to,
        subject=rendered.subject or word.mailbox,
        message_id=message_id,
        date=facts.now,
        language="en",
        text=rendered.text,
        kind=LetterKind.NOTIFICATION,
        identity=message_id.strip("<>"),
    )
    return Notice(NoticeKind.SET_ASIDE, to.key, message_id, word.mailbox, compose(letter))
