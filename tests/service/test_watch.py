"""A watched folder against a scripted server: nothing above the floor is missed, nothing is taken twice."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from intake.mailbox import CommandRefused, ConnectionLost
from service.watch import FULL_DIFFERENCE, KEYWORD, MARKS, SETTLED_FOLDER, WAIT_SECONDS, FolderWatch, Spec, WatchPorts
from tests.service.cast import HELP, NOON, mail, works

LEDGER = "SELECT uidvalidity, uid FROM arrival ORDER BY id"
FOLDER = "SELECT uidvalidity, floor_uid, cursor_uid FROM folder ORDER BY id"


@dataclass(frozen=True)
class State:
    """What SELECT tells."""

    uidvalidity: int
    uidnext: int
    keywords: bool
    moves: bool


@dataclass(frozen=True)
class Message:
    """A message as the server has it."""

    uid: int
    raw: bytes
    internal_date: datetime
    flags: frozenset[str] = frozenset()
    complete: bool = True

    @property
    def size(self):
        return len(self.raw)


@dataclass
class Server:
    """A folder that lists and hands over what it was told, and remembers what it was asked for."""

    uidvalidity: int = 42
    keywords: bool = True
    moves: bool = False
    folders: dict[str, list[int]] = field(default_factory=dict)
    """Where mail was moved to."""
    messages: dict[int, Message] = field(default_factory=dict)
    uidnext: int = 1
    hidden: set[int] = field(default_factory=set)
    """UIDs that SEARCH leaves out."""
    withheld: set[int] = field(default_factory=set)
    """UIDs that SEARCH lists and FETCH leaves out."""
    refused: set[int] = field(default_factory=set)
    """UIDs for which FETCH is answered NO."""
    full: bool = False
    """MOVE is answered NO."""
    batch: int = 50
    sessions: int = 0
    fetched: list[int] = field(default_factory=list)
    outlined: list[int] = field(default_factory=list)
    flagged: list[tuple[list[int], str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    breaking: list[str] = field(default_factory=list)
    """Calls that end the connection, each once."""

    def put(self, *uids, date=NOON, **known):
        for uid in uids:
            self.messages[uid] = Message(uid, mail(uid), date, **known)
            self.uidnext = max(self.uidnext, uid + 1)

    def open(self):
        self.sessions += 1
        return Session(self, State(self.uidvalidity, self.uidnext, self.keywords, self.moves))

    def breaks(self, call):
        if call in self.breaking:
            self.breaking.remove(call)
            raise ConnectionLost(call)


@dataclass
class Session:
    """One connection to it."""

    server: Server
    state: State
    closed: bool = False

    def uids_above(self, floor):
        self.server.breaks("search")
        return sorted(uid for uid in self.server.messages if uid > floor and uid not in self.server.hidden)

    def outlines(self, uids):
        for start in range(0, len(uids), self.server.batch):
            asked = uids[start : start + self.server.batch]
            self.server.outlined += asked
            yield [self.server.messages[uid] for uid in asked]

    def fetch(self, uids, *, max_octets):
        assert max_octets == 1_000
        server = self.server
        for start in range(0, len(uids), server.batch):
            asked = uids[start : start + server.batch]
            server.breaks(f"fetch {asked[0]}")
            if server.refused & set(asked):
                raise CommandRefused("FETCH: NO")
            server.fetched += asked
            if found := [server.messages[uid] for uid in asked if uid not in server.withheld]:
                yield found

    def add_flags(self, uids, flag):
        self.server.breaks("store")
        self.server.flagged.append((list(uids), flag))

    def move(self, uids, to):
        server = self.server
        server.breaks("before move")
        if server.full:
            raise CommandRefused("CREATE: NO")
        for uid in uids:
            if server.messages.pop(uid, None):
                server.folders.setdefault(to, []).append(uid)
        server.breaks("after move")

    def wait(self, seconds, _wake):
        self.server.waits.append(seconds)
        return False

    def close(self):
        self.closed = True


@dataclass
class Watching:
    """A watch of one folder on that server, with the database behind it."""

    server: Server
    desk: object
    after: str = "auto"
    folder: str = "INBOX"

    def __post_init__(self):
        desk = self.desk
        ports = WatchPorts(self.server.open, desk.pipeline, desk.database, desk.transactions, desk.clock)
        self.watch = FolderWatch(Spec(HELP, self.folder, self.after, 1_000), ports)

    def steps(self):
        """Step until there is nothing to do; how often there was something."""
        worked = 0
        while self.watch.step():
            worked += 1
            assert worked < 100, "the watch never rests"
        return worked

    def again(self):
        """The same folder after a new connection."""
        self.watch.close()
        return self.steps()

    @property
    def ledger(self):
        return self.desk.rows(LEDGER)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def watching(server, desk):
    return Watching(server, desk)


def test_what_was_there_before_the_first_session_is_below_the_floor(server, watching):
    """It is neither fetched nor recorded, at the first session or any later one."""
    server.put(1, 2, 3)
    assert watching.steps() == 0
    server.put(4)
    assert watching.steps() == 1
    watching.again()
    assert (watching.ledger, server.fetched) == ([(42, 4)], [4])
    assert watching.desk.rows(FOLDER) == [(42, 3, 4)]


def test_an_empty_folder_begins_at_its_first_message(server, watching):
    """UIDNEXT 1: the floor is 0."""
    watching.steps()
    server.put(1)
    watching.steps()
    assert watching.ledger == [(42, 1)]


def test_each_message_is_fetched_and_recorded_once(server, watching):
    """However often the folder is looked at, by the same connection or another."""
    watching.steps()
    server.put(5, 6)
    watching.steps()
    watching.steps()
    watching.again()
    assert (watching.ledger, server.fetched) == ([(42, 5), (42, 6)], [5, 6])


def test_mail_that_came_between_two_sessions_is_found(server, watching):
    """The cursor is where it was, whatever UIDNEXT says now."""
    watching.steps()
    watching.watch.close()
    server.put(1, 2)
    watching.again()
    assert watching.ledger == [(42, 1), (42, 2)]


def test_a_uid_that_search_left_out_is_found_by_the_full_difference(server, watching):
    """Below the cursor it is looked for every five minutes, and at the start of each session."""
    watching.steps()
    server.put(1, 2)
    server.hidden = {1}
    watching.steps()
    server.hidden = set()
    assert watching.steps() == 0
    watching.desk.clock.pass_by(seconds=FULL_DIFFERENCE.total_seconds())
    assert watching.steps() == 1
    assert watching.ledger == [(42, 2), (42, 1)]
    assert watching.desk.rows(FOLDER) == [(42, 0, 2)]


def test_a_new_session_compares_at_once(server, watching):
    """It need not wait for its five minutes."""
    watching.steps()
    server.put(1, 2)
    server.hidden = {1}
    watching.steps()
    server.hidden = set()
    watching.again()
    assert watching.ledger == [(42, 2), (42, 1)]


def test_a_message_that_the_server_lists_but_never_hands_over_does_not_keep_us_busy(server, watching):
    """The others are served, the watch rests, and the message is asked for again later."""
    watching.steps()
    server.put(1, 2, 3)
    server.withheld = {3}
    assert watching.steps() == 1
    assert watching.ledger == [(42, 1), (42, 2)]
    server.withheld = set()
    watching.steps()
    assert watching.ledger == [(42, 1), (42, 2), (42, 3)]


def test_a_message_that_the_server_refuses_to_hand_over_holds_no_other_back(server, watching, caplog):
    """The rest is asked for one by one, the log names the UID, and the watch rests."""
    watching.steps()
    server.put(1, 2, 3)
    server.refused = {2}
    assert watching.steps() == 1
    assert watching.ledger == [(42, 1), (42, 3)]
    assert f"{HELP} INBOX: UID 2 cannot be read" in caplog.text
    server.refused = set()
    watching.again()
    assert (42, 2) in watching.ledger


def test_a_refused_newest_message_does_not_keep_us_busy(server, watching):
    """It stays above the cursor, and is asked for again after each rest."""
    watching.steps()
    server.put(1)
    server.refused = {1}
    assert watching.steps() == 0
    server.refused = set()
    assert watching.steps() == 1


def renumbered(server, uidvalidity, *uids, date=NOON):
    """The server lost its index: other numbers from 1 on, in this order of mails, without keywords."""
    raws = {uid: one.raw for uid, one in server.messages.items()}
    server.uidvalidity, server.messages, server.uidnext = uidvalidity, {}, 1
    for new, old in enumerate(uids, start=1):
        server.messages[new] = Message(new, raws.get(old) or mail(old), date)
        server.uidnext = new + 1


OUTCOME = "SELECT uidvalidity, uid, fate, effect FROM arrival ORDER BY id"


def test_known_mail_of_a_renumbered_folder_gets_its_new_number_and_our_mark_again(server, watching):
    """It is no second arrival; what came meanwhile is taken in."""
    watching.steps()
    server.put(1, 2)
    watching.steps()
    watching.desk.settle()
    watching.steps()
    renumbered(server, 43, 2, 3, 1)
    watching.again()
    watching.desk.settle()
    watching.steps()
    assert watching.desk.rows(OUTCOME) == [
        (43, 3, "opened", "done"),
        (43, 1, "opened", "done"),
        (43, 2, "opened", "done"),
    ]
    assert server.flagged == [([1, 2], KEYWORD), ([1, 3], KEYWORD), ([2], KEYWORD)]
    assert watching.desk.rows("SELECT count(*) FROM request") == [(3,)]


def test_a_renumbered_folder_is_read_once(server, watching):
    """Its new numbers are known from then on, to this session and to later ones."""
    watching.steps()
    server.put(1, 2)
    watching.steps()
    renumbered(server, 43, 1, 2)
    server.fetched = []
    watching.again()
    watching.again()
    assert server.fetched == [1, 2]


def test_what_came_before_the_watch_is_below_the_floor_of_a_renumbered_folder(server, watching):
    """By the server's date, and without being read: there may be a hundred thousand of it."""
    watching.steps()
    server.uidvalidity, server.batch = 43, 2
    server.put(1, 2, 3, date=NOON - timedelta(days=1))
    server.put(4)
    watching.again()
    assert (server.fetched, server.outlined) == ([4], [1, 2, 3, 4])
    assert watching.desk.rows(FOLDER) == [(42, 0, 0), (43, 3, 4)]


