"""Says in time that a client secret ends: with it, all mail of the account stops on one day."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from service.oauth import OAuth
from service.settings import Settings

WARN_BEFORE = timedelta(days=30)

_WHERE = {
    "m365": " (Entra admin center, App registrations, Certificates & secrets)",
    "google": " (Google Cloud console, APIs & Services, Credentials)",
    "generic": "",
}


@dataclass(frozen=True, slots=True)
class Expiry:
    """What a secret's end means, and what to do about it: a sentence each, without its full stop."""

    meaning: str
    advice: str

    def __str__(self) -> str:
        """Both, as the log has them."""
        return f"{self.meaning}. {self.advice}."


def expiry_warning(account: str, oauth: OAuth, *, today: date) -> Expiry | None:
    """What to tell about the account's client secret, from 30 days before its end on; else None."""
    ends = oauth.secret_expires
    if ends is None or today < ends - WARN_BEFORE:
        return None
    days = (ends - today).days
    if days < 0:
        when = f"expired on {ends}"
    else:
        left = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
        when = f"expires on {ends}, {left}; from then on no mail comes or goes by it"
    whose = f" of application {oauth.client_id}" if oauth.client_id else ""
    place = f" into {oauth.secret.source}" if oauth.secret else " where it is used"
    return Expiry(
        f"{account}: the client secret{whose} {when}",
        f"Make a new one{_WHERE[oauth.provider]}, put it{place}, and set secret_expires to its last day",
    )


def expiry_warnings(settings: Settings, *, today: date) -> list[Expiry]:
    """One warning for each account whose client secret ends within 30 days, or has ended."""
    warnings = (expiry_warning(account, oauth, today=today) for account, oauth in accounts(settings))
    return [warning for warning in warnings if warning is not None]


def accounts(settings: Settings) -> Iterator[tuple[str, OAuth]]:
    """Each account that logs in by tokens, by the mailbox's address or as smtp."""
    for mailbox in settings.mailbox:
        if mailbox.imap is not None and mailbox.imap.oauth is not None:
            yield mailbox.address, mailbox.imap.oauth
    if settings.smtp is not None and settings.smtp.oauth is not None:
        yield "smtp", settings.smtp.oauth


class ExpiryAlarm:
    """Tells each warning once a day."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._told: date | None = None

    def step(self, today: date) -> None:
        """The warnings of the day have been told."""
        if today != self._told:
            for warning in expiry_warnings(self._settings, today=today):
                self._tell(str(warning))
            self._told = today
