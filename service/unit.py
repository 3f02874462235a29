"""The systemd unit of an installation: kept running, alone, and able to do no more than its work needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from service.installation import database_path, is_file
from service.settings import Settings

_PRIVILEGED_PORTS = 1024
_HOMES = ("/home", "/root", "/run/user")

_UNIT = """\
# Made by `deskbell systemd`. Put it into /etc/systemd/system/deskbell.service, then:
#   systemctl daemon-reload && systemctl enable --now deskbell

[Unit]
Description=deskbell: requests out of the mail of shared mailboxes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart={command} run --config {config}
User={user}
UMask=0077
StateDirectory=deskbell
StateDirectoryMode=0700
ReadWritePaths={writable}
Restart=always
RestartSec=5
# It is ready when every folder is open, however long a mail server is away.
TimeoutStartSec=infinity
TimeoutStopSec=20
# It reports itself alive only while each of its loops makes progress.
WatchdogSec=60

{ports}
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome={home}
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Service:
    """Which program runs for which configuration, and as whom. Paths are absolute."""

    command: Path
    settings: Settings
    user: str


def unit(service: Service) -> str:
    """The unit file."""
    settings = service.settings
    low = any(at and at.port < _PRIVILEGED_PORTS for at in (settings.listener.lmtp, settings.listener.smtp))
    written = _written(settings)
    return _UNIT.format(
        command=_quoted(service.command),
        config=_quoted(settings.path),
        user=service.user,
        writable=" ".join(map(_quoted, written)),
        ports=_BINDS if low else _BINDS_NOT,
        home="read-only" if _in_homes((service.command, settings.path, *written)) else "yes",
    )


_BINDS = "AmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE"
_BINDS_NOT = "CapabilityBoundingSet=\nPrivateUsers=yes"


def _written(settings: Settings) -> list[Path]:
    """The folders that deskbell writes to, each once."""
    folders = [database_path(settings).parent] if is_file(settings) else []
    folders.append(settings.keys.file.parent)
    if settings.maildir is not None:
        folders.append(settings.maildir.path.parent)
    return list(dict.fromkeys(folders))


def _in_homes(paths: Iterable[Path]) -> bool:
    return any(path.is_relative_to(home) for path in paths for home in _HOMES)


def _quoted(path: Path) -> str:
    """The path as one word of a unit file (systemd.syntax(7)), where % and $ would be replaced."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return text if text == str(path) and " " not in text else f'"{text}"'