def test_old_mail_between_newer_mail_of_a_renumbered_folder_stays_silent(server, watching):
    """No floor can be below it: it is kept as history."""
    watching.steps()
    server.put(1)
    watching.steps()
    renumbered(server, 43, 1)
    server.put(2, date=NOON - timedelta(days=1))
    watching.again()
    watching.desk.settle()
    assert watching.desk.rows("SELECT uid, fate, receipt FROM arrival ORDER BY id")[1] == (
        2,
        "backfilled",
        "never: before-floor",
    )


def test_a_second_copy_of_a_known_mail_is_a_mail_that_came_again(server, watching):
    """Each arrival is found once."""
    watching.steps()
    server.put(1)
    watching.steps()
    watching.desk.settle()
    renumbered(server, 43, 1, 1)
    watching.again()
    watching.desk.settle()
    assert watching.desk.rows(OUTCOME) == [(43, 1, "opened", "done"), (43, 2, "duplicate", "pending")]


NAMELESS = b"From: Anna <anna@corp.example>\r\nSubject: Printer\r\n\r\nJam.\r\n"


@pytest.mark.parametrize(
    ("kept", "outcome"),
    [(False, [(1, "opened"), (2, "opened")]), (True, [(1, "opened"), (2, "opened"), (3, "opened")])],
    ids=["all-have-new-dates", "others-kept-theirs"],
)
def test_a_mail_without_message_id_is_known_by_its_date_unless_the_others_have_new_ones_too(
    server, watching, kept, outcome
):
    """A restored mailbox may have the date of its restoring; elsewhere the same words at another time are new."""
    watching.steps()
    server.put(1, 2)
    server.messages[2] = replace(server.messages[2], raw=NAMELESS)
    watching.steps()
    watching.desk.settle()
    later = NOON + timedelta(days=3)
    renumbered(server, 43, 1, 2, date=later)
    if kept:
        server.messages = {1: replace(server.messages[1], internal_date=NOON), 3: replace(server.messages[2], uid=3)}
    watching.again()
    watching.desk.settle()
    assert watching.desk.rows("SELECT uid, fate FROM arrival ORDER BY id") == outcome


