"""What doctor says of the way out: the relay answers, is encrypted, knows us, and lets us send as each mailbox."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from delivery.retry import Stage
from delivery.trial import RelayFault, trial
from service.finding import Finding, bad, ok, skipped
from service.relay import smtp_server_of
from service.server import Smtp
from service.settings import Settings

_CONNECT_SECONDS, _REPLY_SECONDS = 10.0, 20.0


def relay(settings: Settings) -> Iterator[Finding]:
    """The relay as run will use it; no mail is handed over. Raises SecretError."""
    if settings.smtp is None:
        yield folder(settings.maildir.path if settings.maildir else settings.path.parent)
        return
    senders = [mailbox.address for mailbox in settings.mailbox]
    yield from tried(settings.smtp, senders)


def folder(path: Path) -> Finding:
    """A [maildir] needs no relay."""
    return skipped("relay", f"mail goes into folders at {path}; nobody is written to", "set [smtp] to send mail")


def tried(smtp: Smtp, senders: list[str]) -> Iterator[Finding]:
    """One line for the relay, one for each sender it refuses. Raises SecretError."""
    server = replace(smtp_server_of(smtp), connect_timeout=_CONNECT_SECONDS, reply_timeout=_REPLY_SECONDS)
    place = f"{smtp.host}:{smtp.port}"
    try:
        result = trial(server, senders)
    except RelayFault as fault:  # what is owed waits in the outbox
        yield bad("relay", f"{place} at {fault.stage}: {fault}", _advice(fault, smtp))
        return
    login = f"as {smtp.user}" if smtp.user else "without login"
    yield ok("relay", f"{place} ({smtp.tls}) {login}")
    for sender, words in result.refused:
        yield bad(f"send as {sender}", f"the relay refuses: {words}", f"allow {smtp.user or 'us'} to send as {sender}")


def _advice(fault: RelayFault, smtp: Smtp) -> str:
    if fault.certificate:
        return "for an authority of your own set smtp.ca_file; the host must be the name in the certificate"
    if fault.stage is Stage.AUTH:
        return "correct smtp.user and its password; many servers want SMTP AUTH switched on for the account"
    return f"is it the right place, and smtp.tls = {smtp.tls!r} what it speaks? 465 is tls, 587 is starttls"
