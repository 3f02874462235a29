"""The account that a configured mailbox is read with."""

from intake.mailbox import Account
from service.oauth_tokens import TokenSources
from service.server import Imap


def account_of(imap: Imap, tokens: TokenSources | None = None) -> Account:
    """Where and as whom to log in; the password is looked up at each login, a token comes from `tokens`.

    Who gives no tokens has some of their own, shared with nobody.
    """
    return Account(
        host=imap.host,
        port=imap.port,
        tls=imap.tls,
        user=imap.user,
        password=imap.secret.reveal if imap.secret else None,
        tokens=(tokens or TokenSources()).of(imap.oauth) if imap.oauth else None,
        ca_file=str(imap.ca_file) if imap.ca_file else None,
    )
