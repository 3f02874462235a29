"""What is said on stderr: a line for each record, whatever stands in it, and never at the price of standing still."""

import json
import logging
import os
import select
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import logs
from service.logs import QUEUE, JsonFormatter, TextFormatter
from service.settings import Log

DEADLINE = 30
NOON = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
HOSTILE = "a\nb\r\nc\x1b[2J\x00d\x7fe\x85f\u2028g\u2029h\x0bi\x0cj\tk"


def record(message, *arguments, level=logging.WARNING, error=None):
    caught = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("deskbell.test", level, __file__, 1, message, arguments, caught)
    made.created = NOON.timestamp()
    return made


def fail(words):
    raise ValueError(words)


def raised(words):
    try:
        fail(words)
    except ValueError as error:
        return error


def test_a_line_says_when_how_grave_where_and_what():
    line = TextFormatter().format(record("sent %s to %s", "<1@desk>", "anna@corp.example"))
    assert line == "2026-03-02T12:00:00.250+00:00 warning deskbell.test: sent <1@desk> to anna@corp.example"


def test_a_json_line_says_the_same():
    line = JsonFormatter().format(record("sent %s", "żółw", level=logging.INFO))
    assert json.loads(line) == {
        "time": "2026-03-02T12:00:00.250+00:00",
        "level": "info",
        "logger": "deskbell.test",
        "message": "sent żółw",
    }
    assert line.isascii()


def test_no_line_break_and_no_terminal_command_comes_through():
    line = TextFormatter().format(record("subject %s", HOSTILE))
    assert line.endswith(r"subject a\x0ab\x0d\x0ac\x1b[2J\x00d\x7fe\x85f\u2028g\u2029h\x0bi\x0cj" + "\tk")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
@given(text=st.text())
def test_any_record_is_one_line(formatter, text):
    line = formatter.format(record("%s", text))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_an_error_with_its_traceback_is_still_one_line():
    line = TextFormatter().format(record("failed", error=raised(HOSTILE)))
    assert len(line.splitlines()) == 1
    assert "failed | Traceback (most recent call last): | " in line
    assert "ValueError: a | b" in line


def test_an_error_in_json_keeps_its_traceback_as_it_is():
    line = json.loads(JsonFormatter().format(record("failed", error=raised("a\nb"))))
    assert line["message"] == "failed"
    assert line["exception"].endswith("ValueError: a\nb")


class Pipe:
    """A pipe as stderr, and the end that somebody reads or does not."""

    def __init__(self):
        self._end, outside = os.pipe()
        self._heard = True
        self.stderr = os.fdopen(outside, "w", encoding="utf-8")
        self._read = b""

    def line(self):
        """The next line, within the deadline."""
        while b"\n" not in self._read:
            assert select.select([self._end], [], [], DEADLINE)[0], "no line came"
            self._read += os.read(self._end, 65_536)
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def hang_up(self):
        """Nobody will ever read it."""
        if self._heard:
            os.close(self._end)
        self._heard = False

    def replace(self):
        """What could not be written can be, so that the stream's end is an orderly one."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.stderr.fileno())
        os.close(null)


@pytest.fixture
def pipe(monkeypatch):
    """The lines go into a pipe."""
    pipe = Pipe()
    monkeypatch.setattr(logs, "sys", pipe)
    yield pipe
    pipe.replace()
    pipe.stderr.close()
    pipe.hang_up()


@pytest.fixture
def begun():
    """Begin to log; afterwards everything is as before."""
    root, own = logging.getLogger(), logging.getLogger("deskbell")
    levels, handlers = (root.level, own.level), []

    def begin(**known):
        handlers.append(logs.begin(Log(**known)))
        return handlers[-1]

    yield begin
    for handler in handlers:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def test_our_lines_go_out_from_the_level_on_and_those_of_libraries_from_warning_on(begun, pipe):
    handler = begun(level="info", format="text")
    for name in ("deskbell.test", "library"):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(level, "said")
    handler.close()
    said = [pipe.line().split(maxsplit=1)[1] for _ in range(3)]
    assert said == ["info deskbell.test: said", "warning deskbell.test: said", "warning library: said"]


def test_each_format_can_be_chosen(begun, pipe):
    begun(format="json").close()
    logging.getLogger("deskbell.test").info("not said any more")
    handler = begun(format="json")
    logging.getLogger("deskbell.test").info("said")
    handler.close()
    assert json.loads(pipe.line())["message"] == "said"


def test_lines_come_out_in_order_and_none_is_missing_at_the_end(begun, pipe):
    handler = begun()
    log = logging.getLogger("deskbell.test")
    for number in range(100):
        log.info("%d", number)
    handler.close()
    assert [int(pipe.line().rsplit(maxsplit=1)[1]) for _ in range(100)] == list(range(100))


def test_a_pipe_that_nobody_reads_stops_nobody_and_what_was_lost_is_counted(begun, pipe):
    begun()
    log, total = logging.getLogger("deskbell.test"), QUEUE + 3_000
    for number in range(total):
        log.info("%d %s", number, "x" * 200)
    read, dropped = 0, 0
    while read + dropped < total:
        line = pipe.line()
        if line.endswith("log lines were dropped: stderr was not read"):
            dropped += int(line.split()[0])
        else:
            read += 1
    assert (read + dropped, read >= QUEUE) == (total, True)
    assert dropped > 0
    log.info("heard again")
    assert pipe.line().endswith("heard again")


def test_whoever_reads_stderr_may_go_away(begun, pipe):
    handler = begun()
    pipe.hang_up()
    for number in range(100):
        logging.getLogger("deskbell.test").info("%d", number)
    handler._thread.join(DEADLINE)
    assert not handler._thread.is_alive()
    logging.getLogger("deskbell.test").info("nobody hears it")


def test_several_threads_may_log_at_once_and_no_two_lines_are_mixed(begun, pipe):
    handler = begun()

    def say(name):
        for _ in range(50):
            logging.getLogger("deskbell.test").info("%s", name * 50)

    threads = [threading.Thread(target=say, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    handler.close()
    said = sorted(pipe.line().split()[-1] for _ in range(200))
    assert said == sorted(name * 50 for name in "abcd" for _ in range(50))
