"""`deskbell explain` says what deskbell would make of a mail, and leaves no trace of having been asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.installation import Installation, deskbell, mailbox
from tests.servers.letters import letter

pytestmark = pytest.mark.slow

NOW = "2026-03-06T16:00:00+0000"
"""A Friday, an hour before the office of the starter set closes."""
KEYS = {
    *("file", "message_id", "in_reply_to", "references", "from", "reply_to", "to", "cc", "subject", "date"),
    *("language", "text", "reply", "signature", "attachments", "defects", "automatic", "report"),
    *("acknowledge", "thread", "classification", "targets"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mails at several depths, under any name, one of them no mail at all."""
    root = tmp_path_factory.mktemp("mails")
    (root / "deep" / "deeper").mkdir(parents=True)
    (root / "b.eml").write_bytes(letter("Toner", "Please bring toner.\n").raw)
    (root / "a").write_bytes(bytes(range(256)) * 4)
    (root / "deep" / "c.txt").write_bytes(letter("زيارة", "الطابعة لا تعمل منذ الصباح.\n").raw)
    (root / "deep" / "deeper" / "empty.msg").write_bytes(b"")
    mails = b"".join(b"From someone\r\n" + letter(f"Number {n}").raw + b"\r\n" for n in range(3))
    (root / "deep" / "d.mbox").write_bytes(mails)
    return root


def explained(*arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> list[dict[str, Any]]:
    done = deskbell("explain", *arguments, "--json", stdin=stdin, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(one) == KEYS for one in said)
    return said


def listing(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(root.rglob("*"))}


def test_a_folder_gives_one_object_a_mail_in_order_and_stays_as_it_was(folder: Path):
    """Each regular file at any depth and of any name, sorted; an mbox gives each of its mails; exit 0."""
    before = listing(folder)
    said = explained(str(folder))
    names = ["a", "b.eml", "deep/c.txt", *(f"deep/d.mbox#{n}" for n in range(3)), "deep/deeper/empty.msg"]
    assert [one["file"] for one in said] == [f"{folder}/{name}" for name in names]
    assert [one["subject"] for one in said[1:6]] == ["Toner", "زيارة", "Number 0", "Number 1", "Number 2"]
    assert said[0]["defects"]
    assert listing(folder) == before


def test_a_file_and_standard_input_are_called_as_they_were_given(folder: Path):
    """A hyphen is standard input; promised moments count from --now, whatever the mail's Date says."""
    file, piped = explained(f"{folder}/b.eml", "-", "--now", NOW, stdin=letter("Piped").raw)
    assert (file["file"], file["subject"]) == (f"{folder}/b.eml", "Toner")
    assert (piped["file"], piped["subject"]) == ("-", "Piped")
    monday = {"first_response": "2026-03-09T12:00:00+00:00", "resolution": "2026-03-10T16:00:00+00:00"}
    assert file["targets"] == piped["targets"] == monday


def test_an_mbox_of_any_name_is_read_with_the_option(folder: Path, tmp_path: Path):
    """--mbox says so where the name does not."""
    place = tmp_path / "archive"
    place.write_bytes((folder / "deep" / "d.mbox").read_bytes())
    assert [one["subject"] for one in explained(str(place), "--mbox")] == ["Number 0", "Number 1", "Number 2"]


def test_without_json_people_can_read_it(folder: Path):
    """One paragraph a mail."""
    done = deskbell("explain", f"{folder}/b.eml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Anna Nowak <anna@corp.example>" in done.stdout
    assert "it" in done.stdout


@pytest.mark.parametrize("place", ["missing.eml", "/proc/self/mem"])
def test_what_cannot_be_read_is_named(place: str):
    """Exit 1 with the path and the reason."""
    done = deskbell("explain", place, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"deskbell: {place}: ")
    assert "Traceback" not in done.stderr


def test_a_moment_without_its_zone_is_a_usage_error(folder: Path):
    """A promise from an unknown hour would be a guess."""
    assert deskbell("explain", str(folder), "--now", "2026-03-06T16:00:00").returncode == 2


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A configuration of which nothing ever ran."""
    config = mailbox("help@corp.example") + 'external = "none"\n' + mailbox("hr@corp.example", department="hr")
    with Installation(tmp_path_factory.mktemp("configured"), config + '[maildir]\npath = "out"\n') as desk:
        yield desk


def test_with_a_configuration_the_rules_of_the_mailbox_apply(configured: Installation, tmp_path: Path):
    """The mailbox is the one addressed: who is ours, who is answered and which department has a plain mail."""
    for name, mail in {
        "1": letter("?", "See above.\n", to="hr@corp.example"),
        "2": letter("?", "See above.\n", sender="Eve <eve@elsewhere.example>"),
        "3": letter("?", "See above.\n", sender="Eve <eve@elsewhere.example>", to="HR+sick@corp.example"),
    }.items():
        (tmp_path / name).write_bytes(mail.raw)
    said = explained(str(tmp_path), environ={"DESKBELL_CONFIG": str(configured.config)})
    assert [one["classification"]["department"] for one in said] == ["hr", "it", "hr"]
    assert [one["acknowledge"]["rule"] for one in said] == ["own-person", "external-not-answered", "external-limited"]
    assert [path.name for path in configured.folder.iterdir()] == ["config.toml"]


def test_without_a_configuration_every_sender_is_one_of_our_own(tmp_path: Path):
    """The mail alone is judged."""
    (tmp_path / "1").write_bytes(letter(sender="Eve <eve@elsewhere.example>").raw)
    (said,) = explained(str(tmp_path))
    assert said["acknowledge"] == {
        "decision": "send",
        "rule": "own-person",
        "reason": "a person of our own domains",
    }
