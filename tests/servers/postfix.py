"""A private Postfix for tests: takes mail by SMTP on a free port of 127.0.0.1 and hands corp.example to an LMTP server.

It runs as root alone, as Postfix does everywhere; queue, configuration and log are in a folder of its own.
"""

import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.dovecot import until
from tests.servers.installation import free_port

_PROGRAM = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = {root}
myhostname = mx.corp.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = corp.example
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
# No mail leaves the tests: nobody listens there, and what is not delivered at once comes back.
default_transport = lmtp:inet:127.0.0.1:1
maximal_queue_lifetime = 0
recipient_delimiter = +
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
error     unix - - n - - error
retry     unix - - n - - error
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def why_not() -> str | None:
    """Why no Postfix can run here, in a sentence for a skipped test; None where one can."""
    if _PROGRAM is None:
        return "not run: Postfix is not installed (apt-get install postfix)"
    return "not run: Postfix runs as root only" if os.geteuid() else None


class Postfix:
    """A running server as a context manager, in front of the LMTP server on that port; takes mail on `port`."""

    def __init__(self, lmtp: int) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self._lmtp = lmtp

    def __enter__(self) -> Self:
        for name in ("queue", "data", "etc"):
            (self.root / name).mkdir()
        os.chown(self.root / "data", pwd.getpwnam("postfix").pw_uid, -1)
        (self.root / "etc/main.cf").write_text(_MAIN.format(root=self.root, lmtp=self._lmtp))
        (self.root / "etc/master.cf").write_text(_MASTER.format(port=self.port))
        self._postfix("start")
        until(self._answers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postfix("stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def send(self, recipients: list[str], raw: bytes, sender: str = "anna@corp.example") -> None:
        """Postfix took the mail for these recipients, as from a mail program of the house."""
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            smtp.sendmail(sender, recipients, raw)

    def log(self) -> str:
        """What it wrote of itself."""
        return (self.root / "log").read_text(encoding="utf-8", errors="replace")

    def _postfix(self, command: str) -> None:
        arguments = [_PROGRAM or "postfix", "-c", str(self.root / "etc"), command]
        done = subprocess.run(arguments, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=1) as smtp:
                return smtp.noop()[0] == 250
        except OSError:  # not yet
            return False
