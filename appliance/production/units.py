"""The units of a production machine: panel, worker and monitor as a user without rights, hardened; certificate and upgrade.

`systemd-analyze security` gives each an exposure; tests/production holds them to it. What a process still may is said where it is let.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from appliance import __version__
from appliance.config import Settings
from appliance.production.places import USER, WEB_GROUP, Places
from appliance.setup.definitions import MONITOR, PANEL, WORKER, Process
from appliance.setup.environment import environment_file

PANEL_SOCKET_UNIT = f"{PANEL.name}.socket"
CERTIFICATE = "appliance-certificate"
UPGRADE = "appliance-upgrade"
NEVER_TOO_OFTEN = "StartLimitIntervalSec=0"
"""A machine that is slow to boot is no reason to give up."""

CONFINED = """\
User=appliance
Group=appliance
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
"""What none of the three needs. PrivateUsers: of the users of the machine it knows but root and itself."""

OWN: Mapping[str, str] = {
    # Adding a host asks it for its key, over the network. What uses the panel comes through the socket that systemd holds.
    PANEL.name: "ProtectControlGroups=yes\nProcSubset=pid\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nDevicePolicy=closed\n",
    # Each operation is confined to a control group of its own below the worker's; what the worker has started lives on without it.
    WORKER.name: "Delegate=yes\nKillMode=process\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nDevicePolicy=closed\n",
    # It reads the machine's memory, processors and disks for its metrics.
    MONITOR.name: "ProtectControlGroups=yes\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nDevicePolicy=closed\n",
}


def unit_texts(settings: Settings, places: Places, digest: str) -> dict[str, str]:
    """Every unit by the name of its file; `digest` is that of what the processes read when they start."""
    units = {f"{process.name}.service": _service(settings, places, process, digest) for process in (PANEL, WORKER, MONITOR)}
    return units | {
        PANEL_SOCKET_UNIT: _socket(places),
        f"{CERTIFICATE}.service": _certificate(settings, places),
        f"{CERTIFICATE}.timer": _timer(),
        f"{UPGRADE}.service": _upgrade(settings, places),
    }


def tmpfiles_text(settings: Settings) -> str:
    """What lies in memory only: keys of hosts, secrets while a step needs them."""
    return f"# Written by `appliance up --production`.\nd {settings.run} 0700 {USER} {USER} -\n"


def _service(settings: Settings, places: Places, process: Process, digest: str) -> str:
    socket = f"Requires={PANEL_SOCKET_UNIT}\nAfter={PANEL_SOCKET_UNIT}\n" if process is PANEL else ""
    return f"""\
# Written by `appliance up --production`.
[Unit]
Description={process.title}
After=network-online.target systemd-tmpfiles-setup.service
Wants=network-online.target
{socket}{NEVER_TOO_OFTEN}

[Service]
Type=exec
EnvironmentFile={environment_file(settings)}
Environment=APPLIANCE_BUILD={digest}
ExecStart={places.current}/bin/appliance {process.verb}
Restart=always
RestartSec=2
{CONFINED}{OWN[process.name]}ReadWritePaths={settings.home} {settings.cache} {settings.log} {settings.run}

[Install]
WantedBy=multi-user.target
"""


def _socket(places: Places) -> str:
    return f"""\
# Written by `appliance up --production`.
[Unit]
Description=Where the web server comes to the control panel

[Socket]
ListenStream={places.socket}
SocketUser=root
SocketGroup={WEB_GROUP}
SocketMode=0660

[Install]
WantedBy=sockets.target
"""


def _certificate(settings: Settings, places: Places) -> str:
    return f"""\
# Written by `appliance up --production`.
[Unit]
Description=Renew the certificate of the control panel when it is due

[Service]
Type=oneshot
EnvironmentFile={environment_file(settings)}
ExecStart={places.current}/bin/appliance panel certificate
"""


def _timer() -> str:
    return """\
# Written by `appliance up --production`.
[Unit]
Description=Look daily whether the certificate of the control panel is due

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
"""


def _upgrade(settings: Settings, places: Places) -> str:
    """It goes on after a kill by itself, and after a power cut at the next boot; it is the release from before that decides."""
    return f"""\
# Written by `appliance up --production`.
[Unit]
Description=Bring an upgrade of the appliance to its end
ConditionPathExists={places.intent}
After=network-online.target nginx.service

[Service]
Type=oneshot
EnvironmentFile={environment_file(settings)}
ExecStart={places.upgrader}/bin/python -P -m appliance.production.switching
Restart=on-failure
RestartSec=2
KillMode=mixed

[Install]
WantedBy=multi-user.target
"""


def build_digest(settings: Settings, release: Path) -> str:
    """Differs when the processes have to be started anew. Reads the files as they are now."""
    files = [environment_file(settings), settings.etc / "appliance.toml"]
    contents = [file.read_bytes() if file.is_file() else b"" for file in files]
    return hashlib.sha256(b"\0".join([__version__.encode(), release.name.encode(), *contents])).hexdigest()[:16]
