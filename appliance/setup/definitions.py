"""The appliance's long-running processes, described once for supervisord and for systemd."""

import hashlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance import __version__
from appliance.config import Settings
from appliance.setup.environment import environment_file


@dataclass(frozen=True, kw_only=True)
class Process:
    """A long-running process of the appliance: the name of its service, and the verb of the command line that it is."""

    name: str
    verb: str
    title: str


PANEL = Process(name="appliance-panel", verb="serve", title="Control panel of the CRM appliance")
WORKER = Process(name="appliance-worker", verb="worker", title="Worker of the CRM appliance: carries operations out")
MONITOR = Process(name="appliance-monitor", verb="monitor", title="Monitor of the CRM appliance: measures uptime")
PROCESSES = (PANEL, WORKER, MONITOR)


def build_fingerprint(settings: Settings) -> str:
    """Digest of what a running process was started from; where it differs, the process is restarted. Reads the files as they are now."""
    installed = Path(sys.prefix) / "installed.sha256"
    parts = [installed, environment_file(settings), settings.etc / "appliance.toml"]
    contents = [part.read_bytes() if part.is_file() else b"" for part in parts]
    return hashlib.sha256(b"\0".join([__version__.encode(), *contents])).hexdigest()[:16]


def supervisord_text(settings: Settings) -> str:
    """Write supervisord's own configuration."""
    return f"""\
; Written by `appliance up`.
[unix_http_server]
file={settings.supervisor_socket}
chmod=0700

[supervisord]
user=root
logfile={settings.log}/supervisord.log
logfile_maxbytes=10MB
pidfile={settings.home}/run/supervisord.pid
childlogdir={settings.log}
minfds=1024

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{settings.supervisor_socket}

[include]
files={settings.supervisor_directory}/*.conf
"""


def program_text(settings: Settings, process: Process, bin_directory: Path) -> str:
    """Write the supervisord program of one process; its signals reach it alone, never the operations that the worker has started."""
    start = f"set -a; . {environment_file(settings)}; exec {bin_directory}/appliance {process.verb}"
    return f"""\
; Written by `appliance up`.
[program:{process.name}]
command={shlex.join(["/bin/sh", "-c", start]).replace("%", "%%")}
environment=APPLIANCE_BUILD="{build_fingerprint(settings)}"
autostart=true
autorestart=true
startsecs=1
startretries=10
stopsignal=TERM
stopwaitsecs=30
stopasgroup=false
killasgroup=false
redirect_stderr=true
stdout_logfile={settings.log}/{process.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=5
"""


def unit_text(settings: Settings, process: Process, bin_directory: Path) -> str:
    """Write the systemd unit of one process; what the worker has started lives on when the worker is restarted."""
    own_group = "Delegate=yes\nKillMode=process\n" if process is WORKER else ""
    return f"""\
# Written by `appliance up`.
[Unit]
Description={process.title}
After=network.target

[Service]
Type=exec
EnvironmentFile={environment_file(settings)}
Environment=APPLIANCE_BUILD={build_fingerprint(settings)}
ExecStart={bin_directory}/appliance {process.verb}
Restart=always
RestartSec=2
{own_group}
[Install]
WantedBy=multi-user.target
"""
