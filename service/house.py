"""What the steps go by: mailboxes, departments, calendars, rules and keys, built once from the configuration.

Immutable; a changed configuration is a new House.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from desk.acknowledge import External, Mode
from desk.calendar import Calendar
from desk.department import Department
from desk.limiter import Limits
from desk.mail import Address, ascii_fold
from desk.token import Key, Keyring
from intake.evidence import EvidencePolicy
from routing.matcher import Matcher
from routing.reading import read_routing
from routing.rules import CalendarTable, Routing
from service.calendars import CalendarError, CalendarSpec, build_calendar
from service.people import NOBODY, People
from service.settings import Mailbox as MailboxSettings
from service.settings import Settings
from service.written import STARTER_SET, Written, read_written, routing_file


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
    people: People = NOBODY

    def is_own(self, sender: Address | None) -> bool:
        """Whether the address is of one of our domains, or of a person we know."""
        return sender is not None and (sender.domain in self.own_domains or self.people.find(sender) is not None)

    def department_of(self, key: str) -> Department:
        """The department of that key; where it was removed the default one, which answers its requests from then on."""
        return self.departments.get(key) or self.departments[self.matcher.default_department]

    def is_mailbox(self, sender: Address | None) -> bool:
        """Whether the address is a mailbox that we watch, under any of its names."""
        return sender is not None and self.mailbox_of(sender.address) is not None

    def circles(self) -> list[Department]:
        """The departments that read where deskbell watches: their notifications come back as its own mail."""
        return [one for one in self.departments.values() if self.mailbox_of(one.address) is not None]

    def mailbox_of(self, address: str) -> Mailbox | None:
        """The mailbox an address leads to, a plus-tag set aside (RFC 5233), or None."""
        folded = ascii_fold(address)
        local, at, domain = folded.rpartition("@")
        plain = local.partition("+")[0] + at + domain
        for mailbox in self.mailboxes.values():
            if folded in mailbox.addresses or plain in mailbox.addresses:
                return mailbox
        return None


IN_A_CIRCLE = (
    "which deskbell watches: staff find its notifications in that mailbox alone, and an answer from there is not seen"
)
"""What is wrong with a department among House.circles, after its address."""
UNSIGNED = Keyring((Key("a", bytes(32)),))
"""For commands that judge a mail and sign nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the machine contributes: the keys read from disk and the name of the system's zone."""

    keyring: Keyring
    system_zone: str


def build_house(settings: Settings, surroundings: Surroundings, written: Written | None = None) -> House:
    """The house of a configuration, with nobody in it; without written by routing.toml, else the starter set.

    Raises RoutingError or CalendarError for a routing text that can't be used.
    """
    written = written or routing_file(settings) or STARTER_SET
    routing = read_written(written, settings)
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
        calendars=build_calendars(routing, surroundings, written.source),
        matcher=Matcher(routing.rules),
        keyring=surroundings.keyring,
    )


def build_calendars(routing: Routing, surroundings: Surroundings, source: str) -> Mapping[str, Calendar]:
    """The calendars of a routing by key. Raises CalendarError that begins with the source."""
    try:
        return {table.key: _calendar(table, surroundings.system_zone) for table in routing.calendars}
    except CalendarError as error:  # no mail is in hand: no house is built
        raise CalendarError(f"{source}: {error}") from None


def starter_house(surroundings: Surroundings) -> House:
    """The house of no configuration: the starter set, and no mailbox."""
    routing = read_routing(STARTER_SET.text, source=STARTER_SET.source, default_domain="localhost")
    return House(
        mailboxes={},
        own_domains=frozenset(),
        evidence=EvidencePolicy(mode="none"),
        limits=None,
        departments={department.key: department for department in routing.departments},
        calendars=build_calendars(routing, surroundings, STARTER_SET.source),
        matcher=Matcher(routing.rules),
        keyring=surroundings.keyring,
    )


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
