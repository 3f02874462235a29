"""deskbell under a service manager: ready, alive, stopping; and the unit it prints for it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.servers.installation import PATIENCE, Installation, mailbox

pytestmark = pytest.mark.slow

CONFIG = mailbox("help@corp.example") + '[maildir]\npath = "outgoing"\n'


def test_the_manager_hears_that_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path):
    """READY only once, WATCHDOG again and again, STOPPING before the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire, Installation(tmp_path, CONFIG) as desk:
        wire.bind(str(tmp_path / "notify"))
        wire.settimeout(PATIENCE)
        desk.launch(environ={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"})
        assert [wire.recv(100) for _ in range(4)] == [b"READY=1", *[b"WATCHDOG=1"] * 3]
        assert desk.stop() == 0
        heard = [wire.recv(100)]
        while heard[-1] != b"STOPPING=1":
            heard.append(wire.recv(100))
        assert set(heard[:-1]) <= {b"WATCHDOG=1"}


def test_signals_that_interrupt_one_another_block_nothing(tmp_path: Path):
    """Each comes while the daemon is about the one before, whatever it holds at that moment."""
    for number in range(3):
        with Installation(tmp_path, CONFIG) as desk:
            desk.start()
            for _ in range(200):
                os.kill(desk.pid, signal.SIGHUP)
            assert desk.stop() == 0, f"start {number}"


def test_the_unit_is_for_this_installation(tmp_path: Path):
    """The program that was called, and the configuration that it found."""
    with Installation(tmp_path, CONFIG) as desk:
        done = desk.deskbell("systemd", "--user", "mail")
        refused = desk.deskbell("systemd", "--user", "eve\nExecStart=/bin/sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"/deskbell run --config {desk.config}\nUser=mail\n" in done.stdout
    assert (refused.returncode, refused.stdout) == (2, "")
