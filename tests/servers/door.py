"""A running door of ours, and a client that sends octets as they are."""

import asyncio
import smtplib
import socket
import threading
from contextlib import contextmanager

from intake.listener import Door, DoorLimits

PATIENCE = 10
OURS = {"help@corp.example", "hr@corp.example", "zażółć@corp.example", "postmaster"}
ANN = "ann@corp.example"
HELP = "help@corp.example"
HR = "hr@corp.example"
MAIL = b"Subject: printer\r\n\r\nIt burns.\r\n"


class Desk:
    """Who takes the mails: keeps them, or fails for a recipient, or waits until it is let go."""

    def __init__(self):
        self.taken = []
        self.failing = {}
        self.waiting = threading.Event()
        self.hold = None

    async def take(self, envelope, raw):
        if self.hold:
            self.waiting.set()
            await self.hold.wait()
        if envelope.recipient in self.failing:
            raise self.failing[envelope.recipient]
        self.taken.append((envelope, raw))


class Running:
    """A door in a loop of its own thread."""

    def __init__(self, **limits):
        self.desk = Desk()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.door = Door(
            self.desk.take, OURS.__contains__, DoorLimits(**{"max_octets": 1_000_000, **limits}), "mx.corp.example"
        )

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def start(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def open(self, protocol):
        return self.run(self.door.open(protocol, "127.0.0.1", 0))

    def let_go(self):
        self.loop.call_soon_threadsafe(self.desk.hold.set)

    def left_over(self):
        """Tasks that are still there, asked in the loop itself."""

        async def others():
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

        return self.run(others())

    def stop(self):
        self.run(self.door.close(0))
        left = self.left_over()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()
        assert left == []


class Wire:
    """A client that sends octets as they are and reads whole replies."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")

    def send(self, octets):
        self.socket.sendall(octets)

    def reply(self):
        """The last line of the next reply, or "" at the end of the connection."""
        line = self.file.readline()
        while line[3:4] == b"-":
            line = self.file.readline()
        return line.decode().rstrip()

    def ask(self, command):
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def silent(self):
        """Whether nothing has come."""
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def close(self):
        self.file.close()
        self.socket.close()


@contextmanager
def client(port, kind=smtplib.SMTP):
    with kind("127.0.0.1", port, local_hostname="client.example", timeout=PATIENCE) as connection:
        yield connection


def within_data(wire, *recipients, sender=ANN):
    """Bring a session up to 354."""
    assert wire.ask(f"MAIL FROM:<{sender}>").startswith("250 2.")
    for recipient in recipients or (HELP,):
        assert wire.ask(f"RCPT TO:<{recipient}>").startswith("250 2.1.5")
    assert wire.ask("DATA").startswith("354 ")
    return wire


def sent(wire, body):
    within_data(wire).send(body + b".\r\n")
    return wire.reply()
