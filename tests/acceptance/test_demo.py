"""The first minute as somebody has it: `deskbell demo`, then `deskbell send` and `deskbell read` beside it."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.dovecot import until
from tests.servers.installation import COMMAND, _environ, deskbell
from tests.servers.letters import read

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SECONDS = 60
README = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass
class Demo:
    """A running demo, its folder, and how commands beside it are called."""

    folder: Path
    process: subprocess.Popen[bytes]
    told: Path
    talk: Path
    state: dict[str, str]

    @property
    def said(self) -> str:
        return self.told.read_text(encoding="utf-8")

    def beside(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        """A command in another terminal of the same user, from another folder."""
        return deskbell(*arguments, environ=self.state, stdin=stdin, cwd=Path("/"))

    def ends_after(self, *numbers: signal.Signals) -> int:
        for number in numbers:
            self.process.send_signal(number)
        return self.process.wait(SECONDS)


def begun(tmp_path: Path) -> Demo:
    folder, told, talk = tmp_path / "a morning", tmp_path / "told", tmp_path / "talk"
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with told.open("wb") as out, talk.open("wb") as err:
        command = [str(COMMAND), "demo", "--folder", str(folder)]
        process = subprocess.Popen(command, stdout=out, stderr=err, env=_environ(state))
    return Demo(folder, process, told, talk, state)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that has played its morning and waits."""
    one = begun(tmp_path_factory.mktemp("demo"))
    until(lambda: "Ctrl-C ends it" in one.said, seconds=SECONDS)
    yield one
    one.process.terminate()
    one.process.wait(SECONDS)


def pasted(demo: Demo, words: str) -> subprocess.CompletedProcess[str]:
    """The printed command that contains these words, run by a shell as it stands."""
    (line,) = [line.strip() for line in demo.said.splitlines() if words in line and line.startswith("    /")]
    return subprocess.run(line, shell=True, capture_output=True, text=True, env=_environ(None), cwd="/", check=False)


def test_each_mail_of_the_morning_is_told_with_what_became_of_it(demo: Demo) -> None:
    mails = [line for line in re.split(r"\n(?= ?\d+  )|\n\n", demo.said) if re.match(r" ?\d+  ", line)]
    wanted = [
        r"Emma Clarke to help@.*\n.*R-1001, for IT support\. Receipt in English: an answer by .*CES?T.*solved by ",
        r"Zofia Wiśniewska to hr@.*\n.*R-1002, for Payroll\. Receipt in Polish",
        r"Luca Ferrari to hr@.*\n.*R-1003, for Human resources\. Receipt in Italian",
        r"ليلى حسن to help@.*\n.*R-1004, for Facilities\. Receipt in Arabic: .*\(UTC\+4\)",
        r"Emma Clarke.*\n.*Added to R-1001 \(about our receipt\)\. IT support is told; no second receipt\.",
        r"Luca Ferrari.*\n.*Kept with R-1003 .*Silence, because a machine wrote it: auto-reply",
        r"Ben Okafor.*\n.*Added to R-1001 .* as the answer of IT support",
        r"Mail Delivery System.*\n.*Kept with R-1004 .*Silence, because a machine wrote it: bounce",
        r"田中 美咲 to help@ and hr@.*\n.*R-1005, .*Receipt in Japanese: .*\(UTC\+9\)",
        r"Emma Clarke.*\n.*Added to R-1001 .*no second receipt",
    ]
    assert len(mails) == len(wanted)
    for mail, pattern in zip(mails, wanted, strict=True):
        assert re.search(pattern, mail), mail


def test_the_readme_shows_what_the_demo_says(demo: Demo) -> None:
    block = re.findall(r"```\n(\$ \./demo\n.*?)```", README, re.DOTALL)[0]
    shown = [line for line in dateless(block).splitlines() if line and not re.match(r"\$|demo:|deskbell:|\.\.\.", line)]
    assert len(shown) > 8
    said = dateless(demo.said).splitlines()
    assert [line for line in shown if line not in said] == []


def test_the_commands_of_the_readme_give_what_it_shows(demo: Demo) -> None:
    block = re.findall(r"```\n(\$ \.venv/bin/deskbell send.*?)```", README, re.DOTALL)[0]
    typed = re.findall(r"^\$ \.venv/bin/deskbell (.*)$", block, re.MULTILINE)
    done = [demo.beside(*shlex.split(words)) for words in typed]
    assert [one.returncode for one in done] == [0, 0], done
    said = dateless("".join(one.stdout for one in done)).splitlines()
    shown = [line for line in dateless(block).splitlines() if not re.match(r"\$|deskbell:|\.\.\.", line)]
    assert [line for line in shown if line not in said] == []


