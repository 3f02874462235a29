"""What a Maildir per recipient looks like, and what a full disk means."""

import mailbox
import os

import pytest

from delivery.maildir import MaildirTransport, folder_name
from delivery.transport import Ambiguous, Deferred, Outgoing, Scope, Sent

OUTGOING = Outgoing("<1@desk>", "help@corp.example", "Ann@Corp.Example", b"Subject: x\r\n\r\ny\r\n")


def yes():
    """Say yes to everything, as a courier does."""


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("Ann@Corp.Example", "ann@corp.example"),
        ("a/../../b@corp.example", "a%2F..%2F..%2Fb@corp.example"),
        ("o'neil+t.k7@corp.example", "o%27neil+t.k7@corp.example"),
        ("*@corp.example", "%2A@corp.example"),
    ],
)
def test_an_address_is_one_folder_name(address, name):
    assert folder_name(address) == name


def test_long_addresses_have_short_and_different_names():
    names = {folder_name("'" * 64 + f"@{'x.' * 60}{end}.example") for end in ("a", "b")}
    assert len(names) == 2
    assert all(len(name) <= 200 for name in names)


def test_the_standard_library_reads_the_maildir(tmp_path):
    MaildirTransport(tmp_path).send(OUTGOING, yes)
    (message,) = mailbox.Maildir(tmp_path / "ann@corp.example", create=False)
    assert message["Subject"] == "x"
    assert message.get_subdir() == "new"


def test_a_resend_makes_no_second_copy(tmp_path):
    transport = MaildirTransport(tmp_path)
    transport.send(OUTGOING, yes)
    before = files(tmp_path)
    assert transport.send(OUTGOING, yes) == Sent("delivered before")
    assert files(tmp_path) == before


def test_a_resend_of_a_mail_that_was_read_makes_no_second_copy(tmp_path):
    transport = MaildirTransport(tmp_path)
    transport.send(OUTGOING, yes)
    (delivered,) = tmp_path.glob("*/new/*")
    delivered.rename(delivered.parent.parent / "cur" / f"{delivered.name}:2,S")
    before = files(tmp_path)
    assert isinstance(transport.send(OUTGOING, yes), Sent)
    assert files(tmp_path) == before


def test_the_same_message_to_two_people_lies_with_both(tmp_path):
    transport = MaildirTransport(tmp_path)
    transport.send(OUTGOING, yes)
    transport.send(Outgoing("<1@desk>", "", "bob@corp.example", b"x"), yes)
    assert len(files(tmp_path)) == 2


def test_a_courier_that_says_no_leaves_no_file(tmp_path):
    def refuse():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MaildirTransport(tmp_path).send(OUTGOING, refuse)
    assert files(tmp_path) == []


def test_a_root_that_is_no_folder_defers_every_mail(tmp_path):
    (tmp_path / "root").write_text("")
    outcome = MaildirTransport(tmp_path / "root").send(OUTGOING, yes)
    assert isinstance(outcome, Deferred)
    assert outcome.scope is Scope.CONNECTION


def failing_fsync(after):
    """An fsync that fails from the call number `after` on."""
    left = iter(range(after))

    def fsync(_handle):
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    return fsync


@pytest.mark.parametrize(("after", "outcome"), [(0, Deferred), (2, Deferred), (3, Ambiguous), (4, Sent)])
def test_a_failing_disk_defers_before_the_rename_and_is_ambiguous_after_it(tmp_path, monkeypatch, after, outcome):
    monkeypatch.setattr(os, "fsync", failing_fsync(after))
    assert isinstance(MaildirTransport(tmp_path).send(OUTGOING, yes), outcome)
    assert bool(list(tmp_path.glob("*/new/*"))) is (outcome is not Deferred)


def test_a_folder_that_vanishes_before_the_rename_defers(tmp_path):
    def remove():
        (tmp_path / "ann@corp.example" / "new").rmdir()

    outcome = MaildirTransport(tmp_path).send(OUTGOING, remove)
    assert isinstance(outcome, Deferred)
    assert isinstance(MaildirTransport(tmp_path).send(OUTGOING, yes), Sent)
