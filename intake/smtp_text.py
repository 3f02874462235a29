"""What of SMTP is text: paths in, replies out (RFC 5321). No socket.

The library's own address parser decodes encoded words and drops comments and routes, so that the address would not be
the written one; and its replies have no enhanced codes.
"""

import re

TAKEN = "250 2.0.0 OK"
TOO_LARGE = "552 5.3.4 Message exceeds the size limit"
TOO_LONG = "500 5.6.0 Message has a line that is too long"
NO_ROOM = "452 4.3.1 Too much mail at once, please try again later"
CLOSING = "421 4.3.2 Closing for now, please try again later"
CROWDED = "421 4.3.2 Too many connections, please try again later"
TIMEOUT = "421 4.4.2 Timeout, closing the connection"

NULL_PATH = "<>"

# An address without its brackets: no control, no blank outside quotes, nothing that is no text; then the parameters.
_PATH = re.compile(
    r'<((?:[^<>"\\\x00-\x20\x7f-\x9f\ud800-\udfff]|"(?:[^"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]|\\[ -~])*+")*+)>'
    r"(?: +(.*))?"
)
_SOURCE_ROUTE = re.compile(r"\A@[^:]*:")
# A recipient may be quoted, routed or hacked ("a%b@c", "a!b@c") by RFC 5321; none of our mailboxes is.
_RECIPIENT = re.compile(r'[^\s@%!"<>()\[\]\\,;:]+(?:@[^\s@%!"<>()\[\]\\,;:]+)?')

_ENHANCED = {
    "221": "2.0.0",
    "250": "2.0.0",
    "454": "4.7.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "552": "5.3.4",
    "555": "5.5.4",
}
"""Codes for the library's own replies; LMTP demands them (RFC 2033 section 5, RFC 2034)."""


def split_path(argument: str) -> tuple[str, str] | None:
    """The path without its brackets ("<>" for the null one), and the parameters behind it; None if it is malformed."""
    found = _PATH.fullmatch(argument)
    return (found[1] or NULL_PATH, found[2] or "") if found else None


def is_plain(path: str) -> bool:
    """Whether the path is an address a mailbox of ours could have: not null, quoted, routed or hacked."""
    return _RECIPIENT.fullmatch(path) is not None


def envelope_sender(path: str) -> str:
    """The reverse-path as it is kept: empty if null, without a source route (RFC 5321 appendix C)."""
    return "" if path == NULL_PATH else _SOURCE_ROUTE.sub("", path, count=1)


def enhanced(reply: str) -> str:
    """The reply with an enhanced status code, unless it has one, has several lines, or is of a code unknown here."""
    code, _, words = reply.partition(" ")
    if code not in _ENHANCED or words.startswith(f"{code[0]}."):
        return reply
    return f"{code} {_ENHANCED[code]} {words}"