def dateless(text: str) -> str:
    """Without what differs from one day to the next: the moments, and the numbers of later requests."""
    moments = re.sub(r"an answer by .*? \(CES?T\), solved by .*? \(CES?T\)", "MOMENTS", text)
    return re.sub(r"R-100[6-9]|R-10[1-9]\d", "R-NEW", moments)


def test_what_is_told_stands_in_the_ledger(demo: Demo) -> None:
    done = demo.beside("ledger", "list", "--json", "--config", str(demo.folder / "config.toml"))
    lines = json.loads(done.stdout)[:11]
    assert [(line["fate"], line["reference"]) for line in lines][:8] == [
        ("opened", "R-1001"),
        ("opened", "R-1002"),
        ("opened", "R-1003"),
        ("opened", "R-1004"),
        ("appended", "R-1001"),
        ("absorbed", "R-1003"),
        ("appended", "R-1001"),
        ("absorbed", "R-1004"),
    ]
    assert (lines[-1]["fate"], lines[-1]["reference"]) == ("appended", "R-1001")


def test_the_mails_of_the_morning_lie_in_the_folder_as_files(demo: Demo) -> None:
    files = sorted((demo.folder / "sent").iterdir())
    assert [file.name for file in files][:2] == ["01-laptop.eml", "02-payslip.eml"]
    reply = read((demo.folder / "sent" / "05-reply.eml").read_bytes())
    receipts = [read(path.read_bytes()) for path in demo.folder.glob("outgoing/emma.clarke@*/new/*")]
    assert reply["In-Reply-To"] in [receipt["Message-ID"] for receipt in receipts]


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        ("requests show R-1001", "three orange blinks"),
        ("ledger show", "absorbed"),
        ("explain", "department facilities"),
        ("deskbell send", "for IT support. Receipt in English"),
        ("deskbell read", "From: IT support <help@corp.example>"),
    ],
)
def test_every_printed_command_works_as_it_stands(demo: Demo, words: str, shows: str) -> None:
    done = pasted(demo, words)
    assert (done.returncode, shows in done.stdout) == (0, True), done


def test_what_is_sent_in_any_language_is_answered_and_can_be_read(demo: Demo) -> None:
    sent = demo.beside("send", "La stampante non funziona da stamattina", "--from", "gina@corp.example")
    assert re.match(r"R-\d+, for IT support\. Receipt in Italian", sent.stdout), sent
    assert f"using {demo.folder}/config.toml" in sent.stderr
    receipt = demo.beside("read", "gina@corp.example")
    assert receipt.returncode == 0
    assert receipt.stdout.startswith(
        "From: Supporto informatico <help@corp.example>\nTo: gina@corp.example\nSubject: Re: "
    )
    assert sent.stdout.partition(",")[0] in receipt.stdout


def test_a_mail_from_stdin_goes_to_each_mailbox_that_is_named(demo: Demo) -> None:
    words = ("send", "-", "--to", "help@corp.example", "--to", "hr@corp.example", "--json")
    done = demo.beside(*words, stdin="Moja umowa o pracę\n".encode())
    assert [one["mailbox"] for one in json.loads(done.stdout)] == ["help@corp.example", "hr@corp.example"]


def test_a_file_that_was_sent_before_is_a_duplicate(demo: Demo) -> None:
    done = demo.beside("send", str(demo.folder / "sent" / "02-payslip.eml"))
    assert done.stdout == (
        "At hr@corp.example: the same mail came before (arrival 2). Nothing more is done, no second receipt.\n"
    )


