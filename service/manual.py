"""The man page: what the commands say of themselves, in the words of man(7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Described:
    """A command as its help tells it. Options and arguments are pairs of name and meaning."""

    words: str
    text: str
    options: Sequence[tuple[str, str]]
    example: str


_EXIT_STATUS = (
    ("0", "Done."),
    ("1", "Refused, or found faulty, for the reason on stderr."),
    ("2", "Wrong usage or configuration, or a database or key that does not fit."),
    ("69", "deskbell deliver: the mail is too large and goes back to its sender."),
    ("75", "deskbell deliver: trouble of our own; the mail server keeps the mail and tries again."),
)
_ENVIRONMENT = (
    ("DESKBELL_CONFIG", "The config.toml, where --config is not given."),
    ("SENDER", "deskbell deliver: the envelope sender, where --sender is not given."),
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd: where deskbell run tells that it is ready and alive."),
)
_FILES = (
    ("/etc/deskbell/config.toml", "The configuration, where neither --config nor DESKBELL_CONFIG names one."),
    ("routing.toml", "Beside config.toml: departments, calendars and rules instead of the starter set."),
    ("deskbell.db", "Beside config.toml: the database. With -wal and -shm while it is open."),
    ("deskbell.db.lock", "Keeps a second deskbell away from the database."),
    ("deskbell.db.schema-N", "The database as it was before deskbell upgrade."),
    ("deskbell.key", "Beside config.toml: the key. Without it deskbell does not start on this database."),
)


def page(program: Described, commands: Sequence[Described], *, version: str) -> str:
    """The page in section 1, all commands in it; ASCII."""
    lines = [
        f'.TH DESKBELL 1 "" "deskbell {version}" "User commands"',
        *(".SH NAME", rf"deskbell \- {_text(program.text)}"),
        *(".SH SYNOPSIS", ".B deskbell", ".I command", r"[\fIoption\fR ...] [\fIargument\fR ...]"),
        *(".SH OPTIONS", *_listed(program.options)),
        ".SH COMMANDS",
        *(line for command in commands for line in _command(command)),
        *(".SH EXIT STATUS", *_listed(_EXIT_STATUS)),
        *(".SH ENVIRONMENT", *_listed(_ENVIRONMENT)),
        *(".SH FILES", *_listed(_FILES)),
    ]
    return "\n".join(lines) + "\n"


def _command(command: Described) -> Iterator[str]:
    yield f'.SS "{_text(command.words)}"'
    for number, paragraph in enumerate(command.text.split("\n\n")):
        if number:
            yield ".PP"
        yield _text(paragraph)
    yield from _listed(command.options)
    yield from (".PP", "Example:", ".PP", ".nf", ".RS", _text(command.example), ".RE", ".fi")


def _listed(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, meaning in pairs:
        yield from (".TP", rf"\fB{_text(name)}\fR", _text(meaning))


def _text(words: str) -> str:
    r"""The words in one line that roff takes for nothing else: no request, no escape, no hyphen for a minus sign."""
    line = " ".join(words.split()).replace("\\", r"\e").replace("-", r"\-")
    ascii_only = "".join(letter if letter.isascii() else rf"\[u{ord(letter):04X}]" for letter in line)
    return rf"\&{ascii_only}" if ascii_only.startswith((".", "'")) else ascii_only
