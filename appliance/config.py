"""The settings of the appliance: `/etc/appliance/appliance.toml`, overridden by `APPLIANCE_*` in the environment."""

import os
import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from appliance.errors import ConfigurationError

DEFAULT_ETC = Path("/etc/appliance")


def _split(value: object) -> object:
    """A list in the environment is written with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseModel):
    """Where things are and on which addresses they listen; every path can be moved, so that two appliances fit on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Path("/var/lib/appliance")
    etc: Path = DEFAULT_ETC
    run: Path = Path("/run/appliance")
    log: Path = Path("/var/log/appliance")
    cache: Path = Path("/var/cache/appliance")
    crm_root: Path = Path("/srv/crm")
    production: bool = False
    """Written by `bin/up --production`: no process runs as root, and every host is reached over SSH, this machine included."""
    panel_domain: str = ""
    """In production: the name that people type to reach the panel."""
    panel_listen: str = "127.0.0.1:8470"
    second_factor_for: Literal["nobody", "administrators", "everybody"] = "nobody"
    """Who has to have a second factor of the panel's log-in; until it is on, nothing but the page that sets it up is open."""
    login_failures: int = Field(default=20, ge=0)
    """How many failed log-ins from one address (IPv6: one /64) the panel lets be, and wrong tokens likewise; 0: any number."""
    login_failures_seconds: float = Field(default=600, gt=0)
    """Within how long, from the first of them on."""
    monitor_listen: str = "127.0.0.1:9470"
    metrics_listen: str = ""
    """Where a Prometheus on another machine asks for the metrics (ADDRESS:PORT, as it reaches it), with TLS and a token; empty: nowhere."""
    default_product: str = ""
    """What `bin/up` installs; empty: what the shipped definitions name."""
    crm_address: str = "127.0.0.1"
    crm_port_base: int = 8480
    database_port_base: int = 5500
    deployment_port_base: int = 20000
    postgresql_socket_directory: Path = Path("/var/run/postgresql")
    nginx_configuration: Path = Path("/etc/nginx/nginx.conf")
    nginx_directory: Path = Path("/etc/nginx/conf.d")
    service_manager: Literal["auto", "supervisord", "systemd"] = "auto"
    parallel_operations: int = 4
    orphan_patience_seconds: float = 600
    operations_kept_days: int = Field(default=90, ge=1)
    operations_kept_newest: int = Field(default=20, ge=0)
    host_patience_seconds: float = 300
    """How long a host that is lost is waited for, and its CRMs to be well again after restarts."""
    probe_interval_seconds: float = 15
    settling_seconds: float = Field(default=60, ge=0)
    """How long an upgraded CRM is watched, with visitors in, before the upgrade counts."""
    archive_ship_seconds: float = Field(default=60, gt=0)
    """How often the received log of a database is shipped into its repository, where an archive is kept."""
    alert_rules_every_seconds: float = Field(default=30, gt=0)
    """How often the monitor evaluates the alert rules."""
    adoption_every_seconds: float = Field(default=3600, ge=60)
    """How often the database of each CRM is asked how much people work with it."""
    acme_directory: str = "https://acme-v02.api.letsencrypt.org/directory"
    acme_email: str = ""
    acme_authorities: str = ""
    ca_domains: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()

    @property
    def database_file(self) -> Path:
        """The SQLite file of the store."""
        return self.home / "appliance.sqlite"

    @property
    def key_file(self) -> Path:
        """The key that encrypts secrets at rest."""
        return self.home / "appliance.key"

    @property
    def advisories_file(self) -> Path:
        """Known vulnerabilities, put there for an appliance that does not reach a package index."""
        return self.etc / "advisories.json"

    @property
    def metrics_login_file(self) -> Path:
        """NAME:PASSWORD of a Prometheus that cannot send the token, put there by who wants that; for nobody else to read."""
        return self.etc / "metrics-login"

    @property
    def repository_directory(self) -> Path:
        """The local restic repository."""
        return self.home / "repositories" / "local"

    @property
    def targets_file(self) -> Path:
        """What the monitor is told to watch."""
        return self.home / "monitor" / "targets.json"

    @property
    def ledger_file(self) -> Path:
        """What the monitor remembers."""
        return self.home / "monitor" / "ledger.sqlite"

    @property
    def worker_socket(self) -> Path:
        """Where a request wakes the worker."""
        return self.home / "run" / "worker.sock"

    @property
    def worker_lock(self) -> Path:
        """Held by the one worker for as long as it lives."""
        return self.home / "run" / "worker.lock"

    @property
    def supervisor_configuration(self) -> Path:
        """Configuration of supervisord, where there is no systemd."""
        return self.etc / "supervisord.conf"

    @property
    def supervisor_socket(self) -> Path:
        """Where supervisord is reached, by root alone."""
        return self.home / "run" / "supervisord.sock"

    @property
    def supervisor_directory(self) -> Path:
        """One file for each supervised process."""
        return self.etc / "supervisor.d"

    @property
    def manager(self) -> Literal["supervisord", "systemd"]:
        """What keeps long-running processes alive on this machine."""
        if self.service_manager != "auto":
            return self.service_manager
        return "systemd" if Path("/run/systemd/system").is_dir() else "supervisord"


def settings_file(environment: Mapping[str, str]) -> Path:
    """Where the settings are read from."""
    return Path(environment.get("APPLIANCE_CONFIG", DEFAULT_ETC / "appliance.toml"))


def variable(field: str) -> str:
    """What overrides a setting in the environment."""
    return f"APPLIANCE_{field.upper()}"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    `APPLIANCE_CONFIG` names another file; `APPLIANCE_HOME`, `APPLIANCE_PANEL_LISTEN` and so on override single fields.
    Raises ConfigurationError when the file cannot be read or a field is unknown or wrong.
    """
    environment = os.environ if environment is None else environment
    file = settings_file(environment)
    try:
        values = tomllib.loads(file.read_text())
    except FileNotFoundError:
        values = {}
    except PermissionError as error:
        raise ConfigurationError(f"The settings file {file} cannot be read by you. Nothing was changed; run this as root.") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The settings file {file} cannot be read: {error}. Mend it and start again.") from error
    for field in Settings.model_fields:
        if (value := environment.get(variable(field))) is not None:
            values[field] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"The settings in {file} cannot be used: {problems}.") from error


def program(name: str) -> str:
    """Path of a program that the appliance's own environment brings, or else of the one on PATH.

    Raises ConfigurationError when there is none.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ConfigurationError(f"The program {name} is not installed. Run bin/up again; nothing was changed.")
    return found


def playbooks_directory() -> Path:
    """Where the playbooks are: beside the packages in a clone and in an installed wheel alike."""
    return Path(__file__).resolve().parent.parent / "playbooks"
