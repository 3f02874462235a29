"""The man page: roff takes it as it is meant, and every command is in it."""

import re
import shutil
import subprocess

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cli
from service.manual import Described, page

GROFF, MANDOC = shutil.which("groff"), shutil.which("mandoc")


def leaves(words, command):
    inner = getattr(command, "commands", None)
    if not inner:
        yield words, command
    for name, one in (inner or {}).items():
        yield from leaves(f"{words} {name}", one)


COMMANDS = dict(leaves("deskbell", get_command(cli.app)))


@pytest.fixture(scope="module")
def source():
    done = CliRunner().invoke(cli.app, ["man"])
    assert done.exit_code == 0
    return done.stdout


def formatted(source):
    if GROFF is None:
        pytest.skip("not run: groff is not installed (apt-get install groff-base)")
    done = subprocess.run(
        [GROFF, "-man", "-ww", "-Tutf8", "-P-c", "-rLL=110n"], input=source, check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return re.sub(r".\x08", "", done.stdout).replace("\u2212", "-")


def test_groff_has_nothing_to_say_against_it_and_shows_every_command_with_its_options(source):
    shown = formatted(source)
    assert "\n   deskbell ledger reconcile\n" in shown
    for words, command in COMMANDS.items():
        assert f"\n   {words}\n" in shown, words
        for option in command.params:
            for name in getattr(option, "opts", [option.name]):
                assert name in shown, (words, name)


@pytest.mark.parametrize("heading", ["NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"])
def test_it_has_the_sections_that_a_page_has(source, heading):
    assert f"\n.SH {heading}\n" in source


def test_a_command_is_copied_out_of_it_as_it_is_typed(source):
    """A hyphen would come out as another sign than the minus that is typed."""
    assert "deskbell ledger list --fate quarantined" in formatted(source)
    assert not re.search(r"(?<!\\)-", source.partition("\n")[2])


@pytest.mark.skipif(MANDOC is None, reason="not run: mandoc is not installed (apt-get install mandoc)")
def test_mandoc_has_nothing_to_say_against_it(source):
    done = subprocess.run([MANDOC, "-Tlint", "-Wwarning"], input=source, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("words", [".SH no heading", "'br", r"C:\new\fB", 'says "so"', "naïve – 日本"])
def test_no_word_of_a_help_is_taken_for_a_request(words):
    plain = Described("deskbell", "rings", (), "")
    found = page(plain, [Described("deskbell x", words, [(words, words)], words)], version="1")
    shown = formatted(found)
    assert found.isascii()
    assert shown.count(words) == 4
