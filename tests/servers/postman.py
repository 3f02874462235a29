"""A relay whose mail arrives: what the sink takes is delivered to a Dovecot, perhaps changed on the way."""

import re
from collections.abc import Callable

from tests.servers.dovecot import Dovecot
from tests.servers.sink import Manner, Sink, Taken

Change = Callable[[bytes], bytes]


def unchanged(content: bytes) -> bytes:
    """The mail as it was."""
    return content


def renamed(content: bytes) -> bytes:
    """The mail with a Message-ID of the relay's own, as Microsoft 365 gives one."""
    return re.sub(rb"(?m)^Message-ID: <[^>]*>", b"Message-ID: <new.name@relay.example>", content, count=1)


def stripped(content: bytes) -> bytes:
    """The mail renamed, and without any field of ours."""
    return re.sub(rb"(?m)^X-Deskbell-Id: .*\r\n", b"", renamed(content))


class Postman(Sink):
    """Delivers each mail to the mailbox of its recipient's local part; `lost` mails are taken and never arrive."""

    def __init__(self, dovecot: Dovecot, change: Change = unchanged, *, lost: bool = False, tls: str = "none") -> None:
        super().__init__(manner=Manner(tls=tls))
        self._dovecot = dovecot
        self._change = change
        self._lost = lost

    def keep(self, taken: Taken) -> None:
        """Deliver before the client is answered, so that an answer means it is there."""
        if not self._lost:
            for recipient in taken.recipients:
                self._dovecot.deliver(recipient, self._change(taken.content), taken.sender)
        super().keep(taken)
