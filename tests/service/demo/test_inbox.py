"""The mail that was written into Maildirs, as a person finds it."""

import os
from pathlib import Path

import pytest

from delivery.maildir import MaildirTransport
from delivery.transport import Outgoing
from service.demo.inbox import Inbox, NoMail

ANNA = "anna@corp.example"


def put(root: Path, number: int, to: str = ANNA, answers: str = "<x@corp.example>") -> None:
    raw = f"From: help@corp.example\r\nSubject: {number}\r\nIn-Reply-To: {answers}\r\n\r\nHello\r\n".encode()
    MaildirTransport(root).send(
        Outgoing(f"<{number}@x>", "help@corp.example", to, raw),
        lambda: None,
    )
    for path in root.rglob("new/*"):
        if raw == path.read_bytes():
            os.utime(path, (number, number))


def test_the_newest_mail_is_the_one_written_last(tmp_path: Path) -> None:
    for number in (2, 3, 1):
        put(tmp_path, number)
    inbox = Inbox(tmp_path)
    assert inbox.newest(ANNA).mail.subject == "3"
    assert [one.mail.subject for one in inbox.mails(ANNA)] == ["3", "2", "1"]


def test_an_address_is_found_in_any_case_and_a_mail_that_was_read_too(tmp_path: Path) -> None:
    put(tmp_path, 1)
    (path,) = tmp_path.rglob("new/*")
    path.rename(path.parent.parent / "cur" / f"{path.name}:2,S")
    assert Inbox(tmp_path).newest("Anna@Corp.Example").mail.subject == "1"


def test_the_answer_to_one_mail_is_found_among_others(tmp_path: Path) -> None:
    put(tmp_path, 1, answers="<one@corp.example>")
    put(tmp_path, 2, answers="<two@corp.example>")
    found = Inbox(tmp_path).about(ANNA, "<one@corp.example>")
    assert found is not None
    assert found.mail.subject == "1"
    assert Inbox(tmp_path).about(ANNA, "<three@corp.example>") is None


def test_where_there_is_none_it_says_for_whom_there_is(tmp_path: Path) -> None:
    put(tmp_path, 1, to="o'neil@corp.example")
    put(tmp_path, 2, to="bob@corp.example")
    with pytest.raises(NoMail, match=r"^nothing was written for anna@.*: there is mail for bob@corp.example, o'neil"):
        Inbox(tmp_path).newest(ANNA)


@pytest.mark.parametrize("folder", ["", "missing"])
def test_where_nothing_was_ever_written_it_says_so(tmp_path: Path, folder: str) -> None:
    with pytest.raises(NoMail, match="no mail was written for anybody yet"):
        Inbox(tmp_path / folder).mails(ANNA)
