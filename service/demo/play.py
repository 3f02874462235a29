"""Plays the morning: hands in each mail, waits until deskbell has settled it, and tells what the ledger says."""

import secrets
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from desk.outbox import NoticeKind
from intake.parse import parse
from service.demo.daemon import Daemon, program
from service.demo.fates import Ledger, Outcome
from service.demo.inbox import Inbox
from service.demo.letters import Answered, Moment, letter
from service.demo.morning import EMMA, SCENES, Expected, Kind, Scene
from service.demo.place import Place
from service.demo.post import Door, Letter, hand_over
from service.demo.words import told

Say = Callable[[str], None]

_NEXT = (
    "the history of Emma's request",
    "why Luca's absence note was not answered",
    "how the Arabic mail found its department",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a morning is played with."""

    place: Place
    daemon: Daemon
    door: Door
    ledger: Ledger
    inbox: Inbox


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that is over: the mail as it was handed in, and what became of each copy."""

    scene: Scene
    letter: Letter
    file: str
    outcomes: Sequence[Outcome]

    @property
    def reference(self) -> str:
        """The request it belongs to, or an empty text."""
        return self.outcomes[0].line.reference or ""


@dataclass(slots=True)
class Morning:
    """The scenes that are over, by their keys, and in words what did not come out as expected."""

    played: dict[str, Played] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    """Keys of scenes that came out otherwise, or could not be played for that."""
    surprises: list[str] = field(default_factory=list)


def play(stage: Stage, morning: Morning, say: Say) -> None:
    """Every scene was played and told. Raises DaemonTrouble, NoDoor, NotTaken."""
    for number, scene in enumerate(SCENES, 1):
        boxes = " and ".join(address.partition("@")[0] + "@" for address in scene.to)
        subject = scene.subject if scene.kind is Kind.NEW else ""
        say(f"{number:2}  {scene.writer.name} to {boxes}: {scene.about}{f'  [{subject}]' if subject else ''}")
        if scene.answers in morning.spoiled:
            morning.spoiled.add(scene.key)
            say("    Not played, because what it answers did not come out as expected.\n")
            continue
        done = morning.played[scene.key] = _played(stage, morning.played, scene)
        say("".join(f"    {told(outcome)}\n" for outcome in done.outcomes))
        if found := list(surprises(done, morning.played)):
            morning.spoiled.add(scene.key)
            morning.surprises += [f"mail {number} ({scene.about}): {words}" for words in found]


def _played(stage: Stage, before: Mapping[str, Played], scene: Scene) -> Played:
    domain = scene.writer.address.rpartition("@")[2]
    moment = Moment(datetime.now(UTC), f"<{secrets.token_hex(8)}@{domain}>")
    mail = letter(scene, moment, _answered(stage, before, scene))
    file = _kept(stage.place, scene, mail)
    watch = stage.ledger.watch(mail.raw, copies=len(mail.recipients), written=parse(mail.raw).date)
    hand_over(stage.door, mail)
    outcomes = stage.daemon.wait(lambda: stage.ledger.outcomes(watch), "to settle a mail")
    _wait_for_mail(stage, scene, moment.message_id, outcomes)
    return Played(scene, mail, file, outcomes)


def _answered(stage: Stage, before: Mapping[str, Played], scene: Scene) -> Answered | None:
    """What the scene is about: what deskbell wrote because of a new mail, or else the mail itself."""
    if scene.kind is Kind.NEW:
        return None
    earlier = before[scene.answers]
    mail = parse(earlier.letter.raw)
    if earlier.scene.kind is not Kind.NEW:
        return Answered(earlier.letter.raw, mail)
    reader = scene.seen_by or scene.writer.address
    message_id = mail.message_id or ""
    written = stage.daemon.wait(lambda: stage.inbox.about(reader, message_id), f"to write to {reader}")
    return Answered(written.raw, written.mail)


def _kept(place: Place, scene: Scene, mail: Letter) -> str:
    number = len(list(place.sent.glob("*.eml"))) + 1
    path = place.sent / f"{number:02}-{scene.key}.eml"
    path.write_bytes(mail.raw)
    return str(path)


def _wait_for_mail(stage: Stage, scene: Scene, message_id: str, outcomes: Sequence[Outcome]) -> None:
    """Whatever is owed for the mail lies in its recipient's Maildir."""
    for outcome in outcomes:
        assert not outcome.owed or outcome.departments
        for address in _owed_to(scene, outcome):
            stage.daemon.wait(lambda to=address: stage.inbox.about(to, message_id), f"to write to {address}")  # type: ignore[misc] # a default argument binds the loop's value


def _owed_to(scene: Scene, outcome: Outcome) -> Iterator[str]:
    if NoticeKind.RECEIPT in outcome.owed:
        yield scene.writer.address
    if NoticeKind.NOTIFICATION in outcome.owed:
        yield from (one.address for one in outcome.departments)


def surprises(done: Played, played: Mapping[str, Played]) -> Iterator[str]:
    """In words, each difference between what was expected of the scene and what the ledger says."""
    for expected, outcome in zip(done.scene.expected, done.outcomes, strict=True):
        reference = played[expected.of].reference if expected.of else ""
        for what, wanted, found in _compared(expected, outcome, reference):
            if wanted and wanted != found:
                yield f"expected {what} {wanted}, came out as {found}"


def _compared(expected: Expected, outcome: Outcome, reference: str) -> Iterator[tuple[str, str, str]]:
    yield "fate", expected.fate, outcome.line.fate
    yield "rule", expected.rule, (outcome.line.receipt or "none").rpartition(": ")[2]
    yield "request", reference, outcome.line.reference or "none"
    yield "department", expected.department, ", ".join(outcome.request.departments) if outcome.request else "none"


def typed(*words: str) -> str:
    """A command of this deskbell as it can be pasted into any shell."""
    return shlex.join([program(), *words])


def belongings(place: Place) -> Iterator[str]:
    """Where everything is."""
    yield f"That was the morning. All of it is in {place.folder}:"
    yield "    config.toml, routing.toml, deskbell.key, deskbell.db, deskbell.log"
    yield "    sent/       the mails of the morning (.eml)"
    yield "    outgoing/   what deskbell wrote: a Maildir for each recipient"


def invitation(place: Place) -> Iterator[str]:
    """What can be done while the daemon runs."""
    config = ("--config", str(place.config))
    yield "deskbell goes on running. From another terminal, write to it, and read what it wrote back:"
    yield f"    {typed('send', 'The printer on the third floor says paper jam.', '--from', EMMA.address, *config)}"
    yield f"    {typed('read', EMMA.address, *config)}"


def outlook(place: Place, played: Mapping[str, Played]) -> Iterator[str]:
    """Three commands to try next; they only read, so they work at any time. None after a morning that went wrong."""
    shown = [played[key] for key in ("laptop", "out-of-office", "air-conditioning") if key in played]
    if len(shown) < len(_NEXT):
        return
    laptop, absence, air = shown
    words = (
        ("requests", "show", laptop.reference),
        ("ledger", "show", str(absence.outcomes[0].line.id)),
        ("explain", air.file),
    )
    yield "Three commands to try next:"
    for meaning, typing in zip(_NEXT, words, strict=True):
        yield f"    {typed(*typing, '--config', str(place.config))}"
        yield f"        {meaning}"