def test_a_mail_with_other_bytes_is_known_by_its_content(server, watching):
    """Some servers make the text anew: one more arrival, and not a word to anybody."""
    watching.steps()
    server.put(1)
    watching.steps()
    watching.desk.settle()
    renumbered(server, 43, 1)
    server.messages[1] = replace(server.messages[1], raw=b"X-Hop: 2\r\n" + server.messages[1].raw)
    watching.again()
    watching.desk.settle()
    assert watching.desk.rows("SELECT uidvalidity, fate FROM arrival ORDER BY id") == [
        (42, "opened"),
        (43, "duplicate"),
    ]
    assert watching.desk.rows("SELECT count(*) FROM request") == [(1,)]


def test_mail_that_is_put_back_later_into_a_folder_made_anew_is_known(server, watching):
    """The folder was found empty; somebody restores it while it is watched."""
    watching.steps()
    server.put(1, 2)
    watching.steps()
    watching.desk.settle()
    renumbered(server, 43)
    watching.again()
    server.put(2, 1)
    watching.steps()
    assert watching.desk.rows("SELECT uidvalidity, uid FROM arrival ORDER BY id") == [(43, 1), (43, 2)]


def test_an_unsettled_or_quarantined_mail_is_known_too(server, watching):
    """It has no content key yet; its bytes are kept."""
    watching.desk.parser.poison = {b"Printer 1"}
    watching.steps()
    server.put(1)
    watching.steps()
    renumbered(server, 43, 1)
    watching.again()
    watching.desk.settle()
    renumbered(server, 44, 1)
    watching.again()
    watching.desk.settle()
    assert watching.desk.rows("SELECT uidvalidity, fate FROM arrival") == [(44, "quarantined")]


