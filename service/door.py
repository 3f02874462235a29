"""Our own LMTP and SMTP door in a thread with an event loop: 250 goes out when the writer has committed."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from desk.arrival import Arrival, Envelope, Source
from intake.listener import Door, DoorLimits
from service.house import House
from service.notation import HostPort
from service.settings import Settings

log = logging.getLogger("deskbell.door")

GRACE_SECONDS = 5.0
"""How long a mail in transfer may take to end when the daemon stops."""
_LOOK_SECONDS = 0.2


class Opening(NamedTuple):
    """A door to open: protocol and place."""

    protocol: Literal["lmtp", "smtp"]
    at: HostPort


class FrontDoor:
    """All doors of an installation; what comes in is handed to `take`, whose future resolves when it is kept."""

    def __init__(self, take: Callable[[Arrival], "Future[None]"], house: House, settings: Settings) -> None:
        self._take = take
        self._house = house
        self._limits = DoorLimits(max_octets=settings.limits.message_octets)

    def move_into(self, house: House) -> None:
        """Mail that is addressed from now on finds its mailbox in that house."""
        self._house = house

    def serve(self, openings: Sequence[Opening], opened: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Accept mail until stopped; `opened` gets the protocol of each door once it is open."""
        asyncio.run(self._serve(openings, opened, stopped))

    async def _serve(
        self, openings: Sequence[Opening], opened: Callable[[str], None], stopped: Callable[[], bool]
    ) -> None:
        doors = [(Door(self._kept(one), self._is_ours, self._limits, socket.getfqdn()), one) for one in openings]
        await asyncio.gather(*(self._open(door, one, opened, stopped) for door, one in doors))
        while not stopped():  # noqa: ASYNC110 - another thread stops us, and may do so at any time
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.gather(*(door.close(GRACE_SECONDS) for door, _ in doors))

    async def _open(
        self, door: Door, opening: Opening, opened: Callable[[str], None], stopped: Callable[[], bool]
    ) -> None:
        while not stopped():
            try:
                await door.open(opening.protocol, opening.at.host, opening.at.port)
            except OSError as error:  # the port is taken: mail stays with its sender until we can listen
                place = (opening.protocol, opening.at.host, opening.at.port)
                log.error("%s at %s port %d cannot be opened: %s", *place, error)  # noqa: TRY400
                await asyncio.sleep(1.0)
            else:
                opened(opening.protocol)
                return

    def _is_ours(self, address: str) -> bool:
        return self._house.mailbox_of(address) is not None

    def _kept(self, opening: Opening) -> Callable[[Envelope, bytes], Awaitable[None]]:
        source = Source(opening.protocol)

        async def take(envelope: Envelope, raw: bytes) -> None:
            mailbox = self._house.mailbox_of(envelope.recipient or "")
            assert mailbox is not None
            arrival = Arrival(mailbox.address, source, datetime.now(UTC), raw, envelope, size=len(raw))
            await asyncio.wrap_future(self._take(arrival))

        return take
