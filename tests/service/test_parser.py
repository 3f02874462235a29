"""A mail may kill its child; it may never cost another mail, or give it a wrong answer."""

import os
import pickle
import select
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk.mail import Address, Attachment, Automatic, AutomaticKind, Mail, ReportedRecipient
from intake import worker
from service import parse_child
from service.parser import InlineParser, Parser, ParserDied, ParserLimits, ParserProcess, ParserUnavailable

# A worker that speaks the real protocol under the real limits and does to itself what the mail says.
WORKER = """
import os, pickle, signal, sys
from desk.mail import Mail
from intake import worker

def deep():
    deep()

def parse(raw, *, envelope_sender):
    match raw:
        case b"exit": os._exit(3)
        case b"loop":
            while True: pass
        case b"hang": signal.pause()
        case b"memory": bytearray(1 << 40)
        case b"deep": deep()
        case b"signal": os.kill(os.getpid(), signal.SIGSEGV)
        case b"raise": raise ValueError("secret words of the mail")
        case b"print": print("noise on stdout")
        case b"stop": os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGINT)
        case b"other": return "no mail"
        case b"secret": return Mail(subject=os.environ.get("DESKBELL_TEST_SECRET", "nothing"))
        case b"evil": return Evil()
        case b"pid": return Mail(subject=str(os.getpid()))
    return Mail(subject=raw[:40].decode("latin-1"), text=repr(envelope_sender), thread_topic=str(len(raw)))

class Evil:
    def __reduce__(self):
        return (os.system, ("true",))

worker.main(parse)
"""
LIMITS = ParserLimits(cpu=timedelta(seconds=0.3), wall=timedelta(seconds=20))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mortal_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(tmp_path)
    return "mortal_worker"


@pytest.fixture
def process(module: str) -> Iterator[ParserProcess]:
    with ParserProcess(LIMITS, module=module) as process:
        yield process


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (b"exit", "ended with status 3"),
        (b"loop", "used more than 0.3 s of CPU time"),
        (b"memory", "ran out of memory"),
        (b"deep", "nested too deeply"),
        (b"signal", "killed by SIGSEGV"),
        (b"raise", "ended with status 1"),
        (b"other", "the parse worker answered with something else than a mail"),
        (b"evil", "the parse worker answered with something else than a mail"),
    ],
)
def test_a_mail_that_kills_the_child_is_named_with_the_reason_and_the_next_is_parsed(process, poison, reason):
    with pytest.raises(ParserDied) as died:
        process.parse(poison, envelope_sender=None)
    assert str(died.value) == reason
    assert process.parse(b"next", envelope_sender=None).subject == "next"


def test_a_mail_on_which_the_child_sleeps_is_ended_by_the_time_on_the_wall(module):
    with ParserProcess(ParserLimits(wall=timedelta(seconds=0.2)), module=module) as process:
        with pytest.raises(ParserDied, match=r"^took longer than 0\.2 s$"):
            process.parse(b"hang", envelope_sender=None)
        assert process.parse(b"next", envelope_sender=None).subject == "next"


def test_a_poison_mail_in_a_batch_costs_only_its_own_place(process):
    batch = [(b"one", None), (b"exit", None), (b"two", None), (b"memory", None), (b"three", None)]
    outcomes = [
        str(answer) if isinstance(answer, ParserDied) else answer.subject for answer in process.parse_batch(batch)
    ]
    assert outcomes == ["one", "ended with status 3", "two", "ran out of memory", "three"]


@pytest.mark.parametrize("sender", [None, "", "alice@corp.example", 'od"d\n\udc80@corp.example'])
def test_the_envelope_sender_arrives_as_it_is(process, sender):
    assert process.parse(b"mail", envelope_sender=sender).text == repr(sender)


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_a_mail_of_any_size_passes_the_pipes_whole(process, size):
    assert process.parse(b"x" * size, envelope_sender=None).thread_topic == str(size)


def test_the_same_child_parses_one_mail_after_the_other(process):
    pids = {process.parse(b"pid", envelope_sender=None).subject for _ in range(3)}
    assert len(pids) == 1


def test_what_parsing_prints_does_not_disturb_the_answer(process):
    assert process.parse(b"print", envelope_sender=None).subject == "print"


def test_a_stop_signal_to_the_whole_group_does_not_look_like_a_poison_mail(process):
    assert process.parse(b"stop", envelope_sender=None).subject == "stop"


def test_the_words_of_a_mail_do_not_reach_stderr(process, capfd):
    with pytest.raises(ParserDied):
        process.parse(b"raise", envelope_sender=None)
    told = capfd.readouterr().err
    assert "ValueError" in told
    assert "secret words" not in told


def test_the_environment_with_its_passwords_stays_out_of_the_child(process, monkeypatch):
    monkeypatch.setenv("DESKBELL_TEST_SECRET", "hunter2")
    assert process.parse(b"secret", envelope_sender=None).subject == "nothing"


def test_a_child_that_died_between_two_mails_costs_no_mail(process):
    pid = int(process.parse(b"pid", envelope_sender=None).subject)
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert process.parse(b"next", envelope_sender=None).subject == "next"


