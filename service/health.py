"""Is it alive, does it look, does mail get through: told from the database and the doors alone, within a second or two.

Asked by monitoring (`deskbell health`) and by the daemon itself, which writes an error when something turns bad. Both
ask about the same loops by the same names.
"""

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from desk.masked import without_addresses
from service.finding import Finding, bad, ok, warn
from service.notation import HostPort
from service.pulse import START
from service.settings import Settings
from store import backlog, leases, pulses
from store.backlog import Backlog
from store.database import Database
from store.pulses import Origin, Pulse

SILENT = timedelta(minutes=3)
"""A daemon, or a loop of it, that shows no sign of life for so long does not live."""
STALE = timedelta(minutes=15)
"""A folder unseen, a mail unsettled or a mail unsent for so long needs a person."""
DOOR_SECONDS = 5.0
SETTLER = "settle"


def folder_name(mailbox: str, folder: str) -> str:
    """The name of the loop that watches a folder."""
    return f"{mailbox} {folder}"


def courier_name(number: int) -> str:
    """The name of the loop that sends, counted from 1."""
    return f"courier {number}"


def folders_of(settings: Settings) -> list[str]:
    """The names of the loops that watch a folder."""
    return [folder_name(one.address, name) for one in settings.mailbox if one.imap for name in one.imap.folders]


def health(database: Database, settings: Settings, now: datetime) -> list[Finding]:
    """Every line of `deskbell health`."""
    with database.read() as connection:
        known, living, waiting = pulses.every(connection), leases.starts(connection), backlog.backlog(connection)
    return [
        *_daemons(_serving(known, living), settings, now),
        *_folders({pulse.name: pulse for pulse in known if pulse.origin is None}, settings, now),
        *(_door(name, place) for name, place in _doors(settings)),
        _unsettled(waiting, now),
        _owed(waiting, now),
        _quarantined(waiting),
    ]


def last_sign(known: Iterable[Pulse]) -> datetime | None:
    """When any loop was last seen at work; None where none ever was."""
    return max((pulse.at for pulse in known), default=None)


def _serving(known: Iterable[Pulse], living: Collection[int]) -> dict[Origin, dict[str, Pulse]]:
    """The loops of each daemon that lives; of the latest where none does, or where a database has one at a time."""
    found: dict[Origin, dict[str, Pulse]] = {}
    for pulse in known:
        if pulse.origin is not None:
            found.setdefault(pulse.origin, {})[pulse.name] = pulse
    alive = {one: loops for one, loops in found.items() if one.start in living}
    if alive or not found:
        return alive
    latest = max(found, key=lambda one: one.start)
    return {latest: found[latest]}


def _daemons(serving: Mapping[Origin, Mapping[str, Pulse]], settings: Settings, now: datetime) -> Iterator[Finding]:
    if not serving:
        yield bad("daemon", "has not run yet", "start it: deskbell run")
    for origin, loops in sorted(serving.items(), key=lambda one: one[0].start):
        # Several may run on one machine.
        check = "daemon" if len(serving) == 1 else f"daemon {origin.host} (start {origin.start})"
        yield _daemon(check, loops, settings, now)


def _daemon(check: str, loops: Mapping[str, Pulse], settings: Settings, now: datetime) -> Finding:
    seen = max(pulse.at for pulse in loops.values())
    if now - seen > SILENT:
        return bad(check, f"no sign of life for {ago(now - seen)}", "start it: deskbell run; its log says why it ended")
    couriers = settings.smtp.connections if settings.smtp else 1
    for name in (SETTLER, *(courier_name(number + 1) for number in range(couriers))):
        # A loop that was not seen yet is as old as its start.
        pulse = loops.get(name) or loops.get(START)
        if pulse is None or now - pulse.at > SILENT:
            since = f"for {ago(now - pulse.at)}" if name in loops and pulse else "ever"
            return bad(check, f"{name} shows no sign of life {since}", "restart it; its log may say why")
        if pulse.trouble is not None:
            return bad(check, f"{name} fails: {pulse.trouble}", "its log says more")
    return ok(check, f"last sign of life {ago(now - seen)} ago")


def _folders(known: Mapping[str, Pulse], settings: Settings, now: datetime) -> Iterator[Finding]:
    for name in folders_of(settings):
        yield folder(name, known.get(name), now)


def folder(name: str, pulse: Pulse | None, now: datetime) -> Finding:
    """When the folder was last looked at."""
    advice = "deskbell doctor says what stands in the way; mail waits on the server"
    if pulse is None:
        return bad(name, "was never looked at", advice)
    why = f": {pulse.trouble}" if pulse.trouble else ""
    if pulse.well_at is None:
        return bad(name, f"was never looked at{why}", advice)
    past = now - pulse.well_at
    if past > STALE:
        return bad(name, f"not looked at for {ago(past)}{why}", advice)
    if pulse.trouble is not None:
        return warn(name, f"last looked at {ago(past)} ago, now in trouble{why}", "it is tried again by itself")
    return ok(name, f"last looked at {ago(past)} ago")


def _doors(settings: Settings) -> list[tuple[str, HostPort]]:
    listener = settings.listener
    doors = (("lmtp", listener.lmtp), ("smtp", listener.smtp))
    return [(name, place) for name, place in doors if place is not None]


def _door(name: str, place: HostPort) -> Finding:
    check = f"door {name}"
    try:
        with socket.create_connection((place.host, place.port), DOOR_SECONDS) as door:
            door.settimeout(DOOR_SECONDS)
            greeting = door.recv(200)
    except OSError as error:  # mail for this door waits with the server before it
        return bad(
            check, f"{place} does not answer: {error}", "is deskbell running? mail waits with the sender's server"
        )
    if not greeting.startswith(b"220"):
        return bad(check, f"{place} is answered by something else", "stop what listens there, or take another port")
    return ok(check, f"{place} answers")


def _unsettled(waiting: Backlog, now: datetime) -> Finding:
    if waiting.unsettled_since is None:
        return ok("arrivals", "none waits to be settled")
    age = now - waiting.unsettled_since
    words = f"{waiting.unsettled} not settled, the oldest for {ago(age)}"
    if age > STALE:
        return bad("arrivals", words, "the log says what fails; the bytes of each are kept")
    return ok("arrivals", words)


def _owed(waiting: Backlog, now: datetime) -> Finding:
    if waiting.owed_since is None:
        return ok("outbox", "nothing is owed")
    age = now - waiting.owed_since
    said = f"; last said: {without_addresses(waiting.last_reply)}" if waiting.last_reply else ""
    words = f"{waiting.owed} not sent, the oldest for {ago(age)}{said}"
    if age <= STALE:
        return ok("outbox", words)
    if waiting.sent_at is not None and waiting.sent_at > waiting.owed_since:
        return warn("outbox", f"{words}; others went out meanwhile", "is the recipient's address right?")
    return bad("outbox", words, "deskbell doctor tries the relay; nothing owed is lost")


def _quarantined(waiting: Backlog) -> Finding:
    if not waiting.quarantined:
        return ok("quarantine", "empty")
    words = f"{waiting.quarantined} could not be understood; their bytes are kept"
    return warn("quarantine", words, "deskbell ledger list --fate quarantined")


def ago(span: timedelta) -> str:
    """A span in its largest unit: 40 s, 12 min, 5 h, 3 days."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    if seconds < 3_600:  # noqa: PLR2004 - an hour
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h" if seconds < 172_800 else f"{seconds // 86_400} days"  # noqa: PLR2004 - two days
