"""The example configuration: complete, current, and usable as it stands."""

import re
from pathlib import Path

import pytest

from service.example import example
from service.notation import Section, section_in
from service.settings import Settings, load

ROOT = Path(__file__).parents[2]


def settings_of(section: type[Section]):
    """Every plain setting's name at any depth."""
    for name, field in section.model_fields.items():
        inner = section_in(field)
        yield from settings_of(inner) if inner else [name]


@pytest.fixture
def as_config(tmp_path: Path):
    """The settings that a text gives as config.toml."""

    def read(text: str) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return load(path)

    return read


def test_the_file_in_the_checkout_is_what_the_settings_declare() -> None:
    """Where this fails: python -m service.example > config.example.toml"""
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example()


def test_the_example_loads_as_it_stands(as_config) -> None:
    config = as_config(example())
    assert config.mailbox[0].imap.secret.source == "env DESKBELL_PASSWORD"
    assert config.smtp is not None


def test_the_example_loads_with_ones_own_values_filled_in(as_config) -> None:
    config = as_config(example().replace("corp.example", "firma.example"))
    assert config.own_domains == ("firma.example",)


def test_the_example_gives_the_maildir_way_out_once_its_lines_are_uncommented(as_config) -> None:
    text = re.sub(r"\n\[smtp\].*?\n# \[maildir\]", "\n[maildir]", example(), flags=re.DOTALL)
    assert as_config(text.replace("# path =", "path =")).maildir.path.name == "outgoing"


def test_every_default_that_is_shown_is_the_default(as_config) -> None:
    """A line with # that says Default, once uncommented, changes nothing."""
    plain = as_config(example())
    text = example()
    for value in re.findall(r"Default: [^\n]*\.\n# (\w+ = .*)\n", text):
        if "corp.example" not in value:
            text = text.replace(f"\n# {value}\n", f"\n{value}\n")
    assert text != example()
    assert as_config(text) == plain


def test_every_setting_has_a_meaning_and_a_line() -> None:
    text = example()
    for name in settings_of(Settings):
        assert re.search(rf"^# [^\n]*\n(?:# )?{name} = ", text, re.MULTILINE), name


def test_every_setting_says_required_or_its_default() -> None:
    paragraphs = [part for part in example().split("\n\n") if " = " in part]
    for part in paragraphs:
        assert re.search(r"Required\.|[Dd]efault", part), part


def test_every_line_is_short_enough_to_read() -> None:
    assert max(map(len, example().splitlines())) <= 110
