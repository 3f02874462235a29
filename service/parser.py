"""Has mails parsed where they can do no harm: in a child process that is killed when a mail costs too much.

The child (intake.worker) parses one mail after the other and keeps nothing of it. A mail that kills the child costs
exactly this child: the next call starts another one. A child that cannot even start is no mail's fault and has an error
of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from desk.mail import Mail
from intake.worker import OUT_OF_MEMORY, TOO_DEEP
from service.parse_child import REASONS, USUAL_LIMITS, Child, Item, ParserDied, ParserLimits, ParserUnavailable

__all__ = ["InlineParser", "Parser", "ParserDied", "ParserLimits", "ParserProcess", "ParserUnavailable"]

_TOGETHER = 1024 * 1024
"""Octets of the mails that are asked about at once; more gains nothing, and is held twice."""


class Parser(ABC):
    """Makes a Mail of raw octets. For one caller at a time."""

    @abstractmethod
    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied if it cannot be, by its own fault."""

    def parse_batch(self, items: Sequence[Item]) -> list[Mail | ParserDied]:
        """The mail of each (raw, envelope sender), in order; where one cannot be parsed, the reason in its place."""
        return [self._mail_or_reason(raw, envelope_sender) for raw, envelope_sender in items]

    @abstractmethod
    def start(self) -> None:
        """It can be asked. Raises ParserUnavailable where it cannot run at all."""

    @abstractmethod
    def close(self) -> None:
        """Nothing is held any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exit: object) -> None:
        self.close()

    def _mail_or_reason(self, raw: bytes, envelope_sender: str | None) -> Mail | ParserDied:
        try:
            return self.parse(raw, envelope_sender=envelope_sender)
        except ParserDied as reason:  # the caller still has the mail and settles it with this reason
            return reason


class InlineParser(Parser):
    """Parses in this process, without limits: for tests, the simulator and a handful of mails on the command line."""

    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied where recursion or memory ran out."""
        from intake.parse import parse  # noqa: PLC0415 - where a child parses, this process never loads the parser

        try:
            return parse(raw, envelope_sender=envelope_sender)
        except (RecursionError, MemoryError) as error:  # the caller still has the mail
            raise ParserDied(REASONS[TOO_DEEP if isinstance(error, RecursionError) else OUT_OF_MEMORY]) from error

    def start(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing was held."""


class ParserProcess(Parser):
    """Parses in a child process under limits. The child is started by the first call, or by start()."""

    def __init__(self, limits: ParserLimits = USUAL_LIMITS, *, module: str = "intake.worker") -> None:
        self._limits = limits
        self._module = module
        self._child: Child | None = None

    def start(self) -> None:
        """The child runs and has imported everything. Raises ParserUnavailable."""
        if self._child is not None and self._child.ended():
            self._child.kill()
            self._child = None
        if self._child is None:
            self._child = Child(self._module, self._limits)

    def parse(self, raw: bytes, *, envelope_sender: str | None) -> Mail:
        """The mail as understood. Raises ParserDied, and ParserUnavailable where no child starts."""
        return self._parsed([(raw, envelope_sender)])[0]

    def parse_batch(self, items: Sequence[Item]) -> list[Mail | ParserDied]:
        """As of every parser. Where a mail of several does harm, each is asked about again alone to tell which."""
        return [answer for group in _groups(items) for answer in self._group(group)]

    def _group(self, group: Sequence[Item]) -> Sequence[Mail | ParserDied]:
        if len(group) > 1:
            try:
                return self._parsed(group)
            except ParserDied:  # the caller still has the mails, and they are asked about again
                pass
        return super().parse_batch(group)

    def _parsed(self, items: Sequence[Item]) -> list[Mail]:
        with self._lent() as child:
            return child.parse(items)

    @contextmanager
    def _lent(self) -> Iterator[Child]:
        """Taken out while it works: one left in the middle of a mail would give the next mail this mail's answer."""
        self.start()
        child, self._child = self._child, None
        assert child is not None
        try:
            yield child
        except BaseException:  # whatever it was, the caller still has the mail
            child.kill()
            raise
        self._child = child

    def close(self) -> None:
        """The child has ended."""
        if self._child is not None:
            self._child.close()
            self._child = None


def _groups(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    group: list[Item] = []
    for item in items:
        if group and sum(len(raw) for raw, _ in group) + len(item[0]) > _TOGETHER:
            yield group
            group = []
        group.append(item)
    if group:
        yield group
