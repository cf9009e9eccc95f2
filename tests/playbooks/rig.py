"""A second appliance beside whatever lives on this machine: its own root, supervisord, nginx and ports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
NGINX = """
user www-data;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/log/nginx-error.log;
events {{ worker_connections 64; }}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  client_body_temp_path {root}/run/body; proxy_temp_path {root}/run/proxy; fastcgi_temp_path {root}/run/fastcgi;
  uwsgi_temp_path {root}/run/uwsgi; scgi_temp_path {root}/run/scgi;
  include {root}/nginx.d/*.conf;
}}
"""
SUPERVISOR = """
[unix_http_server]
file={root}/supervisor.sock
chmod=0700
[supervisord]
logfile={root}/log/supervisord.log
pidfile={root}/supervisord.pid
childlogdir={root}/log
nodaemon=true
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{root}/supervisor.sock
[include]
files={root}/supervisor.d/*.conf
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run of a playbook ended with."""

    succeeded: bool
    changed: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the site answered."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(kw_only=True)
class Rig:
    """The machine under test and the variables that its playbooks are handed."""

    root: Path
    name: str
    port: int
    product: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    supervisord: subprocess.Popen[bytes] | None = None

    @property
    def crm_root(self) -> Path:
        return self.root / "crm" / self.name

    def prepare(self) -> None:
        self.root.chmod(0o755)
        for directory in ("log", "run", "supervisor.d", "nginx.d", "secrets", "crm", "cache"):
            (self.root / directory).mkdir(exist_ok=True)
        (self.root / "nginx.conf").write_text(NGINX.format(root=self.root))
        (self.root / "supervisord.conf").write_text(SUPERVISOR.format(root=self.root))
        for secret in self.product["secrets"]:
            value = f"canary-{secret['name']}-0123456789"
            (self.root / "secrets" / secret["name"]).write_text(value)
            self.secrets[secret["name"]] = value

    def start_supervisord(self) -> None:
        self.supervisord = subprocess.Popen(
            [PROGRAMS / "supervisord", "-c", self.root / "supervisord.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 15
        while subprocess.run([*self.supervisorctl, "pid"], capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline, "supervisord did not start"
            time.sleep(0.1)

    def stop_supervisord(self) -> None:
        if self.supervisord:
            self.supervisord.terminate()
            self.supervisord.wait(timeout=60)

    @property
    def supervisorctl(self) -> list[str]:
        return [str(PROGRAMS / "supervisorctl"), "-c", str(self.root / "supervisord.conf")]

    def status(self) -> dict[str, str]:
        done = subprocess.run([*self.supervisorctl, "status"], capture_output=True, text=True, check=False)
        return {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}

    def variables(self) -> dict[str, Any]:
        return {
            "host": {
                "service_manager": "supervisord",
                "supervisor_socket": str(self.root / "supervisor.sock"),
                "supervisor_directory": str(self.root / "supervisor.d"),
                "python": "/usr/bin/python3",
                "uv": str(PROGRAMS / "uv"),
                "nginx_directory": str(self.root / "nginx.d"),
                "nginx_configuration": str(self.root / "nginx.conf"),
                "log_directory": str(self.root / "log"),
            },
            "crm": {
                "name": self.name,
                "root": str(self.crm_root),
                "user": f"crm-{self.name}",
                **self.clusters[0],
                "clusters": self.clusters,
                "socket_directory": str(self.crm_root / "postgresql"),
                "address": "127.0.0.1",
                "port": self.port,
                "domain": "localhost",
            },
            "settings": {setting["name"]: setting["default"] for setting in self.product.get("settings", [])},
            "product": self.product,
            "secret_files": {name: str(self.root / "secrets" / name) for name in self.secrets},
            "maintenance": {"message": "Back soon.", "retry_after_seconds": 77},
        }

    @property
    def clusters(self) -> list[dict[str, Any]]:
        """The instance's first cluster, and the one that a standby becomes."""
        name, root = self.name.replace("-", "_"), self.crm_root
        first = {"cluster": name, "cluster_service": f"crm-{self.name}-postgresql", "cluster_state": str(root / "cluster.state")}
        other = {
            "cluster": f"{name}__1",
            "cluster_service": f"crm-{self.name}-postgresql-1",
            "cluster_state": str(root / "cluster-1.state"),
        }
        return [first | {"database_port": self.port + 1}, other | {"database_port": self.port + 1001}]

    def release(self, version: str) -> dict[str, Any]:
        entry: dict[str, Any] = next(entry for entry in self.product["releases"] if entry["version"] == version)
        directory = self.crm_root / "releases" / f"{version}-1"
        lock = Path(self.product["directory"]) / entry["lock"]
        return entry | {"build": 1, "directory": str(directory), "bin": str(directory / "venv/bin"), "lock": str(lock)}

    def deployment(self, identity: str, version: str, *, files: str = "0001") -> dict[str, Any]:
        return {
            "id": identity,
            "directory": str(self.crm_root / "deployments" / identity),
            "files": str(self.crm_root / "files" / files),
            "database": f"crm_{identity.replace('-', '_')}",
            "port": self.port + 10 + int(identity.partition("-")[0]),
            "role": "production",
            "mail": True,
            "release_directory": self.release(version)["directory"],
        }

    def play(self, playbook: str, **variables: object) -> Run:
        """Run a playbook as a person would by hand."""
        file = self.root / "run" / f"{playbook}.json"
        file.write_text(json.dumps(self.variables() | variables))
        done = subprocess.run(self.command(playbook, file), capture_output=True, text=True, check=False, env=self.environment())
        changed = re.search(r"changed=(\d+)", done.stdout)
        return Run(succeeded=done.returncode == 0, changed=int(changed[1]) if changed else -1, output=done.stdout + done.stderr)

    def command(self, playbook: str, file: Path) -> list[str]:
        playbooks = REPOSITORY / "playbooks"
        return [str(PROGRAMS / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(playbooks / f"{playbook}.yml"), "-e", f"@{file}"]

    def environment(self) -> dict[str, str]:
        return os.environ | {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_RETRY_FILES_ENABLED": "0"}

    def get(self, path: str = "/", *, port: int | None = None) -> Answer:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as response:
                return Answer(status=response.status, headers=dict(response.headers), body=response.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(status=refused.code, headers=dict(refused.headers), body=refused.read().decode())

    def sql(self, database: str, query: str, *, cluster: int = 0) -> str:
        port = str(self.clusters[cluster]["database_port"])
        place = ["-h", str(self.crm_root / "postgresql"), "-p", port, "-U", "postgres", "-d", database]
        return subprocess.run(["psql", "-qAtX", *place, "-c", query], capture_output=True, text=True, check=True).stdout.strip()


def read_product(directory: Path) -> dict[str, Any]:
    """A product definition as the playbooks are handed it."""
    return {**yaml.safe_load((directory / "product.yml").read_text()), "directory": str(directory)}
