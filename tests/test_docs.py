"""The README is tested: every command and setting stands in it, and its links lead somewhere."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from service.notation import Section, section_in
from service.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def commands() -> dict[str, object]:
    """Every command by the words that are typed, such as "deskbell requests list"."""
    import cli

    return dict(leaves("deskbell", get_command(cli.app)))


def leaves(words: str, command):
    inner = getattr(command, "commands", None)
    if not inner:
        yield words, command
        return
    for name, one in inner.items():
        if not one.hidden:
            yield from leaves(f"{words} {name}", one)


def keys(section: type[Section]):
    """Every table as its header, and every plain setting as its name."""
    for name, field in section.model_fields.items():
        inner = section_in(field)
        yield name
        yield from keys(inner) if inner else ()


def test_every_command_stands_in_the_readme(readme: str, commands: dict[str, object]) -> None:
    missing = [words for words in commands if not re.search(rf"\b{re.escape(words)}\b", readme)]
    assert commands
    assert not missing, missing


def test_the_readme_names_no_command_that_does_not_exist(readme: str, commands: dict[str, object]) -> None:
    """A line of a code block that starts with deskbell is a command line."""
    lines = [line.strip() for block in re.findall(r"```.*?```", readme, re.DOTALL) for line in block.splitlines()]
    typed = [line.removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
    unknown = [
        line
        for line in typed
        if re.match(r"deskbell [a-z]", line) and not any(f"{line} ".startswith(f"{words} ") for words in commands)
    ]
    assert not unknown, unknown


def test_every_command_and_every_option_says_what_it_does(commands: dict[str, object]) -> None:
    silent = [words for words, command in commands.items() if not command.help]
    silent += [
        f"{words} {option.name}"
        for words, command in commands.items()
        for option in command.params
        if not option.help and not getattr(option, "hidden", False)
    ]
    assert not silent, silent


def test_every_setting_stands_in_the_readme(readme: str) -> None:
    missing = sorted({name for name in keys(Settings) if not re.search(rf"\b{name}\b", readme)})
    assert not missing, missing


def test_every_link_in_the_readme_leads_to_a_file(readme: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme)
    assert not [target for target in targets if not (ROOT / target).exists()]
