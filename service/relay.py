"""The relay that takes our mail, as configured."""

import socket

from delivery.maildir import MaildirTransport
from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Transport
from service.oauth_tokens import TokenSources
from service.server import Smtp
from service.settings import Settings


def smtp_server_of(smtp: Smtp, tokens: TokenSources | None = None) -> SmtpServer:
    """Where and as whom to connect; the password is looked up at each login, a token comes from `tokens`.

    Who gives no tokens has some of their own, shared with nobody.
    """
    secret = smtp.secret
    return SmtpServer(
        host=smtp.host,
        port=smtp.port,
        tls=smtp.tls,
        user=smtp.user,
        password=secret.reveal if secret else None,
        tokens=(tokens or TokenSources()).of(smtp.oauth) if smtp.oauth else None,
        ca_file=str(smtp.ca_file) if smtp.ca_file else None,
        hostname=socket.getfqdn(),
    )


def transport_of(settings: Settings, tokens: TokenSources | None = None) -> Transport:
    """What hands our mail over; nothing is connected yet."""
    if settings.maildir is not None:
        return MaildirTransport(settings.maildir.path)
    assert settings.smtp is not None
    return SmtpTransport(smtp_server_of(settings.smtp, tokens))
