"""The demo from the first line to the last: a place, a daemon, the morning, and the end in good order."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from service.calendars import system_zone_name
from service.demo.daemon import ENDING, Daemon
from service.demo.fates import Ledger
from service.demo.inbox import Inbox
from service.demo.place import Place, ready_place, remember
from service.demo.play import Morning, Say, Stage, belongings, invitation, outlook, play, typed
from service.demo.post import door_of
from service.house import UNSIGNED, House, Surroundings
from service.installation import reading
from service.routing import stored_house


@dataclass(frozen=True, slots=True)
class Voice:
    """What is told goes to say, talk about it to progress."""

    say: Say
    progress: Say


def demo(folder: Path, environ: Mapping[str, str], voice: Voice, *, wait: bool) -> list[str]:
    """The morning was played in the folder and nothing runs any more; in words, what did not come out as expected.

    With wait it went on until somebody ended it by SIGINT, SIGTERM or SIGHUP. Raises KeyboardInterrupt where they did
    so before the morning was over, NoPlace, DaemonTrouble, and whatever a configuration can be refused with.
    """
    os.umask(0o077)  # As `deskbell run`: the folder holds mail.
    for number in ENDING:
        signal.signal(number, _end)
    place = ready_place(folder)
    earlier = "going on with an earlier demo" if place.used_before else "starting deskbell"
    voice.progress(f"{earlier} in {place.folder}")
    with Daemon(place) as daemon:
        try:
            remember(place, environ)
            morning = _played(place, daemon, voice.say)
            _farewell(place, morning, voice.say, wait=wait)
            if wait:
                _serve(daemon, voice)
        finally:
            _ignore()  # what follows is the end in good order, and takes a moment only
    if wait:
        voice.progress(f"stopped; to go on: {typed('run', '--config', str(place.config))}")
    return morning.surprises


def _played(place: Place, daemon: Daemon, say: Say) -> Morning:
    morning = Morning()
    with reading(place.settings) as database:
        ledger = Ledger(database, house_of(place))
        play(Stage(place, daemon, door_of(place.settings), ledger, Inbox(place.outgoing)), morning, say)
    return morning


def house_of(place: Place) -> House:
    """The house that the demo's daemon is in: somebody may have imported another routing since the first morning."""
    zone = system_zone_name(os.environ, Path("/etc/localtime"))
    return stored_house(place.settings, Surroundings(UNSIGNED, zone))


def _farewell(place: Place, morning: Morning, say: Say, *, wait: bool) -> None:
    parts = [belongings(place), invitation(place) if wait else (), outlook(place, morning.played)]
    say("\n\n".join("\n".join(part) for part in map(tuple, parts) if part))


def _serve(daemon: Daemon, voice: Voice) -> None:
    try:
        voice.say("\nCtrl-C ends it. Everything stays in the folder.")
        daemon.serve()
    except KeyboardInterrupt:  # the end that was asked for; the daemon keeps what it took
        voice.progress("stopping")


def _end(_number: int, _frame: FrameType | None) -> None:
    """The first signal ends the demo; a second one must not break the end."""
    _ignore()
    raise KeyboardInterrupt


def _ignore() -> None:
    # Not SIG_IGN: Python raises OSError for a signal that came a moment before it is ignored that way.
    for number in ENDING:
        signal.signal(number, lambda _number, _frame: None)
