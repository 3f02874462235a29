"""`deskbell doctor`: every check in its order, each with a deadline; one that fails or hangs never stops the others.

Nothing is changed anywhere: no floor is recorded, no mark is set. One mail to itself for each mailbox is the exception,
and that can be left out.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from desk.errors import UserError
from service import doctor_account, doctor_house, doctor_machine, doctor_marker, doctor_relay, doctor_trip
from service.doctor_trip import Sending
from service.finding import Finding, bad, ok
from service.secrets import SecretError
from service.settings import Settings, load

LOCAL_SECONDS = 60.0
NETWORK_SECONDS = 45.0
SPARE_SECONDS = 60.0
"""What a round trip may take beyond the time a mail has to come back: connecting and being refused."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: what a person is told meanwhile, how long it may take, and how it is done."""

    name: str
    look: Callable[[], Iterable[Finding]]
    seconds: float = LOCAL_SECONDS


def examine(path: Path, sending: Sending, progress: Callable[[str], None]) -> Iterator[Finding]:
    """Every finding, as soon as it is known; progress is told the name of each check before it begins."""
    try:
        settings = load(path)
    except UserError as error:  # no mail is in hand: nothing runs on this file
        yield from (bad("config", line, "correct the file") for line in str(error).splitlines())
        return
    yield ok("config", f"{path} is read")
    for check in checks(settings, sending):
        progress(check.name)
        yield from within(check)


def checks(settings: Settings, sending: Sending) -> Iterator[Check]:
    """What is looked at, in the order in which a person would put it right."""
    yield Check("permissions", lambda: doctor_machine.permissions(settings))
    yield Check("packages", doctor_machine.packages)
    yield Check("disk", lambda: doctor_machine.disk(settings))
    yield Check("key", lambda: doctor_house.key(settings))
    yield Check("secrets", lambda: doctor_house.secrets(settings))
    yield Check("database", lambda: doctor_house.database(settings), 10 * LOCAL_SECONDS)
    yield Check("daemon", lambda: doctor_house.daemon(settings))
    yield Check("routing", lambda: doctor_house.routing(settings))
    yield Check("calendars", lambda: doctor_house.calendars(settings))
    yield Check("templates", doctor_house.templates)
    yield Check("header writer", doctor_house.header_writer)
    for mailbox in settings.mailbox:
        if mailbox.imap is not None:
            yield Check(mailbox.address, lambda one=mailbox: doctor_account.account(one), NETWORK_SECONDS)  # type: ignore[misc]
            yield Check("markers", lambda one=mailbox: doctor_marker.served(settings, one), NETWORK_SECONDS)  # type: ignore[misc]
    yield Check("relay", lambda: doctor_relay.relay(settings), NETWORK_SECONDS)
    for name, look in doctor_trip.trips(settings, sending):
        yield Check(name, look, sending.seconds + SPARE_SECONDS)


def within(check: Check) -> list[Finding]:
    """What the check found within its time; that it found nothing more, where the time ran out or it broke."""
    found: list[Finding] = []

    def work() -> None:
        try:
            for finding in check.look():
                found.append(finding)  # noqa: PERF402 - what was found before a fault or the deadline counts
        except (UserError, SecretError) as error:  # no mail is in hand; the words are for people
            found.append(bad(check.name, str(error), "see the words before"))
        except Exception as error:  # noqa: BLE001 - no mail is in hand; the other checks go on
            words = f"the check itself failed: {type(error).__name__}: {error}"
            found.append(bad(check.name, words, "please report this"))

    # A thread, because a name server or a password command that never answers cannot be told to stop.
    thread = threading.Thread(target=work, name=f"doctor {check.name}", daemon=True)
    thread.start()
    thread.join(check.seconds)
    if thread.is_alive():
        words = f"no answer within {check.seconds:g} seconds"
        return [*found, bad(check.name, words, "is the network, the disk or a password command stuck?")]
    return found
