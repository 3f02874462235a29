"""Which of our mailboxes a mail is addressed to, as its header and the copy in hand say.

1. It is for the mailboxes in To, in that order; where none of ours stands there, for those in Cc.
2. The mailbox it came in at, in neither of them (Bcc, a list), is one more it is for.
3. The others in Cc get a copy.
4. A mailbox that observes has no part beside one that does not: its department knows nothing of deskbell yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from desk.acknowledge import Mode
from desk.mail import Address, Mail
from service.house import House, Mailbox


@dataclass(frozen=True, slots=True)
class Addressed:
    """The mailboxes a mail is for, at least one and the one that answers first; and those that get a copy."""

    mailboxes: tuple[Mailbox, ...]
    copies: tuple[Mailbox, ...] = ()


def addressed(came_in_at: Mailbox, mail: Mail, house: House) -> Addressed:
    """Whom the mail is for. It is the same for each of its copies, but for those that no field accounts for."""
    to, cc = _ours(mail.to, house), _ours(mail.cc, house)
    if not (to or cc) or {*to, *cc} == {came_in_at.address}:
        return Addressed((came_in_at,))
    first = to or cc
    here = () if came_in_at.address in (*to, *cc) else (came_in_at.address,)
    named = [house.mailboxes[one] for one in (*first, *here)]
    awake = [one for one in named if one.mode is not Mode.OBSERVE] or named
    copies = [house.mailboxes[one] for one in cc if one not in first]
    return Addressed(tuple(awake), tuple(copies))


def is_named(mailbox: Mailbox, mail: Mail, house: House) -> bool:
    """Whether To or Cc names the mailbox."""
    return mailbox.address in (*_ours(mail.to, house), *_ours(mail.cc, house))


def _ours(addresses: Iterable[Address], house: House) -> tuple[str, ...]:
    """Our mailboxes among the addresses, each once, in their order."""
    found = (house.mailbox_of(one.address) for one in addresses)
    return tuple(dict.fromkeys(one.address for one in found if one is not None))
