"""The key file: its form and mode, and every file that is refused rather than used or replaced."""

import base64
import os
import stat
from datetime import UTC, datetime

import pytest

from desk.token import Key, Keyring
from service.keys import TAKEN_OVER, KeyTrouble, add_key, fingerprint, make_keys, read_keys

SECRET = bytes(range(32))
LINE = f"a {base64.b64encode(SECRET).decode()}\n"
NEWER = f"b {base64.b64encode(bytes(32)).decode()}\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deskbell.key"


@pytest.fixture
def written(path):
    """Write a key file as its owner would."""

    def write(text, mode=0o600):
        path.write_bytes(text.encode("latin-1"))
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def umask():
    """Nobody asks for privacy by umask here."""
    before = os.umask(0)
    yield
    os.umask(before)


def made(path):
    return make_keys(path, lambda count: SECRET[:count])


@pytest.mark.usefixtures("umask")
def test_a_new_key_file_is_its_owners_alone_and_holds_one_named_secret(path):
    assert made(path) == Keyring((Key("a", SECRET),))
    assert path.read_text() == LINE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_made_is_read_again(path):
    assert made(path) == read_keys(path)


def test_a_key_file_that_is_there_is_never_overwritten(path):
    made(path)
    with pytest.raises(KeyTrouble, match="cannot be written: File exists"):
        make_keys(path, os.urandom)
    assert path.read_text() == LINE


def test_where_no_file_can_be_made_the_reason_is_given(tmp_path):
    with pytest.raises(KeyTrouble, match=r"no/key: cannot be written: No such file"):
        made(tmp_path / "no" / "key")


def test_several_keys_are_read_oldest_first_and_empty_lines_set_aside(written):
    keyring = read_keys(written(f"\n{LINE}\r\n  {NEWER}\n"))
    assert [key.name for key in keyring.keys] == ["a", "b"]
    assert keyring.mac("x")[0] == "b"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_key_that_others_may_touch_is_refused_with_the_way_out(written, mode):
    path = written(LINE, mode)
    with pytest.raises(KeyTrouble, match=f"chmod 600 {path}"):
        read_keys(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_its_owner_may_do_with_it_as_they_like(written, mode):
    assert read_keys(written(LINE, mode)).keys[0].secret == SECRET


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        (" \n\t\n", "holds no key"),
        ("a\n", "a line is not `name secret`"),
        (f"{LINE[:-1]} more\n", "a line is not `name secret`"),
        ("a !!!\n", "a line is not `name secret`"),
        (LINE.replace("=", ""), "a line is not `name secret`"),
        (LINE[:10] + "\xe9" + LINE[11:], "a line is not `name secret`"),
        (f"a {base64.b64encode(SECRET[:31]).decode()}\n", "32 octets of secret"),
        (LINE.replace("a ", "ab ", 1), "a one-letter name"),
        (LINE.replace("a ", "A ", 1), "a one-letter name"),
        (LINE.replace("a ", "1 ", 1), "a one-letter name"),
        (LINE + "b\n", "a line is not `name secret`"),
        (f"{LINE[:-1]} 2026-03-02T12:00:00\n", "needs a zone, such as"),
        (LINE + LINE, "two keys have the same name"),
    ],
)
def test_a_file_that_is_no_key_file_is_refused_by_name_and_never_shown(written, text, words):
    path = written(text)
    with pytest.raises(KeyTrouble, match=words) as caught:
        read_keys(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert base64.b64encode(SECRET).decode()[:12] not in str(caught.value)


def test_a_key_that_cannot_be_read_is_trouble_with_its_reason(tmp_path):
    with pytest.raises(KeyTrouble, match="cannot be read: No such file"):
        read_keys(tmp_path / "none")
    with pytest.raises(KeyTrouble, match="cannot be read: Is a directory"):
        read_keys(tmp_path)


def test_the_fingerprint_is_that_of_the_oldest_key_so_that_keys_can_be_added(written):
    alone = read_keys(written(LINE))
    assert fingerprint(alone) == fingerprint(read_keys(written(LINE + NEWER)))
    assert fingerprint(alone) != fingerprint(read_keys(written(NEWER + LINE)))


def test_the_fingerprint_never_changes_because_databases_remember_it():
    assert fingerprint(Keyring((Key("a", SECRET),))) == "3a5ff733ac8d3bb1830bff73668f902d"


NOON = datetime(2026, 3, 2, 12, 0, 0, 999, tzinfo=UTC)


def added(path, octet=b"\7"):
    return add_key(path, lambda count: octet * count, NOON)


@pytest.mark.usefixtures("umask")
def test_a_key_that_is_added_signs_and_the_others_stay_as_they_were(written):
    """The file says since when; a moment ahead, because a running daemon has not taken it over yet."""
    path = written(LINE)
    keyring = added(path)
    assert keyring == read_keys(path)
    assert [key.name for key in keyring.keys] == ["a", "b"]
    assert keyring.keys[-1].since == NOON.replace(microsecond=0) + TAKEN_OVER
    assert path.read_text().startswith(LINE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_link_to_the_key_file_stays_a_link(written, tmp_path):
    path = written(LINE)
    link = tmp_path / "link.key"
    link.symlink_to(path)
    added(link)
    assert link.is_symlink()
    assert len(read_keys(path).keys) == 2


def test_there_is_a_key_for_each_letter_and_no_more(written):
    path = written(LINE)
    for _ in range(25):
        added(path)
    assert "".join(key.name for key in read_keys(path).keys) == "abcdefghijklmnopqrstuvwxyz"
    with pytest.raises(KeyTrouble, match="26 keys, one for each letter"):
        added(path)


def test_no_two_rotations_run_at_once(written):
    """Nor does one begin where another broke off: what it left is not believed."""
    path = written(LINE)
    path.with_name("deskbell.key.new").write_text("half")
    with pytest.raises(KeyTrouble, match=r"deskbell.key.new is there: another rotation runs now, or one broke off"):
        added(path)
    assert path.read_text() == LINE


def test_a_file_that_is_no_key_file_is_not_added_to(written):
    path = written("nonsense\n")
    with pytest.raises(KeyTrouble, match="a line is not"):
        added(path)
    assert path.read_text() == "nonsense\n"
