"""A mail as it is typed or lies in a file: what it becomes, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.parse import parse
from service.demo.place import ready_place
from service.demo.typed import CannotWrite, Wish, from_file, written
from service.house import UNSIGNED, House, Surroundings, build_house

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOTHING = Wish("The printer jams.\n\nPlease help.", "", (), "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    place = ready_place(tmp_path_factory.mktemp("demo") / "typed")
    return build_house(place.settings, Surroundings(UNSIGNED, "UTC"))


def wish(*, text: str = "Hello", sender: str = "", to: tuple[str, ...] = (), subject: str = "") -> Wish:
    return Wish(text, sender, to, subject)


def test_without_anything_else_it_goes_from_anna_to_the_first_mailbox(house: House) -> None:
    letter = written(NOTHING, house, NOON)
    mail = parse(letter.raw)
    assert (letter.sender, letter.recipients) == ("anna@corp.example", ("help@corp.example",))
    assert (mail.subject, mail.text.strip(), mail.date, mail.defects) == ("The printer jams.", NOTHING.text, NOON, ())


def test_what_is_given_counts(house: House) -> None:
    given = wish(sender="ewa@corp.example", to=("hr@corp.example", "help@corp.example"), subject="Zażółć")
    letter = written(given, house, NOON)
    mail = parse(letter.raw)
    assert (letter.sender, letter.recipients) == ("ewa@corp.example", given.recipients)
    assert (mail.subject, [one.address for one in mail.to]) == ("Zażółć", list(given.recipients))


def test_two_mails_with_the_same_words_are_two_mails(house: House) -> None:
    assert parse(written(NOTHING, house, NOON).raw).message_id != parse(written(NOTHING, house, NOON).raw).message_id


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("", ""),
        ("\n\n  one   two \nthree", "one two"),
        ("x" * 61, "x" * 60 + " ..."),
        ("word " * 20, "word " * 11 + "word ..."),
        ("a\x07b\rc", "ab"),
        ("あ" * 70, "あ" * 60 + " ..."),
    ],
)
def test_the_subject_is_the_first_line_kept_short(house: House, text: str, subject: str) -> None:
    assert parse(written(wish(text=text), house, NOON).raw).subject == subject


def test_somebody_elses_mailbox_is_refused_with_those_that_are_here(house: House) -> None:
    accepted = "--to: 'x@corp.example' is no mailbox here; accepted: help@corp.example, hr@corp.example"
    with pytest.raises(CannotWrite, match=accepted):
        written(wish(to=("help@corp.example", "x@corp.example")), house, NOON)


@pytest.mark.parametrize("sender", ["nonsense", "a b@corp.example", "Anna <anna@corp.example>", "a@corp.example\nX: y"])
def test_a_sender_that_is_no_address_is_refused(house: House, sender: str) -> None:
    with pytest.raises(CannotWrite, match=r"--from: .* is no address; accepted: one bare address"):
        written(wish(sender=sender), house, NOON)


def test_a_file_is_handed_in_as_it_is_to_those_of_its_recipients_that_are_ours(tmp_path: Path, house: House) -> None:
    raw = b"From: Eve <eve@elsewhere.example>\r\nTo: bob@corp.example, HR@corp.example\r\nCc: help@corp.example\r\n\r\n"
    (tmp_path / "mail.eml").write_bytes(raw)
    letter = from_file(tmp_path / "mail.eml", wish(), house)
    assert (letter.sender, letter.recipients) == ("eve@elsewhere.example", ("hr@corp.example", "help@corp.example"))
    assert letter.raw == raw


def test_a_file_that_names_no_mailbox_of_ours_goes_to_the_first(tmp_path: Path, house: House) -> None:
    (tmp_path / "mail.eml").write_bytes(b"\xff\x00 no mail at all")
    letter = from_file(tmp_path / "mail.eml", wish(), house)
    assert (letter.sender, letter.recipients) == ("", ("help@corp.example",))


def test_a_subject_for_a_file_is_refused(tmp_path: Path, house: House) -> None:
    with pytest.raises(CannotWrite, match=r"--subject: .*mail.eml has its own"):
        from_file(tmp_path / "mail.eml", wish(subject="x"), house)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, house: House) -> None:
    with pytest.raises(CannotWrite, match=r"mail.eml: No such file"):
        from_file(tmp_path / "mail.eml", wish(), house)
