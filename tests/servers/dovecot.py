"""A private Dovecot for tests: real IMAP and LMTP on free ports of 127.0.0.1, mail in a folder of its own.

Any user, bare or at any domain, logs in with the password `x`; the part before the @ names the mailbox. Runs as root
(mail then belongs to the system's `mail` user) and as anybody else.
"""

import imaplib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

NOT_RUN = "not run: Dovecot is not installed (apt-get install dovecot-imapd dovecot-lmtpd)"
PASSWORD = "x"
# Debian keeps it where an ordinary user's PATH does not look.
_PROGRAM = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_username_format = %Ln
recipient_delimiter = +
mail_location = maildir:{root}/mail/%n
mailbox_list_index = no
first_valid_uid = 1
first_valid_gid = 1
imap_idle_notify_interval = 2 mins
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/home/%n allow_all_users=yes
}}
service anvil {{
  {chroot}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  {chroot}
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@corp.example
}}
{users}
"""
_UNPRIVILEGED = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
"""


def why_not() -> str | None:
    """Why no Dovecot can run here, in a sentence for a skipped test; None where one can."""
    if _PROGRAM is None:
        return NOT_RUN
    found = subprocess.run([_PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return None if found.startswith("2.3.") else f"not run: the test settings are for Dovecot 2.3, found {found}"


def until(true: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Returns as soon as the condition holds; AssertionError when it does not within that time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


class Client:
    """What a test does with a server by IMAP: the standard library is the independent witness."""

    imap: int

    @contextmanager
    def session(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A connection, logged in."""
        imap = imaplib.IMAP4("127.0.0.1", self.imap, timeout=10)
        try:
            imap.login(user, PASSWORD)
            yield imap
        finally:
            imap.logout()

    def create(self, user: str, folder: str) -> None:
        """The folder exists; its name in modified UTF-7 (RFC 3501 section 5.1.3)."""
        with self.session(user) as imap:
            imap.create(f'"{folder}"')

    def append(self, user: str, raw: bytes, folder: str = "INBOX", date: datetime | None = None) -> None:
        """The mail lies in the folder, received at `date` (default: now)."""
        with self.session(user) as imap:
            kind, answer = imap.append(f'"{folder}"', "", imaplib.Time2Internaldate(date or datetime.now(UTC)), raw)
            assert kind == "OK", answer

    def expunge(self, user: str, uid: int, folder: str = "INBOX") -> None:
        """The mail is gone from the folder."""
        with self.session(user) as imap:
            imap.select(f'"{folder}"')
            imap.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
            imap.expunge()

    def remove(self, user: str, folder: str) -> None:
        """The folder is gone with all that was in it."""
        with self.session(user) as imap:
            kind, answer = imap.delete(f'"{folder}"')
            assert kind == "OK", answer

    def flags(self, user: str, uid: int, folder: str = "INBOX") -> frozenset[str]:
        r"""The flags of one mail, without \Recent."""
        with self.session(user) as imap:
            imap.select(f'"{folder}"', readonly=True)
            _, answer = imap.uid("FETCH", str(uid), "(FLAGS)")
        return frozenset(flag.decode() for flag in imaplib.ParseFlags(answer[0])) - {r"\Recent"}


class Dovecot(Client):
    """A running server as a context manager; ports in `imap` (plain and STARTTLS), `imaps`, `lmtp`."""

    keywords = True
    mark = "deskbell"
    """A flag that is kept."""
    slack = 0
    """How far RFC822.SIZE may be from the truth."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.root.chmod(0o755)
        self.imap, self.imaps, self.lmtp = free_ports(3)
        self.ca_file = self.root / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._prepare()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _prepare(self) -> None:
        owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for name in ("run", "state", "mail", "home"):
            (self.root / name).mkdir()
        for name in ("mail", "home"):
            os.chown(self.root / name, owner.pw_uid, owner.pw_gid)
        certify(self.root)
        (self.root / "dovecot.conf").write_text(
            _CONFIG.format(
                **{name: getattr(self, name) for name in ("root", "imap", "imaps", "lmtp")},
                password=PASSWORD,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                chroot="" if os.geteuid() == 0 else "chroot =",
                users="" if os.geteuid() == 0 else _unprivileged(owner),
            )
        )

    def start(self) -> None:
        """The server answers on all three ports."""
        command = [_PROGRAM or "dovecot", "-F", "-c", str(self.root / "dovecot.conf")]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until(lambda: all(map(_answers, (self.imap, self.imaps, self.lmtp))))

    def stop(self) -> None:
        """The server is gone, all its connections are closed."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            with suppress(ProcessLookupError):  # sessions outlive the main program by up to ten seconds
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None

    @property
    def running(self) -> bool:
        """Whether the server's main program is there."""
        return self._process is not None

    def kick(self) -> None:
        """Each open IMAP session is ended by the server, which goes on to run."""
        command = ["doveadm", "-c", str(self.root / "dovecot.conf"), "kick", "*"]
        ended = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert ended.returncode in {0, 68}, "doveadm kick failed (68: nobody was connected)"

    @property
    def users(self) -> list[str]:
        """Who has a mailbox here."""
        return sorted(path.name for path in (self.root / "mail").iterdir())

    def put_files(self, user: str, raws: Iterable[bytes]) -> None:
        """The mails lie in the INBOX of that user, as files that no session has seen."""
        box = self.root / "mail" / user
        for number, raw in enumerate(raws):
            path = box / "new" / f"{int(time.time())}.M{time.time_ns()}_{number}.test"
            path.write_bytes(raw)
            os.chown(path, box.stat().st_uid, box.stat().st_gid)

    def lose_index(self, user: str, *, meanwhile: Iterable[bytes] = ()) -> None:
        """The server was down and lost what it knew of the INBOX: UIDVALIDITY changes, UIDs begin at 1.

        Of these mails it learns when it starts again.
        """
        before = self._uidvalidity(user)
        self.stop()
        for path in (self.root / "mail" / user).glob("dovecot*"):
            path.unlink()
        self.put_files(user, meanwhile)
        until(lambda: int(time.time()) > before)  # Dovecot takes the second of the day for it.
        self.start()

    def _uidvalidity(self, user: str) -> int:
        with self.session(user) as imap:
            imap.select("INBOX", readonly=True)
            return int(imap.response("UIDVALIDITY")[1][0] or 0)

    def deliver(self, recipient: str, raw: bytes, sender: str = "anna@corp.example") -> None:
        """The mail came in by LMTP with that envelope sender (empty: the null reverse-path)."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            lmtp.sendmail(sender, [recipient], raw)


def certify(folder: Path, *, names: str = "IP:127.0.0.1,DNS:localhost") -> None:
    """An authority (ca.pem) and a certificate of its for those names (server.pem, server.key)."""
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"]
    may_sign = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=localhost"]
    subject = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"]
    server = ["-keyout", "server.key", "-out", "server.pem"]
    for command in (new + authority + may_sign, new + signed + subject + server):
        subprocess.run(command, check=True, cwd=folder, capture_output=True)


def _unprivileged(owner: pwd.struct_passwd) -> str:
    group = subprocess.run(["id", "-gn"], check=True, capture_output=True, text=True).stdout.strip()
    return _UNPRIVILEGED.format(user=owner.pw_name, group=group)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
