"""Doors that are closed after each test, and clients that have been greeted."""

import pytest

from tests.servers.door import Running, Wire


@pytest.fixture
def doors():
    """Make running doors; each is closed and leaves no task behind."""
    running = []

    def made(**limits):
        running.append(Running(**limits))
        return running[-1]

    yield made
    for each in running:
        each.stop()


@pytest.fixture
def wires():
    """Make clients that have been greeted."""
    opened = []

    def made(port, greeting="EHLO client.example"):
        wire = Wire(port)
        opened.append(wire)
        assert wire.reply().startswith("220 mx.corp.example ")
        if greeting:
            assert wire.ask(greeting).startswith("250 ")
        return wire

    yield made
    for each in opened:
        each.close()
