r"""The running daemon: a thread for each folder, courier and step, and an orderly end. Nothing is decided here.

    folders, door --accept--> database --settle--> database --courier--> relay
                                          \--marks--> folders

Each loop is `step() -> worked` with a rest in between. Whatever a step raises is logged and tried again after a pause:
its transaction was rolled back, so that each mail is where the last commit left it.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy.exc import OperationalError

from delivery import compose
from delivery.courier import AMBIGUOUS_HOLD, Chance, Courier
from desk.arrival import Arrival
from desk.marker import Installed
from intake.mailbox import Folder, MailboxError
from service import notify
from service.accounts import account_of
from service.alarm import LOOK_SECONDS as ALARM_SECONDS
from service.alarm import Alarm
from service.bell import Bell, SocketBell
from service.claim import Claims
from service.door import FrontDoor, Opening
from service.failure import failure
from service.health import SETTLER, courier_name, folder_name, folders_of
from service.house import House
from service.oauth_expiry import ExpiryAlarm
from service.oauth_tokens import TokenSources
from service.outbox import StoredOutbox
from service.parser import ParserProcess
from service.pauses import level_of, pause_after
from service.pipeline import Pipeline, Ports
from service.pulse import Heartbeat, here
from service.relay import transport_of
from service.reload import Build, Reload, Sources, built
from service.rewording import reword_outdated
from service.rounds import Round, Rounds
from service.secrets import SecretError
from service.settings import Mailbox, Settings
from service.sharing import KEEP_SECONDS, POLL_SECONDS, Share
from service.watch import FolderWatch, Spec, WatchPorts
from service.watchdog import Watchdog
from service.writer import Writer
from store.database import Database
from templates import render

log = logging.getLogger("deskbell.daemon")

LOOK_SECONDS = 1.0
"""A loop with nothing to do looks again after this: a command may have written beside us, and cannot ring."""
STOP_SECONDS = 8.0
CHECK_SECONDS = 60.0
STUCK_AFTER = {"settle": 300.0, "door": 60.0}
"""Seconds without a step, by loop. A batch of mails that all cost too much may take longer: after a new start each of
them is tried alone, so that even then there is progress."""
STUCK_OTHERWISE = 1800.0
"""Seconds for a loop that talks to a server: above the sum of the timeouts of its adapter."""
RELOAD_SECONDS = 0.5
"""How often the store is asked whether routing or people have changed."""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What is opened before the daemon: settings read, database locked and prepared, and how a house is built."""

    settings: Settings
    database: Database
    epoch: int
    read_settings: Callable[[], Settings]
    build: Build
    installed: Installed


