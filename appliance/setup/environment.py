"""The variables that the appliance's processes start with, kept in one file that a shell and systemd read alike."""

from collections.abc import Mapping
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ConfigurationError
from appliance.setup.files import write_if_changed

KEPT_PREFIXES = ("UV_", "PIP_", "SSL_CERT_", "SSL_CLIENT_CERT")
KEPT_NAMES = frozenset({"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS", "TZ"})
SETTINGS_NAMES = frozenset({"APPLIANCE_CONFIG"} | {f"APPLIANCE_{field.upper()}" for field in Settings.model_fields})
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def kept_variables(environment: Mapping[str, str], bin_directory: Path) -> dict[str, str]:
    """Select what the processes need of the environment of `appliance up`: settings, package indexes, proxies, certificates."""
    kept = {name: value for name, value in environment.items() if _is_kept(name)}
    return kept | {"PATH": f"{bin_directory}:{SYSTEM_PATH}", "LC_ALL": "C.UTF-8", "HOME": "/root"}


def environment_file_text(variables: Mapping[str, str]) -> str:
    """Write the variables so that `sh` and systemd's EnvironmentFile read the same; raises ConfigurationError for one that cannot be."""
    for name, value in variables.items():
        if "'" in value or "\n" in value:
            raise ConfigurationError(
                f"The variable {name} holds a quote or a line break. Nothing was changed; set it without and start again."
            )
    return "".join(f"{name}='{value}'\n" for name, value in sorted(variables.items()))


def write_environment(settings: Settings, environment: Mapping[str, str], bin_directory: Path) -> bool:
    """Write the file, readable by root alone (a proxy's address may hold a password); returns whether it changed."""
    text = environment_file_text(kept_variables(environment, bin_directory))
    return write_if_changed(environment_file(settings), text, mode=0o600)


def environment_file(settings: Settings) -> Path:
    """Where the variables are kept."""
    return settings.etc / "environment"


def _is_kept(name: str) -> bool:
    return name in KEPT_NAMES or name in SETTINGS_NAMES or name.startswith(KEPT_PREFIXES)
