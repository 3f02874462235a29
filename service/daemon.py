r"""The running daemon: a thread for each folder, courier and step, and an orderly end. Nothing is decided here.

    folders, door --accept--> database --settle--> database --courier--> relay
                                          \--marks--> folders

Each loop is `step() -> worked` with a rest in between. Whatever a step raises is logged and tried again after a pause:
its transaction was rolled back, so that each mail is where the last commit left it.
"""

import logging
import random
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError

from delivery import compose
from delivery.courier import AMBIGUOUS_HOLD, Chance, Courier
from delivery.maildir import MaildirTransport
from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Transport
from desk.arrival import Arrival
from intake.mailbox import Account, Folder, LoginRefused, MailboxError
from service.bell import Bell, SocketBell
from service.door import FrontDoor, Opening
from service.house import House
from service.outbox import StoredOutbox
from service.parser import ParserProcess
from service.pipeline import Pipeline, Ports
from service.settings import Mailbox, Settings
from service.sharing import KEEP_SECONDS, POLL_SECONDS, Share
from service.watch import FolderWatch, Spec, WatchPorts
from service.writer import Writer
from store.database import Database
from templates import render

log = logging.getLogger("deskbell.daemon")

IDLE_SECONDS = 30.0
"""A loop with nothing to do looks again after this at the latest, whoever forgot to ring."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between attempts after failures in a row."""
LOGIN_PAUSE = 30.0
"""Seconds after a refused login, so that a wrong password does not lock the account."""
STOP_SECONDS = 8.0


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What is opened before the daemon: settings read, house built, database locked and prepared."""

    settings: Settings
    house: House
    database: Database
    epoch: int


class Daemon:
    """Runs one installation until it is stopped."""

    def __init__(self, foundation: Foundation) -> None:
        self._settings = foundation.settings
        self._house = foundation.house
        self._database = foundation.database
        self._epoch = foundation.epoch
        self._share = Share(self._database, self._epoch, self._folder_names())
        self._rest_seconds = POLL_SECONDS if self._share.is_shared else IDLE_SECONDS
        self._stop = threading.Event()
        self._opened: set[str] = set()
        self._opening = threading.Condition()
        self._settle_bell = Bell()
        self._courier_bells: list[Bell] = []
        self._folder_bells: list[SocketBell] = []
        # The child starts before any thread or connection, so that it inherits none.
        self._parser = ParserProcess()
        self._parser.start()
        self._writer = Writer(self._database)
        ports = Ports(self._database, self._writer, self._parser, utc_now)
        self._pipeline = Pipeline(ports, self._house, epoch=foundation.epoch)

    def stop(self) -> None:
        """Begin to stop: each loop ends after the step it is in."""
        self._stop.set()
        self._ring_everybody()

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`; `ready` is called once, when every folder and door is open."""
        compose.self_test()
        render.check()
        self._keep_share()
        with ExitStack() as after:
            after.callback(self._release_share)
            after.callback(self._parser.close)
            after.callback(self._writer.stop)
            threads = [*self._couriers(), self._settler(), *self._folders(), *self._doors(), *self._sharers()]
            for thread in threads:
                thread.start()
            self._announce(ready, len(self._expected()))
            self._stop.wait()
            for thread in threads:
                thread.join(STOP_SECONDS)

    def _announce(self, ready: Callable[[], None], expected: int) -> None:
        with self._opening:
            self._opening.wait_for(lambda: len(self._opened) >= expected or self._stop.is_set())
        if not self._stop.is_set():
            ready()

    def _folder_names(self) -> list[str]:
        return [f"{one.address} {name}" for one in self._settings.mailbox if one.imap for name in one.imap.folders]

    def _keep_share(self) -> bool:
        """Our sign of life; what is owed by a daemon that is no more becomes due. Never more to do at once: False."""
        if not self._share.keep():
            return False
        outbox = StoredOutbox(self._database, self._writer, self._epoch)
        freed, ambiguous = outbox.recover_all(now=utc_now(), hold=AMBIGUOUS_HOLD)
        if freed or ambiguous:
            log.warning("left by an earlier start: %d mails not sent, %d perhaps sent", freed, ambiguous)
            self._ring_senders_and_folders()
        return False

    def _release_share(self) -> None:
        try:
            self._share.release()
        except OperationalError as error:  # our leases end by themselves; each mail is where the last commit left it
            log.warning("leases could not be given back: %s", _words(error))

    def _sharers(self) -> Sequence[threading.Thread]:
        if not self._share.is_shared:
            return []
        return [self._thread("share", self._keep_share, lambda: self._pause(KEEP_SECONDS))]

    def _pause(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _expected(self) -> list[str]:
        listener = self._settings.listener
        return self._folder_names() + [
            name for name, door in (("lmtp", listener.lmtp), ("smtp", listener.smtp)) if door
        ]

    def _is_open(self, name: str) -> None:
        with self._opening:
            self._opened.add(name)
            self._opening.notify_all()

    def _ring_everybody(self) -> None:
        self._settle_bell.ring()
        self._ring_senders_and_folders()
        with self._opening:
            self._opening.notify_all()

    def _ring_senders_and_folders(self) -> None:
        for courier in self._courier_bells:
            courier.ring()
        for folder in self._folder_bells:
            folder.ring()

    def _repeat(self, name: str, step: Callable[[], bool], rest: Callable[[], None]) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                if not step() and not self._stop.is_set():
                    rest()
                failures = 0
            except MailboxError as error:  # what was not stored yet is on the server
                log.error("%s: %s", name, error)  # noqa: TRY400 - the words say it all
                pause = LOGIN_PAUSE if isinstance(error, LoginRefused) else PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                self._stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects, hides nothing
            except OperationalError as error:  # as below: the database is away, full or busy, which is no mail's fault
                log.error("%s: the database: %s: tried again", name, _words(error))  # noqa: TRY400 - as above
                self._stop.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
            except Exception:  # the transaction was rolled back: each mail is where the last commit left it
                log.exception("%s: failed, tried again", name)
                self._stop.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1

    def _settler(self) -> threading.Thread:
        def step() -> bool:
            worked = self._pipeline.settle()
            if worked:
                self._ring_senders_and_folders()
            return worked

        return self._thread("settle", step, lambda: self._settle_bell.wait(self._rest_seconds))

    def _thread(self, name: str, step: Callable[[], bool], rest: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._repeat, args=(name, step, rest), name=name, daemon=True)

    def _couriers(self) -> Sequence[threading.Thread]:
        smtp = self._settings.smtp
        return [self._courier(number) for number in range(smtp.connections if smtp else 1)]

    def _courier(self, number: int) -> threading.Thread:
        bell = Bell()
        self._courier_bells.append(bell)
        smtp = self._settings.smtp
        # Each courier has its share of the rate.
        gap = timedelta(minutes=smtp.connections / smtp.rate_per_minute) if smtp and smtp.rate_per_minute else None
        courier = Courier(
            StoredOutbox(self._database, self._writer, self._epoch),
            _transport(self._settings),
            Chance(utc_now, random.random),
            gap=gap,
        )

        def rest() -> None:
            now = utc_now()
            until = courier.idle_until(now)
            seconds = self._rest_seconds if until is None else (until - now).total_seconds()
            bell.wait(min(max(seconds, 0.01), self._rest_seconds))

        return self._thread(f"courier {number + 1}", courier.step, rest)

    def _folders(self) -> Sequence[threading.Thread]:
        return [
            self._folder(mailbox, name)
            for mailbox in self._settings.mailbox
            if mailbox.imap is not None
            for name in mailbox.imap.folders
        ]

    def _folder(self, mailbox: Mailbox, folder: str) -> threading.Thread:
        imap = mailbox.imap
        assert imap is not None
        bell = SocketBell()
        self._folder_bells.append(bell)
        account = Account(
            host=imap.host,
            port=imap.port,
            tls=imap.tls,
            user=imap.user,
            password=imap.secret.reveal if imap.secret else str,
            ca_file=str(imap.ca_file) if imap.ca_file else None,
        )
        ports = WatchPorts(
            open=lambda: Folder.open(account, folder),
            pipeline=self._pipeline,
            database=self._database,
            transactions=self._writer,
            now=utc_now,
        )
        spec = Spec(mailbox.address, folder, imap.after, self._settings.limits.message_octets)
        watch = FolderWatch(spec, ports)
        name = f"{mailbox.address} {folder}"

        def step() -> bool:
            if not self._share.holds(name):
                watch.close()
                self._is_open(name)  # for whoever has the lease
                return False
            try:
                watch.open()
                self._is_open(name)
                worked = watch.step()
            except BaseException:  # what was not stored yet is on the server, and found there by the next session
                watch.close()
                raise
            if worked:
                self._settle_bell.ring()
            return worked

        def rest() -> None:
            if self._share.holds(name):
                self._rest(watch, bell)
            else:
                self._pause(POLL_SECONDS)

        return self._thread(name, step, rest)

    def _rest(self, watch: FolderWatch, bell: SocketBell) -> None:
        try:
            watch.rest(bell.heard)
        except MailboxError:  # as in step
            watch.close()
            raise

    def _doors(self) -> Sequence[threading.Thread]:
        listener = self._settings.listener
        wanted = [Opening("lmtp", listener.lmtp)] if listener.lmtp else []
        wanted += [Opening("smtp", listener.smtp)] if listener.smtp else []
        if not wanted:
            return []
        front = FrontDoor(self._take, self._house, self._settings)
        serve = (wanted, self._is_open, self._stop.is_set)
        return [threading.Thread(target=front.serve, args=serve, name="door", daemon=True)]

    def _take(self, arrival: Arrival) -> "Future[None]":
        future = self._writer.submit(self._pipeline.acceptance([arrival]))
        future.add_done_callback(lambda _future: self._settle_bell.ring())
        return future


def _words(error: OperationalError) -> str:
    """The driver's own, on one line and without the statement."""
    return " ".join(str(error.orig).split())


def _transport(settings: Settings) -> Transport:
    if settings.maildir is not None:
        return MaildirTransport(settings.maildir.path)
    smtp = settings.smtp
    assert smtp is not None
    secret = smtp.secret
    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        tls=smtp.tls,
        user=smtp.user,
        password=secret.reveal if secret else None,
        ca_file=str(smtp.ca_file) if smtp.ca_file else None,
        hostname=socket.getfqdn(),
    )
    return SmtpTransport(server)
