"""The files of an installation appear together or not at all, and nothing that exists is touched."""

from pathlib import Path

import pytest

from service import setup_write
from service.setup_write import ROOM, AlreadyThere, NoRoom, establish

FILES = {"a.password": "secret\n", "routing.toml": "rules\n", "config.toml": "config\n"}


class Broken(Exception):
    """Whatever can go wrong."""


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def nothing(_config: Path) -> None:
    pass


def test_each_file_is_there_for_its_owner_alone_and_the_configuration_came_last(tmp_path):
    placed = establish(tmp_path / "deep" / "desk", FILES, nothing)
    assert everything(tmp_path / "deep" / "desk") == FILES
    assert {path.stat().st_mode & 0o777 for path in placed} == {0o600}
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700
    assert placed[-1].name == "config.toml"


def test_what_is_made_beside_the_configuration_comes_along_but_no_journal(tmp_path):
    def prepare(config: Path) -> None:
        for name in ("deskbell.db", "deskbell.db-wal", "deskbell.db-shm", "deskbell.db.lock"):
            (config.parent / name).write_text(name)

    establish(tmp_path / "desk", FILES, prepare)
    assert everything(tmp_path / "desk") == FILES | {"deskbell.db": "deskbell.db"}


@pytest.mark.parametrize("name", [*FILES, "deskbell.db", "deskbell.key"])
def test_an_existing_file_is_named_and_stays_as_it_is(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(AlreadyThere, match=str(tmp_path / name)):
        establish(tmp_path, FILES, nothing)
    assert everything(tmp_path) == {name: "mine"}


def test_a_dangling_link_counts_as_there(tmp_path):
    (tmp_path / "config.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AlreadyThere):
        establish(tmp_path, FILES, nothing)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("fault", [Broken, KeyboardInterrupt, OSError])
def test_a_failure_leaves_nothing_not_even_the_folder(tmp_path, fault):
    def prepare(_config: Path) -> None:
        raise fault

    with pytest.raises(fault):
        establish(tmp_path / "deep" / "desk", FILES, prepare)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_a_folder_that_was_there_as_it_was(tmp_path):
    (tmp_path / "notes").write_text("mine")

    def prepare(_config: Path) -> None:
        raise Broken

    with pytest.raises(Broken):
        establish(tmp_path, FILES, prepare)
    assert everything(tmp_path) == {"notes": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_appears_meanwhile_is_not_replaced_and_the_others_go(tmp_path, name):
    """Somebody else set it up in the same second."""

    def prepare(_config: Path) -> None:
        (tmp_path / name).write_text("theirs")

    with pytest.raises(AlreadyThere, match=str(tmp_path / name)):
        establish(tmp_path, FILES, prepare)
    assert everything(tmp_path) == {name: "theirs"}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_disk_that_is_full_half_way_leaves_nothing(tmp_path, monkeypatch):
    def full(_path: Path, text: str) -> None:
        if text == FILES["config.toml"]:
            raise OSError(28, "No space left on device")
        _written(_path, text)

    _written = setup_write._write
    monkeypatch.setattr(setup_write, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        establish(tmp_path / "desk", FILES, nothing)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_with_hardly_any_room_is_refused_in_words_and_left_as_it_was(tmp_path, monkeypatch):
    nearly = setup_write.shutil.disk_usage(tmp_path)._replace(free=ROOM - 1)
    monkeypatch.setattr(setup_write.shutil, "disk_usage", lambda _folder: nearly)
    with pytest.raises(NoRoom, match=r"desk: 19 MB free on this disk; accepted: 20 MB or more"):
        establish(tmp_path / "desk", FILES, nothing)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused_and_left_alone(tmp_path):
    (tmp_path / "desk").write_text("mine")
    with pytest.raises(NoRoom, match="desk: is no folder"):
        establish(tmp_path / "desk", FILES, nothing)
    assert everything(tmp_path) == {"desk": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["desk"]
