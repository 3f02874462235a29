"""Text of others, such as a server's reply, without the addresses it quotes: for a log and for lists.

A reply often names the recipient. Who was written to is nobody's business where the matter is confidential, and a line
of a log does not know whose it is.
"""

import re

MASK = "(address)"

_SIGN = r"[^\s<>()\[\]\"',:;]"
_ADDRESS = re.compile(rf"{_SIGN}+@{_SIGN}+")


def without_addresses(text: str, *known: str) -> str:
    """The text with MASK for each address in it, and for the local part of each known one standing alone."""
    addresses = [one for one in known if one.rpartition("@")[0]]
    for address in addresses:
        text = re.sub(re.escape(address), MASK, text, flags=re.IGNORECASE)
    text = _ADDRESS.sub(MASK, text)
    for local in (one.rpartition("@")[0] for one in addresses):
        text = re.sub(rf"(?<![\w.+-]){re.escape(local)}(?![\w.+-])", MASK, text, flags=re.IGNORECASE)
    return text
