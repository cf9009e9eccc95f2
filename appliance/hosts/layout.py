"""Where things are on a host, and how its long-running processes are handled."""

import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.config import Settings, program
from appliance.domain.host import Host

TOOLS = Path("/opt/crm-host")
"""What the appliance puts on a managed host for its own use: a Python environment, restic's and the monitor's programs."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Paths, ports and programs of one host. `tools_python` can import `backup` and `monitoring` there.

    In `firewall_doors` each instance has a file of what is to come in, where the appliance looks after the firewall.
    """

    crm_root: Path
    crm_address: str
    crm_port_base: int
    database_port_base: int
    deployment_port_base: int
    socket_directory: Path
    repository_directory: Path
    secrets_directory: Path
    nginx_configuration: Path
    nginx_directory: Path
    log_directory: Path
    cache_directory: Path
    service_manager: str
    supervisor_socket: Path
    supervisor_directory: Path
    uv: str
    tools_python: str
    firewall_doors: Path | None = None
    cluster_root: Path = Path("/var/lib/postgresql")
    python: str = "/usr/bin/python3"

    @property
    def nginx_reload(self) -> list[str]:
        """The command that makes nginx read its configuration again."""
        if self.service_manager == "systemd":
            return ["systemctl", "reload", "nginx"]
        return ["nginx", "-s", "reload", "-c", str(self.nginx_configuration)]


def layout_of(settings: Settings, host: Host) -> Layout:
    """The layout of a host: by the settings on this machine, always the same on a managed one."""
    return _local(settings) if host.is_local else _managed(settings)


def _local(settings: Settings) -> Layout:
    return Layout(
        crm_root=settings.crm_root,
        crm_address=settings.crm_address,
        crm_port_base=settings.crm_port_base,
        database_port_base=settings.database_port_base,
        deployment_port_base=settings.deployment_port_base,
        socket_directory=settings.postgresql_socket_directory,
        repository_directory=settings.repository_directory,
        secrets_directory=settings.run / "secrets",
        nginx_configuration=settings.nginx_configuration,
        nginx_directory=settings.nginx_directory,
        log_directory=settings.log,
        cache_directory=settings.cache,
        service_manager=settings.manager,
        supervisor_socket=settings.supervisor_socket,
        supervisor_directory=settings.supervisor_directory,
        uv=program("uv"),
        tools_python=sys.executable,
    )


def _managed(settings: Settings) -> Layout:
    return Layout(
        crm_root=Path("/srv/crm"),
        crm_address="0.0.0.0",  # noqa: S104 - visitors come to a managed host from elsewhere
        crm_port_base=settings.crm_port_base,
        database_port_base=settings.database_port_base,
        deployment_port_base=settings.deployment_port_base,
        socket_directory=Path("/var/run/postgresql"),
        repository_directory=Path("/var/lib/crm-host/repositories/local"),
        secrets_directory=Path("/run/crm-host"),
        nginx_configuration=Path("/etc/nginx/nginx.conf"),
        nginx_directory=Path("/etc/nginx/conf.d"),
        log_directory=Path("/var/log/crm-host"),
        cache_directory=Path("/var/cache/crm-host"),
        service_manager="systemd",
        supervisor_socket=Path("/run/crm-host/supervisord.sock"),
        supervisor_directory=Path("/etc/crm-host/supervisor.d"),
        uv=str(TOOLS / "venv" / "bin" / "uv"),
        tools_python=str(TOOLS / "venv" / "bin" / "python"),
        firewall_doors=Path("/etc/crm-host/firewall.d"),
    )
