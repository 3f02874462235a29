"""How long a loop of the daemon waits after a failure, and how loudly it tells of it."""

import logging

from intake.mailbox import ConnectionLost, LoginRefused, MailboxError, Throttled
from service.secrets import SecretError

PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between attempts after failures in a row."""
LOGIN_PAUSE = 30.0
"""Seconds after a refused login, so that a wrong password does not lock the account."""
THROTTLE_PAUSES = (60.0, 120.0, 300.0)
"""Seconds of silence towards a server that asks us to slow down, if it does not name a longer time itself."""
LONGEST_THROTTLE = 900.0


def level_of(error: MailboxError, failures: int) -> int:
    """A connection that ends once in a while is no error: providers end each after some time, or with its token."""
    return logging.INFO if isinstance(error, ConnectionLost) and failures == 0 else logging.ERROR


def pause_after(error: Exception, failures: int) -> float:
    """Seconds; failures counts those in a row before this one."""
    if isinstance(error, LoginRefused | SecretError):
        return LOGIN_PAUSE
    if isinstance(error, Throttled):
        usual = THROTTLE_PAUSES[min(failures, len(THROTTLE_PAUSES) - 1)]
        # A quarter more than the server said: the spread may take a fifth off again.
        return min(max(usual, error.seconds * 1.25), LONGEST_THROTTLE)
    return PAUSES[min(failures, len(PAUSES) - 1)]
