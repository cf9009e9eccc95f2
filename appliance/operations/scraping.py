"""How a Prometheus on another machine gets the metrics: where, by which token or login, and with which certificate."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event

from appliance.certificates import issue
from appliance.certificates.authority import Names
from appliance.domain.names import as_address
from appliance.errors import ConfigurationError
from appliance.operations.certifying import authority
from appliance.wiring import Appliance
from monitoring.exporter.admission import Admission

SCOPE, TOKEN = "metrics", "token"
TOKEN_LENGTH = 48
SHORTEST_PASSWORD = 16
"""Characters: whoever reaches the door may guess as often as they like."""
FOR_OTHERS = 0o077
RENEWED_SECONDS = 24 * 3600.0
"""The certificate lasts for months; a new one each day is never near its end."""


def metrics_address(appliance: Appliance) -> tuple[str, int] | None:
    """Where the metrics are to be had from other machines; None where they are not. Raises ConfigurationError."""
    listen = appliance.settings.metrics_listen
    if not listen:
        return None
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit() or (as_address(host) is not None and ip_address(host).is_unspecified):
        problem = "write the address by which other machines reach this one, and a port: 192.0.2.1:9471"
        raise ConfigurationError(f"The setting metrics_listen is {listen!r}; {problem}. Nothing was changed.")
    return host, int(port)


def metrics_token(appliance: Appliance) -> str:
    """What whoever asks for the metrics has to know; made when it is needed first."""
    return appliance.store.vault.ensure(SCOPE, TOKEN, TOKEN_LENGTH)


def metrics_admission(appliance: Appliance) -> Admission:
    """Who is given the metrics. Raises ConfigurationError."""
    return Admission(token=metrics_token(appliance), login=metrics_login(appliance.settings.metrics_login_file))


def metrics_login(file: Path) -> str | None:
    """NAME:PASSWORD of the file, None where there is no such file. Raises ConfigurationError."""
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(_unusable(file, f"it cannot be read ({error}); the monitor's user has to own it")) from error
    if mode & FOR_OTHERS:
        raise ConfigurationError(_unusable(file, f"others than its owner may use it; run: chmod 600 {file}"))
    login = text.removesuffix("\n")
    name, _, password = login.partition(":")
    if not name or len(password) < SHORTEST_PASSWORD or not login.isprintable():
        raise ConfigurationError(
            _unusable(file, f"write one line NAME:PASSWORD into it, the password of {SHORTEST_PASSWORD} characters or more")
        )
    return login


def _unusable(file: Path, problem: str) -> str:
    return (
        f"The login for the metrics in {file} cannot be used: {problem}. Nothing was changed; without the file, only the token is let in."
    )


@dataclass(kw_only=True)
class Certified:
    """A TLS context for the metrics, and what keeps its certificate fresh."""

    appliance: Appliance
    host: str
    context: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def renew(self) -> None:
        """Show a new certificate from now on. Raises InvalidRequest and ConfigurationError as `issue` does."""
        now = datetime.now(UTC)
        pair = issue(authority(self.appliance, now), Names(domain=self.host), now)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        with NamedTemporaryFile("w", dir=_private_directory(self.appliance)) as file:  # 0600; Python's ssl reads keys from files only
            file.write(pair.key + pair.certificate)
            file.flush()
            self.context.load_cert_chain(file.name)

    def run(self, stop: Event) -> None:
        """Beside the monitor, until it ends."""
        while not stop.wait(RENEWED_SECONDS):
            self.renew()


def _private_directory(appliance: Appliance) -> Path:
    directory = appliance.settings.ledger_file.parent
    directory.mkdir(parents=True, exist_ok=True)
    return directory
