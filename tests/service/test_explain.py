"""Explaining a mail: one complete object, whatever the octets."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import Mail
from service.explain import Explainer, Found, Listed, NothingToExplain, listed, mails
from service.house import UNSIGNED, Surroundings, starter_house
from service.parser import InlineParser, Parser, ParserDied

NOW = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
KEYS = {
    "file": str,
    "message_id": str | None,
    "in_reply_to": str | None,
    "references": list,
    "from": dict | None,
    "reply_to": list,
    "to": list,
    "cc": list,
    "subject": str,
    "date": str | None,
    "language": str | None,
    "text": str,
    "reply": str,
    "signature": str,
    "attachments": list,
    "defects": list,
    "automatic": dict,
    "report": list,
    "acknowledge": dict,
    "thread": dict,
    "classification": dict,
    "targets": dict,
}
INNER = {
    "automatic": {"kind", "evidence"},
    "acknowledge": {"decision", "rule", "reason"},
    "thread": {"reference", "evidence"},
    "classification": {
        *("department", "category", "priority", "score", "runner_up", "margin", "rules"),
    },
    "targets": {"first_response", "resolution"},
}
WITH_ATTACHMENT = (
    b"From: anna@corp.example\r\nTo: help@corp.example\r\nSubject: a printer\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nSee the list.\r\n"
    b"--b\r\nContent-Type: text/csv; name=list.csv\r\nContent-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n"
)
HOUSE = starter_house(Surroundings(UNSIGNED, "UTC"))


class Dying(InlineParser):
    """Each mail kills it."""

    def parse(self, _raw: bytes, **_envelope: str | None) -> Mail:
        raise ParserDied("ran out of memory")


def explain(raw: bytes, parser: Parser | None = None, now: datetime = NOW):
    return Explainer(HOUSE, parser or InlineParser(), now, configured=False).explain(Found("given", raw))


def assert_complete(said):
    assert set(said) == set(KEYS)
    for key, kind in KEYS.items():
        assert isinstance(said[key], kind), key
    for key, inner in INNER.items():
        assert set(said[key]) == inner, key


@given(st.one_of(st.binary(max_size=2_000), st.binary(max_size=300).map(lambda raw: WITH_ATTACHMENT + raw)))
def test_any_octets_give_a_complete_object_that_json_can_hold(raw):
    """Every key is there and of its kind, whatever came."""
    said = explain(raw)
    assert_complete(said)
    assert_complete(json.loads(json.dumps(said)))


def test_a_mail_that_kills_the_parser_gives_a_complete_object_that_says_so():
    """It has a defect, and no receipt would go out for want of a sender."""
    said = explain(b"anything", Dying())
    assert_complete(said)
    assert said["defects"] == ["cannot be understood: ran out of memory"]
    assert said["acknowledge"]["decision"] == "never"


def test_an_attachment_is_named_with_size_and_digest_of_its_decoded_content():
    """SHA-256 of "hello"."""
    assert explain(WITH_ATTACHMENT)["attachments"] == [
        {
            "name": "list.csv",
            "type": "text/csv",
            "size": 5,
            "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "inline": False,
        }
    ]


def test_each_rule_that_hit_is_told_with_its_score_and_its_words():
    """The verdict can be followed."""
    classification = explain(WITH_ATTACHMENT)["classification"]
    assert classification["department"] == "it"
    assert [set(rule) for rule in classification["rules"]] == [{"rule", "score", "hits"}]
    assert classification["rules"][0]["hits"] == ("subject: printer*",)


@pytest.mark.parametrize("date", ["Thu, 1 Jan 1970 00:00:00 +0000", "Fri, 31 Dec 2099 23:59:59 +0000", "nonsense"])
def test_promised_moments_count_from_now_and_never_from_the_date_of_the_mail(date):
    """Whoever wrote the Date could order a target."""
    said = explain(f"From: a@corp.example\r\nDate: {date}\r\nSubject: x\r\n\r\nx\r\n".encode())
    assert said["targets"] == {
        "first_response": "2026-03-09T12:00:00+00:00",
        "resolution": "2026-03-10T16:00:00+00:00",
    }


def test_places_are_sorted_within_each_path_and_come_in_the_order_given(tmp_path: Path):
    """Names of files are as given; the files of a folder start with the folder's name."""
    for name in ("folder/b", "folder/a", "folder/sub/c.MBOX", "z.eml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    places = listed([f"{tmp_path}/z.eml", f"{tmp_path}/folder", "-"], mbox_wanted=False)
    names = [place.name.removeprefix(f"{tmp_path}/") for place in places]
    assert names == ["z.eml", "folder/a", "folder/b", "folder/sub/c.MBOX", "-"]
    assert [place.is_mbox for place in places] == [False, False, False, True, False]
    assert all(place.is_mbox for place in listed([str(tmp_path)], mbox_wanted=True))


def test_a_path_that_is_not_there_is_named(tmp_path: Path):
    """Before anything is explained."""
    with pytest.raises(NothingToExplain, match="missing: there is no such file or folder"):
        listed([str(tmp_path), f"{tmp_path}/missing"], mbox_wanted=False)


def test_a_place_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path):
    """A folder that took the place of a file meanwhile."""
    with pytest.raises(NothingToExplain, match="gone: cannot be read: Is a directory"):
        list(mails(Listed(tmp_path, "gone", is_mbox=False)))


def test_standard_input_is_read_octet_by_octet(monkeypatch):
    """No encoding comes in between."""
    raw = bytes(range(256))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert list(mails(listed(["-"], mbox_wanted=False)[0])) == [Found("-", raw)]


def test_an_mbox_on_standard_input_is_read_mail_by_mail(monkeypatch):
    """With --mbox, as from a file."""
    box = b"From x\nSubject: 1\n\n1\n\nFrom x\nSubject: 2\n\n2\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(box)))
    found = list(mails(listed(["-"], mbox_wanted=True)[0]))
    assert [(one.file, one.raw.splitlines()[0]) for one in found] == [("-#0", b"Subject: 1"), ("-#1", b"Subject: 2")]
