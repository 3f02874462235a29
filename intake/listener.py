"""Our own LMTP and SMTP door: a mail is answered 250 only after it is kept, and anything unforeseen is answered 4xx.

Whoever can reach the port is a peer: nobody logs in and nothing is relayed, since only our own recipients are accepted.
TLS is not spoken: the door stands behind a mail server, on loopback or in a trusted network. The library speaks the
protocol; what it would answer wrongly is answered here, in methods that have its names. Its answers to a failure are
permanent and tell what went wrong inside, it answers DATA once also by LMTP, and its stop cuts a mail in the middle.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import AnyStr, Literal

import aiosmtpd.smtp
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from desk.arrival import Envelope
from intake import smtp_text
from intake.limits import DoorLimits
from intake.transparency import LAST_LINE, Received, has_line_beyond

__all__ = ["Door", "DoorLimits"]

LINGER = 5.0
"""Seconds in which a peer may read our goodbye before it is cut off."""

_COMMAND = 2_048
"""Octets of a command line: RFC 5321 section 4.5.3.1.4 asks for 512 and more for each extension."""

_LOG = logging.getLogger("deskbell.door")


class Door:
    """Listens for LMTP (RFC 2033) and SMTP (RFC 5321) and hands over each mail with its envelope.

    take(envelope, raw) is awaited once for each different recipient that is ours; raw is exactly what was sent, without
    the transparency dots. When it returns the mail is kept and 250 goes out; when it raises, 451 goes out and the peer
    tries again, in SMTP for all recipients of the mail; when the peer leaves or is too late, it is cancelled. So the
    same mail may be handed over twice and take has to know it again. The envelope's sender is "" for the null
    reverse-path. is_ours gets the bare address as written.
    """

    def __init__(
        self,
        take: Callable[[Envelope, bytes], Awaitable[None]],
        is_ours: Callable[[str], bool],
        limits: DoorLimits,
        hostname: str,
    ) -> None:
        self._room = _Room(take=take, is_ours=is_ours, limits=limits, hostname=hostname)
        self._servers: list[asyncio.Server] = []

    async def open(self, protocol: Literal["lmtp", "smtp"], host: str, port: int) -> int:
        """Accept connections there from now on; answers the bound port. Raises OSError where that cannot be."""
        session = {"lmtp": _LmtpSession, "smtp": _Session}[protocol]
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Gate(self._room, session), host, port)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self, grace: float) -> None:
        """Accept nothing more; sessions get 421 at once, or after the mail in their hands within grace seconds.

        Afterwards no session is left. What was cut off had no reply yet and is still with its sender.
        """
        self._room.closing = True
        for server in self._servers:
            server.close()
        sessions = tuple(self._room.sessions)
        for session in sessions:
            if not session.within_data:
                session.leave(smtp_text.CLOSING)
        if sessions:
            await asyncio.wait([session.gone for session in sessions], timeout=grace)
            for session in sessions:
                session.cut()
            await asyncio.wait([end for session in sessions for end in session.ends()])


@dataclass(slots=True)
class _Room:
    """What all sessions of a door share: whom they call, who is there, how many octets of mail they hold."""

    take: Callable[[Envelope, bytes], Awaitable[None]]
    is_ours: Callable[[str], bool]
    limits: DoorLimits
    hostname: str
    sessions: "set[_Session]" = field(default_factory=set)
    held: int = 0
    closing: bool = False

    def refusal(self, peer: str) -> str | None:
        """Why a further connection of that peer is not wanted, or None."""
        if self.closing:
            return smtp_text.CLOSING
        mine = sum(session.host == peer for session in self.sessions)
        crowded = len(self.sessions) >= self.limits.connections or mine >= self.limits.per_peer
        return smtp_text.CROWDED if crowded else None


class _Gate(asyncio.Protocol):
    """Decides on a new connection before a session, which is costly, is made for it."""

    def __init__(self, room: _Room, session: "type[_Session]") -> None:
        self._room = room
        self._session = session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection to a session, or say 421 and close."""
        assert isinstance(transport, asyncio.Transport)
        refusal = self._room.refusal(_peer_host(transport))
        if refusal:
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        session = self._session(self._room)
        transport.set_protocol(session)
        session.connection_made(transport)


