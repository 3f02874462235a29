"""What the steps go by: mailboxes, departments, calendars, rules and keys, built once from the configuration.

Immutable; a changed configuration is a new House.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desk.acknowledge import External, Mode
from desk.calendar import Calendar
from desk.department import Department
from desk.limiter import Limits
from desk.mail import Address, ascii_fold
from desk.token import Key, Keyring
from intake.evidence import EvidencePolicy
from routing.matcher import Matcher
from routing.reading import read_routing
from routing.rules import CalendarTable, Routing, starter_text
from routing.tables import RoutingError
from service.calendars import CalendarSpec, build_calendar
from service.settings import Mailbox as MailboxSettings
from service.settings import Settings

STARTER = "the starter set"
ROUTING_FILE = "routing.toml"
"""Beside config.toml: departments, calendars and rules of one's own instead of the starter set."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A watched shared address with what holds for it; addresses are folded, aliases included."""

    address: str
    addresses: frozenset[str]
    department: str | None
    mode: Mode
    external: External


@dataclass(frozen=True, slots=True)
class House:
    """Everything a decision may look at that is no mail. limits None: nothing is limited."""

    mailboxes: Mapping[str, Mailbox]
    own_domains: frozenset[str]
    departments: Mapping[str, Department]
    calendars: Mapping[str, Calendar]
    matcher: Matcher
    keyring: Keyring
    evidence: EvidencePolicy
    limits: Limits | None

    def is_own(self, sender: Address | None) -> bool:
        """Whether the address is of one of our domains."""
        return sender is not None and sender.domain in self.own_domains

    def is_mailbox(self, sender: Address | None) -> bool:
        """Whether the address is a mailbox that we watch, under any of its names."""
        return sender is not None and self.mailbox_of(sender.address) is not None

    def mailbox_of(self, address: str) -> Mailbox | None:
        """The mailbox an address leads to, a plus-tag set aside (RFC 5233), or None."""
        folded = ascii_fold(address)
        local, at, domain = folded.rpartition("@")
        plain = local.partition("+")[0] + at + domain
        for mailbox in self.mailboxes.values():
            if folded in mailbox.addresses or plain in mailbox.addresses:
                return mailbox
        return None


UNSIGNED = Keyring((Key("a", bytes(32)),))
"""For commands that judge a mail and sign nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the machine contributes: the keys read from disk and the name of the system's zone."""

    keyring: Keyring
    system_zone: str


def build_house(settings: Settings, surroundings: Surroundings) -> House:
    """The house of a configuration. Raises RoutingError or CalendarError for a routing file that can't be used."""
    own = settings.path.parent / ROUTING_FILE
    text, source = (_text_of(own), str(own)) if own.exists() else (starter_text(), STARTER)
    routing = read_routing(text, source=source, default_domain=settings.own_domains[0])
    _check_departments(settings, routing, source)
    domains = frozenset(settings.own_domains)
    evidence = EvidencePolicy(
        mode=settings.auth.mode, own_domains=domains, trusted_ids=frozenset(settings.auth.trusted_ids)
    )
    return House(
        mailboxes={one.address: _mailbox(one) for one in settings.mailbox},
        own_domains=domains,
        evidence=evidence,
        limits=_limits(settings) if settings.limits.enabled else None,
        departments={department.key: department for department in routing.departments},
        calendars={table.key: _calendar(table, surroundings.system_zone) for table in routing.calendars},
        matcher=Matcher(routing.rules),
        keyring=surroundings.keyring,
    )


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:  # no mail is in hand yet
        line = content.count(b"\n", 0, error.start) + 1
        raise RoutingError(
            str(path), place="", key="", found=f"another encoding in line {line}", accepted="TOML in UTF-8"
        ) from None


def starter_house(surroundings: Surroundings) -> House:
    """The house of no configuration: the starter set, and no mailbox."""
    routing = read_routing(starter_text(), source=STARTER, default_domain="localhost")
    return House(
        mailboxes={},
        own_domains=frozenset(),
        evidence=EvidencePolicy(mode="none"),
        limits=None,
        departments={department.key: department for department in routing.departments},
        calendars={table.key: _calendar(table, surroundings.system_zone) for table in routing.calendars},
        matcher=Matcher(routing.rules),
        keyring=surroundings.keyring,
    )


def _check_departments(settings: Settings, routing: Routing, source: str) -> None:
    known = [department.key for department in routing.departments]
    for number, mailbox in enumerate(settings.mailbox, 1):
        if mailbox.department is not None and mailbox.department not in known:
            place = f"mailbox[{number}] ({mailbox.address})"
            accepted = f"a department of {source}: {', '.join(known)}"
            found = repr(mailbox.department)
            raise RoutingError(str(settings.path), place=place, key="department", found=found, accepted=accepted)


def _limits(settings: Settings) -> Limits:
    given = settings.limits
    return Limits(
        own_per_hour=given.own_receipts_per_hour,
        own_per_day=given.own_receipts_per_day,
        same_words_per_day=given.same_words_receipts_per_day,
        external_per_day=given.external_receipts_per_day,
        external_domain_per_day=given.external_domain_receipts_per_day,
        circuit_per_10_minutes=given.circuit_receipts_per_10_minutes,
        catch_up=given.catch_up_receipts,
    )


def _mailbox(one: MailboxSettings) -> Mailbox:
    return Mailbox(
        address=one.address,
        addresses=frozenset(one.addresses),
        department=one.department,
        mode=Mode(one.mode),
        external=External(one.external),
    )


def _calendar(table: CalendarTable, system_zone: str) -> Calendar:
    spec = CalendarSpec(
        key=table.key,
        zone=table.zone,
        hours=table.hours,
        country=table.country or None,
        region=table.region or None,
        closed=table.closed,
        open_days=table.open_days,
    )
    return build_calendar(spec, system_zone=system_zone)
