"""The account that a configured mailbox is read with."""

from intake.mailbox import Account
from service.server import Imap


def account_of(imap: Imap) -> Account:
    """Where and as whom to log in; the password is looked up at each login."""
    return Account(
        host=imap.host,
        port=imap.port,
        tls=imap.tls,
        user=imap.user,
        password=imap.secret.reveal if imap.secret else str,
        ca_file=str(imap.ca_file) if imap.ca_file else None,
    )