class _Answers:
    """The library's hooks: what we offer, and whom we take mail for."""

    def __init__(self, room: _Room) -> None:
        self._room = room

    async def handle_EHLO(  # noqa: N802 - name and arguments are the library's
        self,
        _server: object,
        session: aiosmtpd.smtp.Session,
        _envelope: object,
        hostname: str,
        offered: list[str],
    ) -> list[str]:
        session.host_name = hostname
        # As one reply: its last line must not be given an enhanced code.
        return ["\r\n".join([*offered[:-1], "250-PIPELINING", "250 ENHANCEDSTATUSCODES"])]

    async def handle_RCPT(  # noqa: N802 - name and arguments are the library's
        self,
        _server: object,
        _session: object,
        envelope: aiosmtpd.smtp.Envelope,
        address: str,
        _options: object,
    ) -> str:
        if not smtp_text.is_plain(address):
            return "550 5.1.3 No mailbox here has such an address"
        if not self._room.is_ours(address):
            return "550 5.1.1 No such mailbox here"
        if len(envelope.rcpt_tos) >= self._room.limits.recipients:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"


class _CommandSizes(dict[str, int]):
    """One size for each command. The library's own dictionary is everybody's and grows with what peers send."""

    def __missing__(self, _command: str) -> int:
        return _COMMAND