def test_a_mark_that_survived_is_not_set_again(server, watching):
    """The keyword stands on the mail under its new number."""
    watching.steps()
    server.put(1)
    watching.steps()
    watching.desk.settle()
    watching.steps()
    renumbered(server, 43, 1)
    server.messages[1] = replace(server.messages[1], flags=frozenset({KEYWORD.lower()}))
    watching.again()
    assert server.flagged == [([1], KEYWORD)]
    assert watching.desk.rows(OUTCOME) == [(43, 1, "opened", "done")]


@pytest.mark.parametrize("call", ["search", "fetch 1", "fetch 3"])
def test_a_comparison_that_breaks_off_goes_on_where_it_was(server, watching, call):
    """What was found again is committed, the rest is found by the next session."""
    watching.steps()
    server.put(1, 2, 3, 4)
    watching.steps()
    renumbered(server, 43, 4, 3, 2, 1)
    server.batch, server.breaking, server.fetched = 2, [call], []
    with pytest.raises(ConnectionLost):
        watching.again()
    watching.again()
    assert watching.desk.rows("SELECT uidvalidity, uid FROM arrival ORDER BY id") == [(43, uid) for uid in (4, 3, 2, 1)]
    assert sorted(server.fetched) == [1, 2, 3, 4]


def test_the_log_says_that_a_folder_was_renumbered_and_what_was_found(server, watching, caplog):
    watching.steps()
    server.put(1, 2)
    watching.steps()
    renumbered(server, 43, 1, 2, 3)
    watching.again()
    assert (
        f"{HELP} INBOX: numbered anew by the server (UIDVALIDITY 43, was 42): its 3 mails are compared" in caplog.text
    )
    assert f"{HELP} INBOX: numbered anew by the server: 2 known mails found again" in caplog.text


def test_the_floor_of_a_folder_has_no_fractions_of_a_second(server, watching):
    """INTERNALDATE has none: a mail of the same second as the first session is not older than the watch."""
    watching.desk.clock.pass_by(milliseconds=900)
    watching.steps()
    server.uidvalidity = 43
    server.put(1, date=NOON)
    watching.again()
    assert watching.desk.rows("SELECT before_floor FROM arrival") == [(0,)]


