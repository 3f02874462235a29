"""The Message-ID that a relay gave a mail of ours instead of the one we sent. Pure.

Microsoft 365 names it in its reply to the dot: `250 2.0.0 OK <AM0PR04...@....outlook.com> [Hostname=...]`. Whoever
answers the mail, and whoever reports that it bounced, knows it by that id alone.
"""

import re
from collections.abc import Collection

_MESSAGE_ID = re.compile(r"<[^<>@\s\x00-\x1f\x7f]{1,400}@[^<>@\s\x00-\x1f\x7f]{1,400}>")


def alias_in(reply: str, *, known: Collection[str]) -> str | None:
    """The first Message-ID in a 2xx reply, brackets included; None where there is none.

    known are the mail's own id and its two addresses, which relays name in brackets too.
    """
    if not reply.startswith("2"):
        return None
    apart = {one.strip("<>").lower() for one in known}
    found = (match[0] for match in _MESSAGE_ID.finditer(reply))
    return next((one for one in found if one.strip("<>").lower() not in apart), None)
