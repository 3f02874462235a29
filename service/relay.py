"""The relay that takes our mail, as configured."""

import socket

from delivery.maildir import MaildirTransport
from delivery.smtp import SmtpServer, SmtpTransport
from delivery.transport import Transport
from service.server import Smtp
from service.settings import Settings


def smtp_server_of(smtp: Smtp) -> SmtpServer:
    """Where and as whom to connect; the password is looked up at each login."""
    secret = smtp.secret
    return SmtpServer(
        host=smtp.host,
        port=smtp.port,
        tls=smtp.tls,
        user=smtp.user,
        password=secret.reveal if secret else None,
        ca_file=str(smtp.ca_file) if smtp.ca_file else None,
        hostname=socket.getfqdn(),
    )


def transport_of(settings: Settings) -> Transport:
    """What hands our mail over; nothing is connected yet."""
    if settings.maildir is not None:
        return MaildirTransport(settings.maildir.path)
    assert settings.smtp is not None
    return SmtpTransport(smtp_server_of(settings.smtp))