def test_the_numbers_of_before_may_come_back(server, watching):
    """A server that restored a backup continues where that one was."""
    watching.steps()
    server.put(1)
    watching.steps()
    for uidvalidity in (43, 42):
        server.uidvalidity = uidvalidity
        watching.again()
    server.put(2)
    watching.steps()
    assert watching.ledger == [(42, 1), (42, 2)]
    assert watching.desk.rows(FOLDER) == [(42, 0, 2), (43, 0, 1)]


def test_a_settled_message_gets_our_keyword_once(server, watching):
    """Not before it is settled, not twice, and together with the others."""
    watching.steps()
    server.put(1, 2)
    watching.steps()
    assert server.flagged == []
    watching.desk.settle()
    assert watching.steps() == 1
    watching.again()
    assert server.flagged == [([1, 2], KEYWORD)]


def test_marks_are_set_some_at_a_time(server, watching):
    """However many are owed."""
    watching.steps()
    server.put(*range(1, MARKS + 3))
    watching.steps()
    watching.desk.settle()
    watching.steps()
    assert [len(uids) for uids, _ in server.flagged] == [MARKS, 2]


def test_a_mark_that_was_not_set_is_owed_again(server, watching):
    """The connection ended in STORE: nobody knows, and setting it twice does no harm."""
    watching.steps()
    server.put(1)
    watching.steps()
    watching.desk.settle()
    server.breaking = ["store"]
    with pytest.raises(ConnectionLost):
        watching.steps()
    watching.again()
    assert server.flagged == [([1], KEYWORD)]


@pytest.mark.parametrize(
    ("after", "keywords", "flag"),
    [
        ("auto", True, KEYWORD),
        ("auto", False, None),
        ("keyword", True, KEYWORD),
        ("seen", True, r"\Seen"),
        ("seen", False, r"\Seen"),
        ("nothing", True, None),
    ],
)
def test_the_mark_is_what_was_asked_for_and_the_server_can_keep(after, keywords, flag):
    """Where none is set the debt is settled all the same."""
    with works() as desk:
        server = Server(keywords=keywords)
        watching = Watching(server, desk, after)
        watching.steps()
        server.put(1)
        watching.steps()
        desk.settle()
        watching.steps()
        assert server.flagged == ([([1], flag)] if flag else [])
        assert desk.rows("SELECT effect FROM arrival") == [("done",)]


def test_a_server_without_keywords_is_named_in_the_log(caplog):
    """An admin wonders where the mark is."""
    with works() as desk:
        Watching(Server(keywords=False), desk).steps()
    assert f"{HELP} INBOX: the server keeps no keywords" in caplog.text


@pytest.mark.parametrize(
    ("after", "keywords", "moves", "moved"),
    [
        ("auto", False, True, True),
        ("auto", True, True, False),
        ("auto", False, False, False),
        ("keyword", False, True, False),
        ("move", True, True, True),
        ("move", True, False, False),
        ("seen", False, True, False),
        ("nothing", False, True, False),
    ],
)
def test_settled_mail_is_moved_where_asked_for_or_where_no_keyword_can_be_kept(after, keywords, moves, moved):
    """And where the server can move; else it stays, and the debt is settled all the same."""
    with works() as desk:
        server = Server(keywords=keywords, moves=moves)
        watching = Watching(server, desk, after)
        watching.steps()
        server.put(1)
        watching.steps()
        assert server.folders == {}, "moved before it was settled"
        desk.settle()
        watching.steps()
        assert server.folders == ({SETTLED_FOLDER: [1]} if moved else {})
        assert desk.rows("SELECT effect FROM arrival") == [("done",)]


@pytest.mark.parametrize("call", ["before move", "after move"])
def test_a_move_whose_answer_was_lost_is_asked_again_and_moves_nothing_twice(call):
    """Nobody knows whether it was done; what is gone is left out."""
    with works() as desk:
        server = Server(keywords=False, moves=True)
        watching = Watching(server, desk)
        watching.steps()
        server.put(1)
        watching.steps()
        desk.settle()
        server.breaking = [call]
        with pytest.raises(ConnectionLost):
            watching.steps()
        assert desk.rows("SELECT effect FROM arrival") == [("pending",)]
        watching.again()
        assert server.folders == {SETTLED_FOLDER: [1]}
        assert desk.rows("SELECT effect, fate FROM arrival") == [("done", "opened")]


