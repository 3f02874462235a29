"""Doctor's judgements: each state where it belongs, and no check that can stop another."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desk.calendar import Calendar
from desk.errors import UserError
from intake.mailbox import Fetched
from service import doctor_account, doctor_machine
from service.calendars import CalendarSpec, build_calendar
from service.doctor import Check, within
from service.doctor_house import calendar_ahead, secrets
from service.doctor_trip import Returned, judged
from service.finding import State, bad, is_bad, ok, skipped, warn
from service.secrets import SecretError
from service.server import Imap
from service.settings import load

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOURS = {"mon": ("09:00-17:00",)}
HOME = Path(doctor_machine.__file__).parents[1]


def states(findings) -> dict[str, str]:
    return {one.check: one.state.value for one in findings}


def test_only_bad_makes_a_command_fail():
    good = [ok("a", "x"), warn("b", "x", "y"), skipped("c", "x")]
    assert not is_bad(good)
    assert is_bad([*good, bad("d", "x", "y")])


def test_a_check_that_hangs_ends_at_its_deadline_and_keeps_what_it_found():
    ever = threading.Event()

    def look():
        yield ok("first", "fine")
        ever.wait(60)

    found = within(Check("stuck", look, seconds=0.05))
    ever.set()
    assert states(found) == {"first": "ok", "stuck": "bad"}
    assert "no answer within 0.05 seconds" in found[1].meaning


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (UserError("the key is gone"), "the key is gone"),
        (SecretError("env X is not set"), "env X is not set"),
        (ZeroDivisionError("oops"), "the check itself failed: ZeroDivisionError: oops"),
    ],
)
def test_a_check_that_breaks_is_a_bad_row_in_words(fault, words):
    def look():
        yield ok("first", "fine")
        raise fault

    found = within(Check("broken", look))
    assert states(found) == {"first": "ok", "broken": "bad"}
    assert found[1].meaning == words


@pytest.mark.parametrize(
    ("free", "state"), [(199_999_999, "bad"), (200_000_000, "warn"), (1_999_999_999, "warn"), (2_000_000_000, "ok")]
)
def test_room_on_the_disk(free, state):
    assert doctor_machine.room(free, Path("/x")).state.value == state


def test_our_own_packages_are_found_well_here():
    assert states(doctor_machine.packages()) == {"packages": "ok"}


def test_a_package_from_elsewhere_hides_ours():
    (found,) = doctor_machine.overlaid({"desk": HOME, "store": Path("/usr/lib")}, {"desk": ["deskbell"]})
    assert (found.state, "store is taken from /usr/lib" in found.meaning) == (State.BAD, True)


def test_another_distribution_with_a_package_of_our_name_is_a_warning():
    (found,) = doctor_machine.overlaid({"desk": HOME}, {"desk": ["Deskbell", "desk-toys"]})
    assert (found.state, found.meaning) == (State.WARN, "desk-toys has a package named desk too")


def test_a_package_that_is_gone_is_bad():
    assert states(doctor_machine.overlaid({"desk": None}, {})) == {"packages": "bad"}


def settings(folder: Path, text: str, mode: int = 0o600):
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return load(path)


PLAIN = '[[mailbox]]\naddress = "help@corp.example"\n[maildir]\npath = "out"\n'
WORDY = PLAIN.partition("[maildir]")[0] + '[smtp]\nhost = "a.example"\nuser = "u"\npassword = "p"\n'


@pytest.mark.parametrize(
    ("text", "file", "folder", "expected"),
    [
        (PLAIN, 0o644, 0o700, ["ok"]),
        (WORDY, 0o600, 0o700, ["ok"]),
        (WORDY, 0o644, 0o700, ["bad"]),
        (PLAIN, 0o600, 0o755, ["warn"]),
    ],
)
def test_who_else_may_read_is_told(tmp_path, text, file, folder, expected):
    tmp_path.chmod(folder)
    assert [one.state.value for one in doctor_machine.permissions(settings(tmp_path, text, file))] == expected


def calendar(**more) -> Calendar:
    return build_calendar(CalendarSpec("office", "UTC", HOURS, **more), system_zone="UTC")


def test_a_calendar_with_hours_and_holidays_is_well():
    (found,) = calendar_ahead(calendar(country="PL"), date(2026, 3, 2))
    assert (found.state, found.meaning) == (State.OK, "5 working days in the next 30, zone UTC")


def test_a_calendar_without_holidays_names_the_years_it_knows_nothing_of():
    (found,) = calendar_ahead(calendar(), date(2026, 3, 2))
    assert found.state is State.WARN
    assert "no holiday in 2026 and 2027" in found.meaning
    (found,) = calendar_ahead(calendar(closed={"2026-12-31": "New Year's Eve"}), date(2026, 3, 2))
    assert "no holiday in 2027" in found.meaning


def test_a_calendar_that_is_closed_for_a_month_is_bad():
    shut = Calendar("office", ZoneInfo("UTC"), calendar().hours, closed_day=lambda _day: "works holidays")
    (found,) = calendar_ahead(shut, date(2026, 3, 2))
    assert found.state is State.BAD


def imap(**more) -> Imap:
    return Imap.model_construct(host="x", port=993, tls="tls", user="u", after="auto").model_copy(update=more)


@pytest.mark.parametrize(
    ("after", "keywords", "state"),
    [("auto", True, "ok"), ("auto", False, "warn"), ("keyword", False, "warn"), ("seen", False, "ok")],
)
def test_a_server_without_keywords_is_told_what_is_used_instead(after, keywords, state):
    found = doctor_account.marking("k", imap(after=after), keywords=keywords)
    assert found.state.value == state
    assert ("X-Deskbell-Id" in found.meaning) is (state == "warn")


@pytest.mark.parametrize(
    ("offers", "state", "words"),
    [({"IDLE", "MOVE", "X"}, "ok", "IDLE, MOVE: "), ({"MOVE"}, "warn", "once a minute"), (set(), "warn", "no IDLE")],
)
def test_capabilities_that_matter_are_named(offers, state, words):
    found = doctor_account.offered("help@corp.example", frozenset(offers))
    assert (found.state.value, words in found.meaning) == (state, True)


ID = "<probe.a.0123456789abcdef.X@corp.example>"
MAIL = f"Message-ID: {ID}\r\nX-Deskbell-Id: {ID.strip('<>')}\r\n\r\nx".encode()
BACK = Returned(ID, Fetched(1, NOON, len(MAIL), MAIL, frozenset(), complete=True), NOON, NOON + 5 * SECOND)


def came_back(*, raw: bytes = MAIL, date: datetime = NOON) -> dict[str, tuple[str, str]]:
    back = replace(BACK, mail=replace(BACK.mail, raw=raw, internal_date=date))
    return {one.check: (one.state.value, one.meaning) for one in judged("round trip help", back)}


def test_a_mail_that_comes_back_as_it_went_is_well():
    assert {state for state, _ in came_back().values()} == {"ok"}
    assert came_back()["round trip help"][1] == "it came back within 5 s"


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (MAIL.replace(b"Message-ID: <probe", b"Message-ID: <other"), "warn"),
        (MAIL.replace(b"probe", b"other"), "bad"),
        (b"\r\n", "bad"),
    ],
)
def test_a_renamed_mail_is_a_warning_while_our_own_field_is_kept(raw, state):
    assert came_back(raw=raw)["Message-ID help"][0] == state


@pytest.mark.parametrize(
    ("apart", "state", "words"),
    [(-60, "ok", ""), (-61, "warn", "1 min behind"), (65, "ok", ""), (66, "warn", "1 min ahead of")],
)
def test_clocks_more_than_a_minute_apart_are_a_warning(apart, state, words):
    """From five seconds of way on, one cannot tell: the mail may have come at any moment of them."""
    told = came_back(date=NOON + apart * SECOND)["clock help"]
    assert (told[0], words in told[1]) == (state, True)


def test_what_a_secrets_end_means_and_what_to_do_are_told_apart(tmp_path):
    """The account, the day and the consequence once; what to make, and where it goes, once."""
    ends = datetime.now(UTC).date() + timedelta(days=3)
    oauth = f'oauth = {{ provider = "generic", token_command = "t", secret_expires = {ends} }}'
    path = tmp_path / "config.toml"
    account = f'[mailbox.imap]\nhost = "h"\nuser = "u"\n{oauth}\n[maildir]\npath = "out"\n'
    path.write_text(f'[[mailbox]]\naddress = "help@corp.example"\n{account}', encoding="utf-8")
    path.chmod(0o600)
    (row,) = secrets(load(path))
    assert (row.state, row.meaning.count(str(ends)), "Make a new one" in row.meaning) == (State.WARN, 1, False)
    assert row.advice.startswith("Make a new one")
    assert "mail" not in row.advice
