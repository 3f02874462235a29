"""What the service manager hears, on a real socket; and nothing at all where there is none."""

import os
import socket
import uuid

import pytest

from service.notify import tell, watchdog_seconds


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A socket as systemd has it, and how its address is written in the environment."""
    name = f"deskbell-{uuid.uuid4()}"
    address = f"\0{name}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(address)
        wire.settimeout(5)
        yield wire, f"@{name}" if request.param == "abstract" else address


def test_the_manager_hears_each_state_as_one_datagram(manager):
    wire, address = manager
    tell("READY=1", {"NOTIFY_SOCKET": address})
    tell("WATCHDOG=1", {"NOTIFY_SOCKET": address})
    assert [wire.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]


def heard(wire):
    """All that waits to be read, and nothing is waited for."""
    wire.setblocking(False)
    try:
        return [wire.recv(1_000_000), *heard(wire)]
    except BlockingIOError:  # no mail is in hand
        return []


@pytest.mark.parametrize(
    "environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}, {"NOTIFY_SOCKET": "notify"}]
)
def test_without_a_manager_nobody_hears_anything(environ, tmp_path, monkeypatch):
    """Neither one whose address is relative (sd_notify(3)), nor that of the process where another was named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind("notify")
        tell("READY=1", environ)
        assert heard(wire) == []
        tell("READY=1")
        assert heard(wire) == [b"READY=1"]


def fill(address):
    """No datagram finds room any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        while True:
            try:
                sender.sendto(b"x", address)
            except BlockingIOError:  # no mail is in hand
                return


def test_a_manager_that_does_not_read_stops_nobody_and_hears_again_once_it_does(manager):
    wire, address = manager
    fill(wire.getsockname())
    tell("WATCHDOG=1", {"NOTIFY_SOCKET": address})
    assert set(heard(wire)) == {b"x"}
    tell("READY=1", {"NOTIFY_SOCKET": address})
    assert heard(wire) == [b"READY=1"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "17"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "18"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "٣"}, None),
    ],
)
def test_the_watchdog_is_ours_only_where_its_number_is_ours(environ, seconds):
    assert watchdog_seconds(environ, pid=17) == seconds


def test_the_environment_of_the_process_is_the_one_that_counts(manager, monkeypatch):
    wire, address = manager
    monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", address)
    tell("STOPPING=1")
    assert wire.recv(100) == b"STOPPING=1"