def test_all_mails_for_an_address_are_listed_newest_first(demo: Demo) -> None:
    listed = json.loads(demo.beside("read", "it-team@corp.example", "--all", "--json").stdout)
    assert listed[-1]["subject"] == "[R-1001] My laptop does not start"
    newest = json.loads(demo.beside("read", "it-team@corp.example", "--json").stdout)
    assert newest == listed[0]
    assert "[R-1001] My laptop does not start" in demo.beside("read", "it-team@corp.example", "--all").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("send", "x", "--to", "nobody@corp.example"), 2, "accepted: help@corp.example, hr@corp.example"),
        (("send", "x", "--from", "nonsense"), 2, "--from: 'nonsense' is no address"),
        (("send", "missing.eml"), 2, "missing.eml: No such file or directory"),
        (("send", "x", "--config", "/nowhere/config.toml"), 2, "/nowhere/config.toml: cannot be read"),
        (("read", "nobody@corp.example"), 1, "nothing was written for nobody@corp.example: there is mail for "),
        (("demo", "--folder", "/dev/null"), 1, "/dev/null is a file: choose another folder"),
    ],
)
def test_bad_input_gets_one_sentence(demo: Demo, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = demo.beside(*arguments)
    said = [line for line in done.stderr.splitlines() if not line.startswith("deskbell: using ")]
    assert (done.returncode, done.stdout, len(said)) == (code, "", 1), done
    assert words in said[0]


def test_a_second_demo_in_the_same_folder_is_refused_while_the_first_runs(demo: Demo) -> None:
    done = demo.beside("demo", "--folder", str(demo.folder), "--no-wait")
    assert (done.returncode, done.stdout) == (1, "")
    assert "another deskbell serves" in done.stderr


def test_without_any_demo_or_configuration_it_says_how_to_begin(tmp_path: Path) -> None:
    done = deskbell("read", "anna@corp.example", environ={"XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "begin with `deskbell demo`" in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("read", "anna@corp.example"), 1, "sends by [smtp]: what was written is in the recipient's own mailbox"),
        (("send", "x"), 1, "has no [listener], so no mail can be handed in: send it to the mailbox instead"),
    ],
)
def test_an_installation_without_folders_and_doors_is_told_so(tmp_path: Path, command, code: int, words: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[mailbox]]\naddress = "help@corp.example"\n[smtp]\nhost = "mail.corp.example"\n')
    done = deskbell(*command, "--config", str(config))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"deskbell: {config}: {words}\n")


def test_it_ends_by_itself_and_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    first = deskbell("demo", "--no-wait", "--folder", str(tmp_path / "demo"), environ=environ)
    again = deskbell("demo", "--no-wait", "--folder", str(tmp_path / "demo"), environ=environ)
    assert (first.returncode, again.returncode) == (0, 0), again
    assert "R-1001, for IT support" in first.stdout
    assert "R-1006, for IT support" in again.stdout
    assert "going on with an earlier demo" in again.stderr
    refused = deskbell("send", "x", environ=environ)
    assert (refused.returncode, "nobody answers at SMTP 127.0.0.1:" in refused.stderr) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_after_the_morning_ends_it_and_everything_stays_readable(tmp_path: Path, number) -> None:
    demo = begun(tmp_path)
    until(lambda: "Ctrl-C ends it" in demo.said, seconds=SECONDS)
    assert demo.ends_after(number, number) == 0
    assert "stopped; to go on: " in demo.talk.read_text()
    assert not (demo.folder / "deskbell.db-wal").exists()
    shown = deskbell("requests", "show", "R-1001", "--config", str(demo.folder / "config.toml"))
    assert (shown.returncode, "three orange blinks" in shown.stdout) == (0, True)
    assert read(next(demo.folder.glob("outgoing/layla.hassan@*/new/*")).read_bytes())["To"]


def test_a_signal_before_the_morning_is_over_is_one_sentence(tmp_path: Path) -> None:
    demo = begun(tmp_path)
    until(lambda: "starting deskbell" in demo.talk.read_text(), seconds=SECONDS)
    assert demo.ends_after(signal.SIGINT, signal.SIGTERM, signal.SIGINT) == 1
    assert demo.talk.read_text().splitlines()[1:] == [
        "deskbell: stopped before the morning was over; it can be played again in the same folder"
    ]


def test_where_nobody_reads_what_it_says_it_ends_without_complaint(tmp_path: Path) -> None:
    command = f"{shlex.quote(str(COMMAND))} demo --no-wait --folder {tmp_path}/demo | head -n 1"
    environ = _environ({"XDG_STATE_HOME": str(tmp_path)})
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environ, check=False)
    assert done.stdout.startswith(" 1  Emma Clarke")
    assert [line for line in done.stderr.splitlines() if "starting deskbell" not in line] == []


def test_the_script_sets_up_a_fresh_checkout_and_is_quick_the_second_time(tmp_path: Path) -> None:
    checkout = tmp_path / "deskbell"
    left_out = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    first = scripted(checkout)
    assert first.returncode == 0, first.stderr
    assert "making .venv with" in first.stderr
    assert "R-1005" in first.stdout
    assert (checkout / "var" / "demo" / "config.toml").is_file()
    again = scripted(checkout, "--folder", str(tmp_path / "elsewhere"))
    assert (again.returncode, [line for line in again.stderr.splitlines() if line.startswith("demo:")]) == (0, [])
    assert (tmp_path / "elsewhere" / "deskbell.db").is_file()


def scripted(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or name.startswith("PIP_")}
    environ = {**kept, "LANG": "C.UTF-8", "XDG_STATE_HOME": str(checkout.parent / "state")}
    command = [str(checkout / "demo"), "--no-wait", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, cwd="/", check=False)
