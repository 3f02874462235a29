"""The folder of a demo: made whole, gone on with, or refused with one sentence and left as it was."""

import socket
from pathlib import Path

import pytest

from desk.errors import UserError
from service.demo.place import NoPlace, last_demo, ready_place, remember
from service.installation import AlreadyRunning, locked


def test_a_new_folder_becomes_an_installation_with_two_mailboxes_and_both_doors(tmp_path: Path) -> None:
    place = ready_place(tmp_path / "new" / "demo")
    settings = place.settings
    assert not place.used_before
    assert [(one.address, one.mode) for one in settings.mailbox] == [
        ("help@corp.example", "full"),
        ("hr@corp.example", "full"),
    ]
    assert settings.listener.lmtp != settings.listener.smtp
    assert (place.outgoing, place.sent.is_dir()) == (place.folder / "outgoing", True)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert ready_place(tmp_path).config == tmp_path / "config.toml"


def test_the_folder_of_an_earlier_demo_goes_on_with_what_was_changed_in_it(tmp_path: Path) -> None:
    place = ready_place(tmp_path)
    changed = place.config.read_text().replace('"full"', '"receipts"')
    place.config.write_text(changed)
    again = ready_place(tmp_path)
    assert again.used_before
    assert place.config.read_text() == changed


def test_a_beginning_that_was_interrupted_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "config.toml.new").write_text("# Wri")
    ready_place(tmp_path)
    (tmp_path / "routing.toml").unlink()
    ready_place(tmp_path)
    assert (tmp_path / "routing.toml").exists()


def test_a_port_that_somebody_took_since_is_replaced(tmp_path: Path) -> None:
    before = ready_place(tmp_path).settings.listener
    with socket.create_server(("127.0.0.1", before.smtp.port)):
        after = ready_place(tmp_path).settings.listener
    assert (after.lmtp, after.smtp != before.smtp) == (before.lmtp, True)


@pytest.mark.parametrize("name", ["notes.txt", "config.toml"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("own_domains = []")
    with pytest.raises(NoPlace, match=rf"holds files that no demo made \({name}\): choose an empty or new one"):
        ready_place(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoPlace, match="is a file: choose another folder with --folder"):
        ready_place(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoPlace, match="file/inner: Not a directory: choose another folder with --folder"):
        ready_place(tmp_path / "file" / "inner")


def test_a_folder_whose_demo_still_runs_is_refused(tmp_path: Path) -> None:
    place = ready_place(tmp_path)
    with locked(place.settings), pytest.raises(AlreadyRunning, match="another deskbell serves"):
        ready_place(tmp_path)


def test_a_broken_configuration_of_an_earlier_demo_is_named(tmp_path: Path) -> None:
    place = ready_place(tmp_path)
    place.config.write_text(place.config.read_text().replace('mode = "full"', 'mode = "fool"'))
    with pytest.raises(UserError, match=r"mode.*fool"):
        ready_place(tmp_path)


def test_without_maildir_an_earlier_demo_cannot_go_on(tmp_path: Path) -> None:
    place = ready_place(tmp_path)
    changed = place.config.read_text().replace('[maildir]\npath = "outgoing"', '[smtp]\nhost = "127.0.0.1"')
    place.config.write_text(changed)
    with pytest.raises(NoPlace, match=r"has no \[maildir\] any more"):
        ready_place(tmp_path)


def test_the_last_demo_is_remembered_while_its_configuration_is_there(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert last_demo(environ) is None
    place = ready_place(tmp_path / "demo")
    remember(place, environ)
    assert last_demo(environ) == place.config
    place.config.unlink()
    assert last_demo(environ) is None


def test_a_home_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {"XDG_STATE_HOME": str(tmp_path / "file")}
    remember(ready_place(tmp_path / "demo"), environ)
    assert last_demo(environ) is None
