"""Where passwords come from. A secret is looked up again at each use, so a changed password needs no restart.

Trusted: the person who wrote config.toml (a password_command runs as us). A password is never shown: not by repr,
not in an error. Not solved here: what happens to it in memory.
"""

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

COMMAND_TIME = timedelta(seconds=10)
_OTHERS = 0o077
_LONGEST = 65_536


class SecretError(Exception):
    """The password cannot be had now; the text names its source and what to do, never the password."""


class Secret(ABC):
    """One password, by its source."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Where it comes from, fit to be shown."""

    @abstractmethod
    def reveal(self) -> str:
        """The password as of now, not empty.

        Raises SecretError.
        """

    def __repr__(self) -> str:
        return f"<Secret: {self.source}>"


@dataclass(frozen=True, slots=True, repr=False)
class WrittenSecret(Secret):
    """A password that stands in config.toml itself."""

    text: str

    @property
    def source(self) -> str:
        """Says only that it stands there."""
        return "in the file (hidden)"

    def reveal(self) -> str:
        """The password as written."""
        return self.text


@dataclass(frozen=True, slots=True, repr=False)
class EnvironmentSecret(Secret):
    """A password in an environment variable of this process."""

    variable: str
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def source(self) -> str:
        """The variable's name."""
        return f"env {self.variable}"

    def reveal(self) -> str:
        """The variable's value; SecretError where it is unset or empty."""
        if value := self.environ.get(self.variable):
            return value
        raise SecretError(f"the environment variable {self.variable} is not set or empty")


@dataclass(frozen=True, slots=True, repr=False)
class FileSecret(Secret):
    """A password in a file of its own, which nobody but its owner may read or change."""

    path: Path

    @property
    def source(self) -> str:
        """The file's path."""
        return f"file {self.path}"

    def reveal(self) -> str:
        """The file's text without its last line end; SecretError where it is missing, empty or open to others."""
        try:
            with self.path.open("rb") as file:
                # The open file is asked, not the path: the answer is about the bytes that are read.
                mode = S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & _OTHERS:
                    raise SecretError(
                        f"{self.path} may be read or changed by others (mode {mode:04o}): chmod 600 {self.path}"
                    )
                content = file.read(_LONGEST)
        except OSError as error:  # No mail is in hand here: the caller connects again later.
            raise SecretError(f"{self.path} cannot be read: {error.strerror}") from None
        return _decoded(content.removesuffix(b"\n").removesuffix(b"\r"), str(self.path))


@dataclass(frozen=True, slots=True, repr=False)
class CommandSecret(Secret):
    """A password that a program prints; no shell, no input, its complaints go to our stderr."""

    command: tuple[str, ...]
    patience: timedelta = COMMAND_TIME

    @property
    def source(self) -> str:
        """The program's name only: an argument may be a secret itself."""
        return f"command {self.command[0]}"

    def reveal(self) -> str:
        """The first line printed; SecretError where the program fails, prints nothing or takes longer than patience."""
        try:
            done = subprocess.run(  # noqa: S603 # the command is the configuration's own, and no shell reads it
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=self.patience.total_seconds(),
                check=False,
            )
        except subprocess.TimeoutExpired:  # No mail is in hand here: the caller connects again later.
            waited = self.patience.total_seconds()
            raise SecretError(f"{self.source} gave no password within {waited:g} seconds") from None
        except (OSError, ValueError) as error:  # As above; ValueError: a NUL in an argument.
            reason = getattr(error, "strerror", None) or "not a command"
            raise SecretError(f"{self.source} cannot be run: {reason}") from None
        if done.returncode:
            raise SecretError(f"{self.source} ended with status {done.returncode}")
        return _decoded(done.stdout.partition(b"\n")[0].removesuffix(b"\r"), self.source)


def given_secret(
    *, written: str | None, variable: str | None, path: Path | None, command: tuple[str, ...] | None
) -> Secret | None:
    """The secret of the one source that is given; None where none is."""
    if written is not None:
        return WrittenSecret(written)
    if variable is not None:
        return EnvironmentSecret(variable)
    if path is not None:
        return FileSecret(path)
    return CommandSecret(command) if command is not None else None


def _decoded(content: bytes, source: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:  # No mail is in hand here. The error itself holds the bytes: it must not go on.
        raise SecretError(f"{source} gave a password that is not UTF-8") from None
    if not text:
        raise SecretError(f"{source} gave an empty password")
    return text