def test_an_interrupted_call_cannot_give_its_answer_to_the_next_mail(process, monkeypatch):
    process.start()
    with monkeypatch.context() as interrupted:
        interrupted.setattr(parse_child.Child, "_answers", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            process.parse(b"first", envelope_sender=None)
    assert process.parse(b"second", envelope_sender=None).subject == "second"


def _interrupt(*_arguments: object) -> bytes:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("count", "octets"), [(2, 10), (30, 100_000), (5, 400_000)])
def test_mails_that_are_asked_about_at_once_are_answered_in_order_by_one_child(process, count, octets):
    batch = [(b"%03d " % number + b"x" * octets, None) for number in range(count)]
    answers = process.parse_batch([(b"pid", None), *batch, (b"pid", None)])
    assert [answer.subject[:4] for answer in answers[1:-1]] == [f"{number:03d} " for number in range(count)]
    assert answers[0].subject == answers[-1].subject


def test_many_large_questions_and_many_large_answers_do_not_wait_for_each_other(process):
    """Each is larger than a pipe holds."""
    senders = [f"{number} {'a' * 200_000}" for number in range(8)]
    answers = process.parse_batch([(b"mail", sender) for sender in senders])
    assert [answer.text for answer in answers] == [repr(sender) for sender in senders]


def test_a_child_that_cannot_start_is_no_mails_fault():
    with (
        ParserProcess(LIMITS, module="no_such_worker") as process,
        pytest.raises(ParserUnavailable, match=r"status 1$"),
    ):
        process.parse(b"mail", envelope_sender=None)


def test_close_leaves_no_child_behind(module):
    process = ParserProcess(LIMITS, module=module)
    pid = int(process.parse(b"pid", envelope_sender=None).subject)
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_close_without_a_child_is_nothing():
    parser = ParserProcess()
    parser.close()
    with parser:
        assert parser.parse(b"Subject: after\n\nx", envelope_sender=None).subject == "after"


def test_the_child_ends_when_its_asker_is_gone(module):
    asker = (
        "import sys; sys.path[:] = eval(sys.argv[1])\n"
        "from service.parser import ParserProcess\n"
        f"print(ParserProcess(module={module!r}).parse(b'pid', envelope_sender=None).subject, flush=True)\n"
        "import os; os._exit(0)"
    )
    asked = subprocess.run([sys.executable, "-c", asker, repr(sys.path)], capture_output=True, text=True, check=True)
    _wait_until_gone(int(asked.stdout))


def _wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    gone = ended.poll(10_000)
    os.close(descriptor)
    assert gone


FULL = Mail(
    message_id="<a@b>",
    sender=Address("Alice", "alice@corp.example"),
    reply_to=(Address("", "x@corp.example"),),
    date=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    attachments=(Attachment("a.png", "image/png", 1, "00", inline=True),),
    automatic=Automatic(AutomaticKind.BOUNCE, ("why",)),
    report=(ReportedRecipient("a@b", "failed", "5.1.1", permanent=True, original_message_id=None),),
    headers=(("subject", "x"),),
)


def test_every_value_a_mail_can_hold_comes_back_equal():
    assert parse_child.mail_of(worker._pickled(FULL)) == FULL


def test_the_answer_can_be_read_where_python_pickles_enumerations_as_a_call_of_getattr(monkeypatch):
    monkeypatch.setattr(AutomaticKind, "__reduce_ex__", lambda kind, _: (getattr, (AutomaticKind, kind.name)))
    with pytest.raises(ParserDied):
        parse_child.mail_of(pickle.dumps(FULL))
    assert parse_child.mail_of(worker._pickled(FULL)) == FULL


def test_an_answer_that_is_no_pickle_is_refused():
    with pytest.raises(ParserDied):
        parse_child.mail_of(b"garbage")


MAIL = b"From: Alice <alice@corp.example>\nSubject: Chair\nMessage-ID: <1@corp.example>\n\nA new one, please.\n"


@pytest.mark.parametrize("make", [InlineParser, ParserProcess])
def test_the_real_parser_is_reached_either_way(make: type[Parser], tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with make() as real:
        mail, again = real.parse_batch([(MAIL, None), (MAIL, "alice@corp.example")])
    assert mail == again
    assert isinstance(mail, Mail)
    assert (mail.subject, mail.message_id, mail.automatic.kind) == ("Chair", "<1@corp.example>", AutomaticKind.PERSON)


@pytest.mark.parametrize(
    ("error", "reason"), [(RecursionError, "nested too deeply"), (MemoryError, "ran out of memory")]
)
def test_inline_too_a_mail_that_exhausts_the_parser_is_named(monkeypatch, error, reason):
    def exhausted(_raw: bytes, *, envelope_sender: str | None) -> Mail:
        raise error(envelope_sender)

    monkeypatch.setattr("intake.parse.parse", exhausted)
    with pytest.raises(ParserDied, match=reason):
        InlineParser().parse(MAIL, envelope_sender=None)