class Daemon:
    """Runs one installation until it is stopped."""

    def __init__(self, foundation: Foundation) -> None:
        self._settings = foundation.settings
        self._database = foundation.database
        self._epoch = foundation.epoch
        self._folder_names = folders_of(self._settings)
        self._share = Share(self._database, self._epoch, self._folder_names)
        self._stop = threading.Event()
        self._opened: set[str] = set()
        self._attention = SocketBell()
        self._is_ending = False
        self._watchdog = Watchdog(time.monotonic)
        self._settle_bell = Bell()
        self._reload_bell = Bell()
        self._courier_bells: list[Bell] = []
        self._folder_bells: list[SocketBell] = []
        # The child starts before any thread or connection, so that it inherits none.
        self._parser = ParserProcess()
        self._parser.start()
        self._writer = Writer(self._database)
        self._heartbeat = Heartbeat(self._writer, utc_now, here(self._epoch), folders=self._folder_names)
        self._tokens = TokenSources(utc_now)
        sources = Sources(self._database, self._writer, foundation.read_settings, foundation.build, utc_now)
        house, held = built(sources, self._settings, rereads_file=True)
        ports = Ports(self._database, self._writer, self._parser, utc_now)
        self._pipeline = Pipeline(ports, house, epoch=foundation.epoch)
        self._front = FrontDoor(self._take, house, self._settings)
        self._house = house
        self._rounds = Rounds(self._database, self._writer, self._settings, house)
        self._claims = Claims(foundation.installed, self._writer, lambda: self._house.keyring, utc_now)
        tenants = (self._pipeline, self._front, self._rounds, self)
        self._reload = Reload(sources, held, [tenant.move_into for tenant in tenants])

    def move_into(self, house: House) -> None:
        """What a courier finds outdated is said anew as by that house."""
        self._house = house

    # A signal handler runs in the main thread between any two steps of it, also while that holds a lock: locks are
    # left alone here, and the main thread does the rest.

    def stop(self) -> None:
        """Begin to stop: each loop ends after the step it is in. For signal handlers too."""
        self._is_ending = True
        self._attention.ring()

    def reload(self) -> None:
        """Read the configuration again, soon. For signal handlers too."""
        self._reload.ask()

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`; `ready` is called once, when every folder and door is open."""
        self._attention.ring_at_signals()
        compose.self_test()
        render.check()
        self._keep_share()
        self._heartbeat.begin()
        with ExitStack() as after:
            after.callback(self._release_share)
            after.callback(self._parser.close)
            after.callback(self._writer.stop)
            threads = [*self._couriers(), self._settler(), self._reloader(), *self._folders(), *self._doors()]
            threads += [self._alarm(), *map(self._round, self._rounds.every), *self._sharers()]
            for thread in threads:
                thread.start()
            self._stand_by(ready)
            notify.tell("STOPPING=1")
            self._stop.set()
            self._ring_everybody()
            deadline = time.monotonic() + STOP_SECONDS
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0))

    def _stand_by(self, ready: Callable[[], None]) -> None:
        """Wait for the end; the service manager hears when we are ready, and that every loop comes round."""
        asked = notify.watchdog_seconds(os.environ, pid=os.getpid())
        expected, is_ready = set(self._expected()), False
        while not self._is_ending:
            if not is_ready and expected <= self._opened:
                is_ready = True
                ready()
                notify.tell("READY=1")
            self._attention.wait(asked / 3 if asked else CHECK_SECONDS)
            self._watchdog.report(notify.tell)

    def _beat(self, name: str) -> None:
        self._watchdog.beat(name, patience=STUCK_AFTER.get(name, STUCK_OTHERWISE))

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
        return self._folder_names + [name for name, door in (("lmtp", listener.lmtp), ("smtp", listener.smtp)) if door]

    def _is_open(self, name: str) -> None:
        if name not in self._opened:
            self._opened.add(name)
            self._attention.ring()

    def _ring_everybody(self) -> None:
        self._settle_bell.ring()
        self._reload_bell.ring()
        self._ring_senders_and_folders()

    def _ring_senders_and_folders(self) -> None:
        for courier in self._courier_bells:
            courier.ring()
        for folder in self._folder_bells:
            folder.ring()

    def _repeat(self, name: str, step: Callable[[], bool], rest: Callable[[], None]) -> None:
        failures = 0
        while not self._stop.is_set():
            self._beat(name)
            try:
                worked = step()
                self._show_life(name)
                if not worked and not self._stop.is_set():
                    rest()
                failures = 0
            except MailboxError as error:  # what was not stored yet is on the server
                log.log(level_of(error, failures), "%s: %s", name, error)
                self._heartbeat.beat(name, trouble=str(error))
                pause = pause_after(error, failures)
                failures += 1
                self._stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects, hides nothing
            except SecretError as error:  # nobody logged in: mail waits on the server, or in the outbox
                log.error("%s: %s", name, error)  # noqa: TRY400 - the words say it all
                self._heartbeat.beat(name, trouble=str(error))
                self._stop.wait(pause_after(error, failures))
                failures += 1
            except OperationalError as error:  # as below: the database is away, full or busy, which is no mail's fault
                log.error("%s: the database: %s: tried again", name, _words(error))  # noqa: TRY400 - the words say it all
                self._heartbeat.beat(name, trouble=f"the database: {_words(error)}")
                self._stop.wait(pause_after(error, failures))
                failures += 1
            except Exception as error:  # noqa: BLE001 - rolled back: each mail is where the last commit left it
                log.error("%s: failed, tried again: %s", name, failure(error))  # noqa: TRY400 - a message may quote a mail
                self._heartbeat.beat(name, trouble=f"{type(error).__name__}, see the log")
                self._stop.wait(pause_after(error, failures))
                failures += 1

    def _show_life(self, name: str) -> None:
        """A folder is told of by whoever watches it."""
        if name not in self._folder_names or self._share.holds(name):
            self._heartbeat.beat(name)

    def _settler(self) -> threading.Thread:
        def step() -> bool:
            worked = self._pipeline.settle()
            if worked:
                self._ring_senders_and_folders()
            return worked

        return self._thread(SETTLER, step, lambda: self._settle_bell.wait(LOOK_SECONDS))

    def _reloader(self) -> threading.Thread:
        return self._thread("reload", self._reload.step, lambda: self._reload_bell.wait(RELOAD_SECONDS))

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
            transport_of(self._settings, self._tokens),
            Chance(utc_now, random.random),
            gap=gap,
        )

        def step() -> bool:
            reword_outdated(self._database, self._writer, self._house, utc_now())
            return courier.step()

        def rest() -> None:
            now = utc_now()
            until = courier.idle_until(now)
            seconds = LOOK_SECONDS if until is None else (until - now).total_seconds()
            bell.wait(min(max(seconds, 0.01), LOOK_SECONDS))

        return self._thread(courier_name(number + 1), step, rest)

    def _round(self, one: Round) -> threading.Thread:
        def step() -> bool:
            worked = one.step(utc_now())
            if worked:
                self._ring_senders_and_folders()
            return worked

        return self._thread(one.name, step, lambda: self._pause(one.seconds))

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
        account = account_of(imap, self._tokens)
        hold = self._claims.of(mailbox.address, folder, account).hold
        opened = partial(Folder.open, account, folder)
        ports = WatchPorts(opened, self._pipeline, self._database, self._writer, utc_now, hold)
        spec = Spec(mailbox.address, folder, imap.after, self._settings.limits.message_octets)
        watch = FolderWatch(spec, ports)
        name = folder_name(mailbox.address, folder)

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

    def _alarm(self) -> threading.Thread:
        overlooked, expiring = Alarm(self._database, self._settings, utc_now), ExpiryAlarm(self._settings, log.warning)

        def step() -> bool:
            expiring.step(utc_now().date())
            return overlooked.step()

        return self._thread("alarm", step, lambda: self._pause(ALARM_SECONDS))

    def _doors(self) -> Sequence[threading.Thread]:
        listener = self._settings.listener
        wanted = [Opening("lmtp", listener.lmtp)] if listener.lmtp else []
        wanted += [Opening("smtp", listener.smtp)] if listener.smtp else []
        if not wanted:
            return []

        def stopped() -> bool:
            self._beat("door")
            return self._stop.is_set()

        serve = (wanted, self._is_open, stopped)
        return [threading.Thread(target=self._front.serve, args=serve, name="door", daemon=True)]

    def _take(self, arrival: Arrival) -> "Future[None]":
        future = self._writer.submit(self._pipeline.acceptance([arrival]))
        future.add_done_callback(lambda _future: self._settle_bell.ring())
        return future


def _words(error: OperationalError) -> str:
    """The driver's own, on one line and without the statement."""
    return " ".join(str(error.orig).split())