class _Session(SMTP):
    """One connection. within_data: a mail is in our hands; gone is done once the connection is."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self.line_length_limit = room.limits.line
        self.command_size_limits = _CommandSizes()
        loop = asyncio.get_running_loop()
        super().__init__(
            _Answers(room),
            data_size_limit=room.limits.max_octets,
            enable_SMTPUTF8=True,
            hostname=room.hostname,
            ident="ESMTP deskbell",
            timeout=room.limits.command_timeout,
            loop=loop,
        )
        self.host = ""
        self.within_data = False
        self.gone: asyncio.Future[None] = loop.create_future()
        self._held = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the session in; its task starts."""
        super().connection_made(transport)
        self.host = _peer_host(transport)
        self._room.sessions.add(self)
        assert self._handler_coroutine is not None
        # A peer that resets the connection is no error of ours: asyncio would print a traceback for each.
        self._handler_coroutine.add_done_callback(lambda task: task.cancelled() or task.exception())

    def connection_lost(self, error: Exception | None) -> None:
        """Count the session out; a take under way is cancelled, and its mail is still with the sender."""
        super().connection_lost(error)
        self._room.sessions.discard(self)
        self._release()
        self.gone.set_result(None)

    def leave(self, reply: str) -> None:
        """Say goodbye and close. A peer that does not read it is cut off after LINGER seconds, or at a second call."""
        if self._writer.is_closing():
            self.cut()
            return
        self._writer.write(f"{reply}\r\n".encode())
        self._writer.close()
        self._reset_timeout(LINGER)

    def cut(self) -> None:
        """Close without a word; nothing happens to a connection that is closed."""
        self._writer.transport.abort()

    def ends(self) -> "tuple[asyncio.Future[None], ...]":
        """What is done when nothing of the session is left."""
        assert self._handler_coroutine is not None
        return self.gone, self._handler_coroutine

    def _timeout_cb(self) -> None:
        self.leave(smtp_text.TIMEOUT)

    async def push(self, status: AnyStr) -> None:
        """Send a reply, with an enhanced status code once the peer has said EHLO or LHLO."""
        assert self.session is not None
        if isinstance(status, str) and self.session.extended_smtp:
            status = smtp_text.enhanced(status)
        await super().push(status)

    async def handle_exception(self, error: Exception) -> str:
        """Whatever else went wrong: temporary, and the mail is still with the sender."""
        log_id = _logged("session failed", error)
        if self.within_data:
            # What is left of the mail would be read as commands.
            self.leave(f"421 4.3.0 Temporary failure, please try again later ({log_id})")
        return f"451 4.3.0 Temporary failure, please try again later ({log_id})"

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return smtp_text.split_path(arg) or (None, None)

    async def smtp_AUTH(self, _arg: str | None) -> None:  # noqa: N802 - the library's name
        """Refuse it, for good."""
        await self.push("502 5.5.1 Nobody logs in here")

    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802 - the library's name
        """Give the same answer for each address, known or not."""
        await self.push("252 2.0.0 Send the mail and see")

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Take a mail in; nothing of it is left with the session afterwards."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 5.5.4 Syntax: DATA" if arg else "503 5.5.1 DATA comes after an accepted RCPT")
            return
        self.within_data = True
        await self._exchange(self.envelope)
        self._release()
        self.within_data = False
        if self._room.closing:
            self.leave(smtp_text.CLOSING)

    async def _exchange(self, envelope: aiosmtpd.smtp.Envelope) -> None:
        """From 354 to the last reply. DATA has one time for all of it, so that dripping ends; take then has its own."""
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._reset_timeout(self._room.limits.data_timeout)
        received = await self._received()
        self._reset_timeout()
        replies = dict.fromkeys(envelope.rcpt_tos, received if isinstance(received, str) else smtp_text.TAKEN)
        if isinstance(received, bytes):
            sender = smtp_text.envelope_sender(envelope.mail_from or smtp_text.NULL_PATH)
            for recipient in replies:
                replies[recipient] = await self._kept(Envelope(sender, recipient), received)
        self.envelope = self._create_envelope()
        for reply in self._told([replies[recipient] for recipient in envelope.rcpt_tos]):
            await self.push(reply)

    def _told(self, replies: list[str]) -> list[str]:
        """SMTP has one reply for all recipients: the first that is no yes."""
        return [next((reply for reply in replies if reply != smtp_text.TAKEN), smtp_text.TAKEN)]

    async def _kept(self, envelope: Envelope, raw: bytes) -> str:
        try:
            await self._room.take(envelope, raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail must not be refused for good
            # The mail is still with the sender: 451 makes it try again.
            log_id = _logged("mail not kept", error)
            return f"451 4.3.0 Cannot keep the mail now, please try again later ({log_id})"
        return smtp_text.TAKEN

    async def _received(self) -> bytes | str:
        """The mail, or the reply that refuses it. What is refused is read to its end all the same, but not held."""
        mail, refusal = Received(), ""
        while not mail.ended:
            mail.feed(await self._chunk())
            refusal = refusal or self._hold(mail.size)
            if refusal:
                mail.drop()
        if refusal:
            return refusal
        raw = mail.raw()
        return smtp_text.TOO_LONG if has_line_beyond(raw, self._room.limits.line) else raw

    async def _chunk(self) -> bytes:
        """The octets up to a dot that ends a line, or as many as there are: the end of a mail is the end of a chunk."""
        try:
            return await self._reader.readuntil(LAST_LINE)
        except asyncio.LimitOverrunError as beyond:
            # The octets are still with the reader, and no such dot is among them.
            return await self._reader.readexactly(beyond.consumed)

    def _hold(self, size: int) -> str:
        """Count this mail with that many octets from now on; the reply that refuses it, if it is too much."""
        limits = self._room.limits
        self._room.held += size - self._held
        self._held = size
        # The last CRLF is that of the dot, and no part of the mail.
        refusal = smtp_text.TOO_LARGE if size > limits.max_octets + 2 else ""
        if not refusal and self._room.held > limits.held_octets + 2:
            refusal = smtp_text.NO_ROOM
        if refusal:
            self._release()
        return refusal

    def _release(self) -> None:
        self._room.held -= self._held
        self._held = 0


class _LmtpSession(_Session, LMTP):
    """The same by LMTP: LHLO for a greeting and a reply for each recipient (RFC 2033 section 4.2)."""

    def __init__(self, room: _Room) -> None:
        super().__init__(room)
        self.__ident__ = "LMTP deskbell"

    def _told(self, replies: list[str]) -> list[str]:
        return replies


def _peer_host(transport: asyncio.BaseTransport) -> str:
    """The peer's address; empty if it is gone already."""
    peername = transport.get_extra_info("peername")
    return str(peername[0]) if peername else ""


def _logged(words: str, error: Exception) -> str:
    """The id under which the log has the error; the peer is told the id alone."""
    log_id = secrets.token_hex(4)
    _LOG.error("%s (%s)", words, log_id, exc_info=error)
    return log_id
