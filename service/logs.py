"""What the daemon says on stderr: text or JSON, a line for each event, and never at the price of standing still.

A pipe that nobody reads is full after 64 kB and would freeze whoever writes to it. So lines go through a bounded queue
to a thread of their own; what does not fit is dropped and counted.
"""

import contextlib
import json
import logging
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import Literal

from service.settings import Log

QUEUE = 10_000
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160)) if code != ord("\t")}
_ESCAPES |= {0x2028: "\\u2028", 0x2029: "\\u2029"}


class TextFormatter(logging.Formatter):
    """Time, level, where, what: one line, whatever stands in a subject (no forged lines, no terminal commands)."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{when} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        if record.exc_info:
            line = f"{line} | {self.formatException(record.exc_info)}".replace("\n", " | ")
        return line.translate(_ESCAPES)


class JsonFormatter(logging.Formatter):
    """The same as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class LineThread(logging.Handler):
    """Hands lines to a thread that writes them to stderr; never waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line, or count it as dropped."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:  # nobody reads stderr: mail goes on, the line is lost
            self._dropped += 1

    def close(self) -> None:
        """Write what is queued if stderr takes it within a second."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:  # as above
            return
        self._thread.join(timeout=1.0)
        super().close()

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # whoever read stderr is gone: mail goes on, the lines are lost
            while (line := self._lines.get()) is not None:
                say(line)
                if self._dropped:
                    dropped, self._dropped = self._dropped, 0
                    say(f"{dropped} log lines were dropped: stderr was not read")


def say(line: str) -> None:
    """Write a line to stderr in one piece: print would write its end apart, behind another thread's line."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def begin(settings: Log) -> LineThread:
    """Lines of our loggers from that level on go to stderr from now on."""
    handler = LineThread()
    formats: dict[Literal["text", "json"], logging.Formatter] = {"text": TextFormatter(), "json": JsonFormatter()}
    handler.setFormatter(formats[settings.format])
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("deskbell").setLevel(settings.level.upper())
    return handler