def test_a_refused_move_leaves_the_mail_where_it_is_and_is_named_once(caplog):
    """A full mailbox or a missing right must not stop the mail."""
    with works() as desk:
        server = Server(keywords=False, moves=True, full=True)
        watching = Watching(server, desk)
        watching.steps()
        for uid in (1, 2):
            server.put(uid)
            watching.steps()
            desk.settle()
            watching.steps()
        assert desk.rows("SELECT effect FROM arrival") == [("done",), ("done",)]
    assert caplog.text.count("settled mail is left where it is") == 1


def test_mail_in_the_folder_for_settled_mail_stays_there():
    """Where that folder is watched itself, a move would never end."""
    with works() as desk:
        server = Server(keywords=False, moves=True)
        watching = Watching(server, desk, folder=SETTLED_FOLDER)
        watching.steps()
        server.put(1)
        watching.steps()
        desk.settle()
        watching.steps()
        assert server.folders == {}


@pytest.mark.parametrize("keyword", [KEYWORD, KEYWORD.lower(), KEYWORD.upper()])
def test_a_message_that_carries_our_keyword_already_is_known_to_a_newer_database(server, watching, keyword):
    """Keywords are compared without case (RFC 3501 section 2.3.2); a second receipt is worse than none."""
    watching.steps()
    server.put(1, flags=frozenset({keyword}))
    server.put(2, flags=frozenset({r"\Seen", "$Other"}))
    watching.steps()
    assert watching.desk.rows("SELECT uid, replayed FROM arrival ORDER BY uid") == [(1, 1), (2, 0)]


def test_a_message_of_which_only_the_header_came_is_recorded_as_such(server, watching):
    """It is too large, and will be told apart."""
    watching.steps()
    server.put(1)
    server.messages[1] = replace(server.messages[1], complete=False)
    watching.steps()
    watching.desk.settle()
    assert watching.desk.rows("SELECT fate FROM arrival") == [("oversize",)]


@pytest.mark.parametrize("call", ["search", "fetch 1", "fetch 3"])
def test_a_connection_that_ends_in_the_middle_loses_and_doubles_nothing(server, watching, call):
    """What was committed stays, the rest is fetched by the next session."""
    watching.steps()
    server.put(1, 2, 3, 4)
    server.batch = 2
    server.breaking = [call]
    with pytest.raises(ConnectionLost):
        watching.steps()
    watching.again()
    assert watching.ledger == [(42, uid) for uid in (1, 2, 3, 4)]
    assert server.fetched == [1, 2, 3, 4]


def test_the_cursor_moves_only_with_the_rows(server, watching, monkeypatch):
    """A commit that fails leaves both where they were; the next session finds the message again."""
    watching.steps()
    server.put(1)

    def failing(_work):
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    with monkeypatch.context() as full:
        full.setattr(watching.desk.transactions, "run", failing)
        with pytest.raises(OperationalError):
            watching.steps()
    assert watching.desk.rows(FOLDER) == [(42, 0, 0)]
    watching.again()
    assert watching.ledger == [(42, 1)]


def test_a_rest_is_bounded_and_belongs_to_a_session(server, watching):
    """Without a connection there is nothing to wait on; with one IDLE never lasts longer than a minute."""
    watching.watch.rest(None)
    assert server.waits == []
    watching.watch.open()
    watching.watch.rest(None)
    assert server.waits == [WAIT_SECONDS] == [60.0]


def test_one_session_serves_many_steps_and_close_ends_it(server, watching):
    """Closing twice is nothing; the next step opens another one."""
    for _ in range(3):
        watching.watch.open()
        watching.steps()
    assert server.sessions == 1
    watching.watch.close()
    watching.watch.close()
    watching.steps()
    assert server.sessions == 2


def test_the_beginning_of_a_watch_is_logged_with_its_first_uid(server, watching, caplog):
    """So that an admin can say later what was left alone."""
    caplog.set_level(logging.INFO, "deskbell")
    server.put(7)
    watching.steps()
    assert f"{HELP} INBOX: watched from UID 8 on" in caplog.text
