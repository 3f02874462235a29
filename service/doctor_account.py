"""What doctor says of a mailbox's account: login, what the server offers, and what may be done in each folder."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from intake.mailbox import Folder, FolderMissing, LoginRefused, MailboxError
from service.accounts import account_of
from service.finding import Finding, bad, ok, warn
from service.secrets import SecretError
from service.server import Imap
from service.settings import Mailbox
from service.watch import KEYWORD

CONNECT_SECONDS, READ_SECONDS = 10.0, 20.0


def account(mailbox: Mailbox) -> Iterator[Finding]:
    """The account as run will use it: each folder is opened for reading and marking, and left as it was."""
    assert mailbox.imap is not None
    imap, address = mailbox.imap, mailbox.address
    patient = replace(account_of(imap), connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    told = False
    for name in imap.folders:
        try:
            folder = Folder.open(patient, name)
        except FolderMissing as error:  # the mail is where it was; so below
            yield bad(
                f"folder {address} {name}", str(error), "compare the name on the server, and the account's rights"
            )
            continue
        except (MailboxError, SecretError) as error:
            yield refused(address, imap, error)
            return
        with closing(folder):
            if not told:
                yield ok(f"login {address}", f"as {imap.user} at {imap.host}:{imap.port} ({imap.tls})")
                yield offered(address, folder.capabilities())
                told = True
            yield ok(f"folder {address} {name}", f"may be read and marked; mails in it: {folder.state.exists}")
            yield marking(f"keyword {address} {name}", imap, keywords=folder.state.keywords)


def refused(address: str, imap: Imap, error: Exception) -> Finding:
    """Why nobody could log in, and what to look at first."""
    if isinstance(error, LoginRefused):
        advice = "correct user and password; many servers want an application password or a switched-on IMAP"
    elif isinstance(error, SecretError):
        advice = "correct the password's source"
    elif "CERTIFICATE_VERIFY" in str(error):
        advice = "for an authority of your own set ca_file; the host must be the name in the certificate"
    else:
        advice = f"is {imap.host}:{imap.port} the right place, and tls = {imap.tls!r} what it speaks?"
    return bad(f"login {address}", str(error), advice)


def offered(address: str, capabilities: frozenset[str]) -> Finding:
    """Which of the extensions we use the server has."""
    check = f"capabilities {address}"
    has = [name for name in ("IDLE", "UIDPLUS", "MOVE") if name in capabilities]
    if "IDLE" not in has:
        return warn(check, "no IDLE: new mail is noticed once a minute", "nothing, or another server")
    return ok(check, f"{', '.join(has)}: new mail is noticed at once")


def marking(check: str, imap: Imap, *, keywords: bool) -> Finding:
    r"""How settled mail is marked; PERMANENTFLAGS without \* (RFC 3501 section 7.1) forbids keywords of our own."""
    if imap.after not in {"auto", "keyword"}:
        return ok(check, f"after = {imap.after!r}: no keyword is set")
    if keywords:
        return ok(check, f"{KEYWORD} may be set: a restored old database will recognise what was answered")
    words = "the server keeps no keywords: after a restore, what was answered is known by folder or X-Deskbell-Id alone"
    return warn(check, words, "nothing; but take backups often")
