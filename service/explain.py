"""What deskbell makes of a mail, without touching anything: the answer behind `deskbell explain`."""

import mailbox as mbox
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from desk.acknowledge import External, Mode, acknowledge
from desk.arrival import Arrival, Source
from desk.errors import RefusedError
from desk.mail import Mail
from desk.targets import promise
from service.house import House, Mailbox
from service.judged import Judged, candidate, judge
from service.parser import ParserDied, ParserProcess
from service.shown import mail as shown_mail
from service.shown import moment


class NothingToExplain(RefusedError):
    """A path cannot be read; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail to explain: what to call it, and its bytes."""

    file: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A place where mails are: one file, or one mbox with many."""

    path: Path
    name: str
    is_mbox: bool


def listed(paths: Sequence[str], *, mbox_wanted: bool) -> list[Listed]:
    """Every file below the paths, sorted within each; "-" is standard input. Raises NothingToExplain."""
    found: list[Listed] = []
    for given in paths:
        path = Path(given)
        if given == "-":
            found.append(Listed(path, "-", mbox_wanted))
        elif path.is_dir():
            below = sorted(one for one in path.rglob("*") if one.is_file())
            found += [Listed(one, str(one), _is_mbox(one, mbox_wanted)) for one in below]
        elif path.exists():
            found.append(Listed(path, given, _is_mbox(path, mbox_wanted)))
        else:
            raise NothingToExplain(f"{given}: there is no such file or folder")
    return found


def _is_mbox(path: Path, wanted: bool) -> bool:
    return wanted or path.suffix.lower() == ".mbox"


def mails(place: Listed) -> Iterator[Found]:
    """The mails of a place, in order. Raises NothingToExplain."""
    try:
        if place.name == "-":
            yield from _from_stdin(place)
        elif place.is_mbox:
            yield from _from_mbox(place.path, place.name)
        else:
            yield Found(place.name, place.path.read_bytes())
    except OSError as error:
        raise NothingToExplain(f"{place.name}: cannot be read: {error.strerror}") from error


def _from_stdin(place: Listed) -> Iterator[Found]:
    raw = sys.stdin.buffer.read()
    if not place.is_mbox:
        yield Found(place.name, raw)
        return
    with tempfile.NamedTemporaryFile() as file:  # the library reads an mbox from a file only
        file.write(raw)
        file.flush()
        yield from _from_mbox(Path(file.name), place.name)


def _from_mbox(path: Path, name: str) -> Iterator[Found]:
    with closing(mbox.mbox(path, create=False)) as box:
        for number in box.keys():  # noqa: SIM118 - iterating an mbox gives messages, not keys
            yield Found(f"{name}#{number}", box.get_bytes(number))


@dataclass(frozen=True, slots=True)
class Explainer:
    """How mails are judged: by the house of a configuration, or (configured False) each sender as one of our own."""

    house: House
    parser: ParserProcess
    now: datetime
    configured: bool

    def explain(self, found: Found) -> dict[str, Any]:
        """One object for the mail, whatever it is."""
        try:
            mail = self.parser.parse(found.raw, envelope_sender=None)
        except ParserDied as error:  # nothing of the mail was kept or changed
            mail = Mail(defects=(f"cannot be understood: {error}",))
        mailbox = addressed_mailbox(mail, self.house) or _ANY_MAILBOX
        arrival = Arrival(mailbox.address, Source.IMAP, self.now, found.raw)
        judged = judge(arrival, mail, self.house)
        return {"file": found.file, **shown_mail(mail), **self._verdicts(judged, mailbox)}

    def _verdicts(self, judged: Judged, mailbox: Mailbox) -> dict[str, Any]:
        asked = candidate(judged, self.house, mailbox)
        if not self.configured:
            asked = replace(asked, own_sender=True, negative=None)
        acknowledgement = acknowledge(asked)
        classification = judged.classification
        department = self.house.departments[classification.department]
        calendar = self.house.calendars[department.calendar]
        targets = promise(department, calendar, classification.priority, self.now)
        return {
            "language": judged.language,
            "acknowledge": asdict(acknowledgement),
            "thread": {"reference": None, "evidence": None},
            "classification": asdict(classification),
            "targets": {"first_response": moment(targets.first_response), "resolution": moment(targets.resolution)},
        }


_ANY_MAILBOX = Mailbox("", frozenset(), None, Mode.FULL, External.LIMITED)


def addressed_mailbox(mail: Mail, house: House) -> Mailbox | None:
    """The mailbox a mail is addressed to, else the first one, if there is any."""
    for addressed in (*mail.to, *mail.cc):
        found = house.mailbox_of(addressed.address)
        if found is not None:
            return found
    return next(iter(house.mailboxes.values()), None)
