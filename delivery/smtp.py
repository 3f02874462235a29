"""Hands mail over to an SMTP server (RFC 5321), one mail and one recipient per transaction, over a kept connection.

Each `except` below says where the mail is at that moment; the contract is in transport.py, the dialogue in session.py.
What it does not solve: whether a mail without a complete reply to its dot was accepted. It says so (Ambiguous).
"""

import contextlib
import smtplib
import ssl
import time
from collections.abc import Callable

from delivery.header import clean_line
from delivery.retry import Stage, Verdict
from delivery.session import SHOWN, Clock, Reply, Session, SmtpServer
from delivery.transport import Ambiguous, Deferred, Outcome, Outgoing, Path, Refused, Scope, Sent, path_of

__all__ = ["SmtpServer", "SmtpTransport", "verdict_of"]

IDLE_TOO_LONG = 421
QUIT_TIMEOUT = 5
"""Seconds; nothing depends on the answer."""


def verdict_of(error: Exception, *, stage: Stage) -> Verdict:
    """What an exception of smtplib says: what its reply said, where it carries one; anything else is temporary."""
    if isinstance(error, smtplib.SMTPResponseException):
        verdict = _reply_in(error, stage).verdict
        return Verdict.UNAVAILABLE if verdict is Verdict.ACCEPTED else verdict
    return Verdict.UNAVAILABLE


def _reply_in(error: smtplib.SMTPResponseException, stage: Stage) -> Reply:
    said = error.smtp_error
    return Reply(stage, error.smtp_code, said if isinstance(said, str) else said.decode("ascii", "replace"))


class SmtpTransport:
    """A Transport (see transport.py) to one SMTP server."""

    def __init__(self, server: SmtpServer, clock: Clock = time.monotonic) -> None:
        """Nothing is connected yet. Raises OSError for a ca_file that cannot be read."""
        self._server = server
        self._clock = clock
        self._context = None if server.tls == "none" else ssl.create_default_context(cafile=server.ca_file)
        self._session: Session | None = None

    def send(self, outgoing: Outgoing, before_dot: Callable[[], None]) -> Outcome:
        """What became of this attempt."""
        path = path_of(outgoing)
        if isinstance(path, Refused):
            return path
        try:
            begun = self._begun(path)
            return self._handed_over(begun, outgoing.content, before_dot) if isinstance(begun, Session) else begun
        except BaseException:
            # before_dot, the password source or a signal broke in. In the outbox, and only if the dot was written
            # perhaps with the server too; hanging up delivers nothing that was not delivered before.
            self._drop()
            raise

    def close(self) -> None:
        """Nothing is kept open; the server was told, if it still listens."""
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(OSError):  # every mail of this session was settled before
                session.write(b"QUIT\r\n", QUIT_TIMEOUT)
                session.read(QUIT_TIMEOUT)
            session.close()

    def _begun(self, path: Path) -> Session | Outcome:
        """A session that waits for the content: the kept one if it still lives, else a new one."""
        kept = self._kept()
        if kept is not None:
            try:
                reply = kept.begin(path)
            except OSError:
                # The server hung up while we were idle: nothing of this mail was accepted, so it is said anew.
                self._drop()
            else:
                if reply is None or reply.code != IDLE_TOO_LONG:
                    return self._judged(kept, reply)
                self._drop()  # no word about this mail, which is said anew
        return self._begun_anew(path)

    def _begun_anew(self, path: Path) -> Session | Outcome:
        session = self._opened()
        if not isinstance(session, Session):
            return session
        try:
            return self._judged(session, session.begin(path))
        except OSError as error:
            # In the outbox only: the server never had the content.
            return self._lost(session, error)

    def _kept(self) -> Session | None:
        session = self._session
        if session is None:
            return None
        server = self._server
        if session.mails < server.max_mails and self._clock() - session.opened_at < server.max_seconds:
            return session
        self.close()
        return None

    def _opened(self) -> Session | Outcome:
        session = self._session = Session(self._server, self._clock)
        try:
            session.start(self._context)
        except OSError as error:
            # In the outbox only: not a word of the mail was said.
            return self._lost(session, error)
        except UnicodeEncodeError:
            # As above; smtplib's AUTH speaks ASCII.
            self._drop()
            return Refused("the user name or password holds a letter that is not ASCII", Scope.ACCOUNT)
        return session

    def _judged(self, session: Session, reply: Reply | None) -> Session | Outcome:
        """The session where the server said yes to everything, else what its refusal means; ready for the next mail."""
        if reply is None:
            return session
        self._reset(session, reply)
        return _outcome(reply)

    def _reset(self, session: Session, reply: Reply) -> None:
        """The session has no transaction open, or is gone."""
        usable = session.in_step and reply.verdict in {Verdict.REFUSED, Verdict.TEMPORARY}
        try:
            if usable and session.docmd("RSET")[0] == 250:  # noqa: PLR2004 - RFC 5321 section 4.1.1.5
                return
        except OSError:
            pass  # the mail was answered before; only the connection is lost
        self._drop()

    def _handed_over(self, session: Session, content: bytes, before_dot: Callable[[], None]) -> Outcome:
        try:
            session.content(content)
        except OSError as error:
            # In the outbox only: without the dot the server must forget what it has (RFC 5321 section 4.1.1.4).
            return self._lost(session, error)
        before_dot()
        try:
            reply = session.dot()
        except OSError as error:
            # In the outbox, and perhaps with the server too.
            self._drop()
            return Ambiguous(_words(error, session.stage))
        session.mails += 1
        return self._settled(session, reply)

    def _settled(self, session: Session, reply: Reply) -> Outcome:
        if reply.verdict is Verdict.ACCEPTED:
            return Sent(reply.shown)
        self._reset(session, reply)
        if not 400 <= reply.code < 600:  # noqa: PLR2004 - RFC 5321 section 4.2.1: the refusals
            return Ambiguous(f"no reply to a dot: {reply.shown}")
        return _outcome(reply)

    def _lost(self, session: Session, error: OSError) -> Outcome:
        self._drop()
        verdict = verdict_of(error, stage=session.stage)
        where = f"{self._server.host}:{self._server.port} at {session.stage}: {_words(error, session.stage)}"
        return Refused(where, Scope.ACCOUNT) if verdict is Verdict.HELD else Deferred(where, Scope.CONNECTION)

    def _drop(self) -> None:
        """The connection is closed without a word, which is safe at any moment."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _outcome(reply: Reply) -> Outcome:
    match reply.verdict:
        case Verdict.REFUSED:
            return Refused(reply.shown, Scope.RECIPIENT)
        case Verdict.HELD:
            return Refused(reply.shown, Scope.ACCOUNT)
        case Verdict.TEMPORARY:
            return Deferred(reply.shown, Scope.RECIPIENT)
        case _:
            return Deferred(reply.shown, Scope.CONNECTION)


def _words(error: OSError, stage: Stage) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply_in(error, stage).shown
    return clean_line(f"{type(error).__name__}: {error}", SHOWN)
