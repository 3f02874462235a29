"""Deliberately broken orders of the same steps. Each must be caught, else the oracle is too weak."""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, false

from delivery import courier
from delivery.transport import Ambiguous, Outcome, Refused, Scope, Sent
from desk.outbox import Claimed, OutboxState, Verdict
from service import letters
from service.house import House
from service.outbox import StoredOutbox
from service.pipeline import Pipeline
from service.renumbering import Renumbering
from service.watch import KEYWORD, FolderWatch
from store import arrivals, asides, evenings, folders, outbox, waiting
from store.arrivals import Waiting
from store.effects import PENDING
from store.places import Place
from tests.simulator.letters import MAILBOX
from tests.simulator.process import Parts

NONE = "none"
Patches = list[AbstractContextManager[Any]]
_owe, _verdict_of = outbox.owe, courier.verdict_of
_sorted_out = Renumbering.sorted_out


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is put in place of the real code."""

    parts: Parts = field(default_factory=Parts)
    patches: Callable[[], Patches] = list


class CursorFirst(FolderWatch):
    """The cursor is committed before the rows, and believed."""

    def _accept_batches(self, session: Any, uids: Sequence[int]) -> None:
        for messages in session.connection.fetch(uids, max_octets=self._spec.max_octets) if uids else ():
            top = max(message.uid for message in messages)
            accept = self._ports.pipeline.acceptance([self._arrival(session, message) for message in messages])
            self._ports.transactions.run(partial(folders.advance, folder_id=session.watched.id, uid=top))
            self._ports.transactions.run(accept)
            session.cursor = max(session.cursor, top)

    def _comparison_is_due(self, _session: Any) -> bool:
        return False


class MarkFirst(FolderWatch):
    """The mark is set before anything is stored, and what carries it is taken for done."""

    def _accept_batches(self, session: Any, uids: Sequence[int]) -> None:
        for messages in session.connection.fetch(uids, max_octets=self._spec.max_octets) if uids else ():
            fresh = [message for message in messages if KEYWORD not in message.flags]
            session.connection.add_flags([message.uid for message in fresh], KEYWORD)
            accept = self._ports.pipeline.acceptance([self._arrival(session, message) for message in fresh])
            self._ports.transactions.run(accept)


class FloorAnew(FolderWatch):
    """A renumbered folder is watched from its last mail on, like a new one."""

    def _begun(self, state: Any, _known: Any) -> Any:
        return super()._begun(state, [])


class TwoCommits(Pipeline):
    """The request is committed, and then the mails that are owed for it."""

    later: list[tuple[int, Any, datetime]] = []  # noqa: RUF012 - one daemon at a time

    def __init__(self, *ports: Any, **rest: Any) -> None:
        super().__init__(*ports, **rest)
        self.later.clear()

    def settle(self) -> bool:
        """As of the real one, but for the second commit."""
        worked = super().settle()
        self._ports.transactions.run(self._owe_later)
        self.later.clear()
        return worked

    def _owe_later(self, connection: Connection) -> None:
        for number, notice, now in self.later:
            _owe(connection, number, notice, now=now)

    @classmethod
    def defer(cls, _connection: Connection, number: int, notice: Any, *, now: datetime) -> int:
        """Instead of owing it."""
        cls.later.append((number, notice, now))
        return 1


class FateFirst(Pipeline):
    """The fate is committed before what it stands for."""

    def _begun(self, one: Waiting, judged: Any, house: House) -> Any:
        fate = {"fate": "opened", "effect": PENDING}
        if not isinstance(judged, Exception):
            work = partial(arrivals.record_fate, arrival_id=one.id, values=fate, epoch=one.epoch)
            self._ports.transactions.run(work)
        return super()._begun(one, judged, house)


class Blaming(Pipeline):
    """An attempt that the database prevented counts against the mail."""

    def _look_at(self, batch: Any, outcomes: Sequence[object]) -> None:
        try:
            super()._look_at(batch, outcomes)
        except Exception:
            self._spared.clear()
            ids = [one.id for one in batch.items]
            self._ports.transactions.run(lambda connection: arrivals.count_attempt(connection, ids))
            raise


class NoDot(StoredOutbox):
    """Nothing is committed before the dot: whatever is left over counts as not sent."""

    def reach_dot(self, claimed: Claimed) -> None:
        """Nothing is known."""


class SentFirst(StoredOutbox):
    """Recorded as sent before it is handed over."""

    def reach_dot(self, claimed: Claimed) -> None:
        """It counts as sent."""
        super().reach_dot(claimed)
        super().record(claimed, Verdict(OutboxState.SENT, "250"), now=claimed.created)
        self._finish_recording()

    def record(self, claimed: Claimed, verdict: Verdict, *, now: datetime) -> None:
        """It was recorded before."""


def _ambiguous_as(instead: Outcome) -> Callable[..., Verdict]:
    def verdict_of(outcome: Outcome, claimed: Claimed, retry: Any) -> Verdict:
        return _verdict_of(instead if isinstance(outcome, Ambiguous) else outcome, claimed, retry)

    return verdict_of


def _random_id() -> Callable[..., str]:
    dice = random.Random(0)
    return lambda *_: f"<receipt.a.{dice.getrandbits(64)}@corp.example>"


def _id_of_words(matter: Any, house: Any, kind: Any, recipient: str) -> str:
    key, domain = matter.judged.mail.content_key, MAILBOX.partition("@")[2]
    name: str = house.keyring.message_id(kind.value, content_key=key, recipient=recipient, domain=domain)
    return name


def _sorted_out_twice(self: Renumbering, messages: Sequence[Any]) -> tuple[list[Place], list[Any]]:
    found: list[Place] = []
    others = []
    for message in messages:
        known, rest = _sorted_out(self, [message])
        for place in known:
            self._ids.setdefault(sha256(message.raw).digest(), []).append(place.arrival_id)
        found, others = found + known, others + rest
    return found, others


def _with(target: Any, name: str, instead: Callable[[], Any]) -> Callable[[], Patches]:
    return lambda: [patch.object(target, name, instead())]


def _settle_with(name: str, instead: Any) -> Callable[[], Patches]:
    return lambda: [patch(f"service.settle.{name}", instead)]


MUTANTS: dict[str, Mutant] = {
    NONE: Mutant(),
    "cursor-before-rows": Mutant(Parts(watch=CursorFirst)),
    "mark-before-fate": Mutant(Parts(watch=MarkFirst)),
    "renumbered-taken-for-new": Mutant(Parts(watch=FloorAnew)),
    "renumbered-taken-for-marked": Mutant(patches=_with(Renumbering, "_is_marked", lambda: lambda *_: True)),
    "two-copies-taken-for-one-arrival": Mutant(patches=_with(Renumbering, "sorted_out", lambda: _sorted_out_twice)),
    "request-and-outbox-in-two-commits": Mutant(
        Parts(pipeline=TwoCommits), _with(outbox, "owe", lambda: TwoCommits.defer)
    ),
    "fate-before-request": Mutant(Parts(pipeline=FateFirst)),
    "database-trouble-blamed-on-the-mail": Mutant(Parts(pipeline=Blaming)),
    "attempts-not-counted": Mutant(patches=_with(arrivals, "count_attempt", lambda: lambda *_: None)),
    "duplicates-not-recognised": Mutant(patches=_settle_with("_repeated", lambda *_: ())),
    "message-id-by-chance": Mutant(patches=_with(letters, "_message_id", _random_id)),
    "message-id-of-words-alone": Mutant(patches=_with(letters, "_message_id", lambda: _id_of_words)),
    "no-dot": Mutant(Parts(outbox=NoDot)),
    "sent-before-the-dot": Mutant(Parts(outbox=SentFirst)),
    "ambiguous-taken-for-sent": Mutant(patches=_with(courier, "verdict_of", lambda: _ambiguous_as(Sent("250")))),
    "ambiguous-taken-for-refused": Mutant(
        patches=_with(courier, "verdict_of", lambda: _ambiguous_as(Refused("550", Scope.RECIPIENT)))
    ),
    "nothing-recovered-at-start": Mutant(Parts(recovers=False)),
    "old-promises-sent": Mutant(patches=_with(outbox, "_DUE", lambda: outbox._due(false()))),
    "joined-without-promise": Mutant(patches=_with(waiting, "promises", lambda: lambda *_: None)),
    "reports-follow-the-clock": Mutant(patches=_with(evenings, "last", lambda: lambda _: 0)),
    "told-and-not-forgotten": Mutant(patches=_with(asides, "forget", lambda: lambda *_: None)),
    "set-aside-and-not-noted": Mutant(patches=_with(asides, "note", lambda: lambda *_, **__: None)),
}
