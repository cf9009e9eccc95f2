"""The appliance's channels as Alertmanager knows them: mail servers and web addresses; of the others it knows nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from appliance.domain.names import as_address
from appliance.operations.sending import address_of
from appliance.operations.stack.places import file

IMPLICIT_TLS_PORT = 465
"""The one port at which Alertmanager begins with TLS; at any other it asks for STARTTLS."""
SUBJECT = (
    "[{{ .Status | toUpper }}] {{ .GroupLabels.alertname }}"
    "{{ with .GroupLabels.crm }} of {{ . }}{{ end }}{{ with .GroupLabels.host }} on {{ . }}{{ end }}"
)
TEXT = (
    "{{ range .Alerts }}{{ .Status }}: {{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ .Annotations.runbook }}\n\n{{ end }}"
)


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A receiver of Alertmanager's configuration, and the files with the secrets that it names."""

    configuration: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)


def receiver_of(name: str, url: str) -> Receiver | None:
    """A channel as Alertmanager knows it; None where it knows no such service, or not with these settings."""
    address = address_of(url)
    if address is None or address["service"] not in ("NotifyEmail", "NotifyJSON"):
        return None
    secret = f"{name}.password"
    secrets = {secret: str(address["password"])} if address.get("password") else {}
    made = _mail(address, secret) if address["service"] == "NotifyEmail" else _web(address, secret)
    return None if made is None else Receiver(configuration={"name": name, **made}, secrets=secrets)


def dead_man(name: str, url: str) -> Receiver:
    """Who alerts when it is asked for no longer: a heartbeat address."""
    return Receiver(configuration={"name": name, "webhook_configs": [{"url": url, "send_resolved": False}]})


def _mail(address: Mapping[str, Any], secret: str) -> dict[str, Any] | None:
    host, port, mode = address["smtp_host"], int(address["port"] or 25), str(address["secure_mode"])
    if mode == "ssl" and port != IMPLICIT_TLS_PORT:
        return None
    config: dict[str, Any] = {
        "to": ", ".join(mail for _, mail in address["targets"]),
        "from": address["from_addr"][1],
        "smarthost": f"{_bracketed(host)}:{port}",
        "require_tls": mode == "starttls",
        "send_resolved": True,
        "headers": {"Subject": SUBJECT},
        "text": TEXT,
    }
    if address.get("user"):
        config |= {"auth_username": address["user"], "auth_password_file": file(secret)}
    if not address["verify_certificate"]:
        config["tls_config"] = {"insecure_skip_verify": True}
    return {"email_configs": [config]}


def _web(address: Mapping[str, Any], secret: str) -> dict[str, Any] | None:
    if address["method"] != "POST" or address["headers"]:
        return None
    port = f":{address['port']}" if address["port"] else ""
    query = f"?{urlencode(address['params'])}" if address["params"] else ""
    scheme = "https" if address["secure"] else "http"
    config: dict[str, Any] = {
        "url": f"{scheme}://{_bracketed(address['host'])}{port}{quote(address['fullpath'])}{query}",
        "send_resolved": True,
    }
    if address.get("user"):
        config["http_config"] = {"basic_auth": {"username": address["user"], "password_file": file(secret)}}
    if not address["verify_certificate"]:
        config.setdefault("http_config", {})["tls_config"] = {"insecure_skip_verify": True}
    return {"webhook_configs": [config]}


def _bracketed(host: str) -> str:
    found = as_address(host)
    return f"[{host}]" if found is not None and found.version == 6 else host  # noqa: PLR2004 - IPv6
