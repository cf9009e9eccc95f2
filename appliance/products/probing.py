"""From a definition's probes to those that the monitoring package carries out, with every address, path and account filled in."""

import re
import shlex
from collections.abc import Collection, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from appliance.domain.names import origin
from appliance.domain.product_probes import (
    CommandProbe,
    FormLoginProbe,
    HttpProbe,
    JsonRpcLoginProbe,
    JsonRpcProbe,
    Probe,
    ProcessProbe,
    SqlProbe,
)
from appliance.products.catalogue import Product
from appliance.products.placeholders import fill_in

WebProbe = HttpProbe | JsonRpcProbe | FormLoginProbe | JsonRpcLoginProbe
Variables = Mapping[str, Mapping[str, Any]]
"""crm, deployment, release and settings, as they are handed to a playbook; secrets.directory lies under crm.root unless it is given."""
MONITOR_ROLE = "crm_monitor"
"""The database role that may read and nothing else."""


class Door(StrEnum):
    """Where a CRM is asked."""

    PRIVATE = "private"
    """The deployment's own port, before anybody else can reach it."""
    PROXY = "proxy"
    """The address that people use, through the web server in front, asked on the CRM's own host."""
    OUTSIDE = "outside"
    """The same, asked from another machine: the host's own address is `crm.outside`."""


def render_probes(product: Product, variables: Variables, *, door: Door, names: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Probes by name, ready for `monitoring`; all but `write`, or those named. Raises ConfigurationError, NotFound."""
    variables = {"secrets": {"directory": f"{variables['crm']['root']}/secrets"}} | dict(variables)
    probes = product.definition.probes_of(str(variables["release"]["version"]))
    wanted = [name for name in probes if (name in names if names is not None else name != "write")]
    address = _address(variables, door)
    return {name: {"name": name} | _render(product, probes[name], variables, address) for name in wanted}


def _address(variables: Variables, door: Door) -> dict[str, Any]:
    """The site as people see it (`base`), where that really is (`via`), and what its certificate is verified with (`trust`)."""
    crm = variables["crm"]
    tls = crm.get("tls") or {"mode": "none"}
    encrypted = tls["mode"] != "none"
    private = f"http://127.0.0.1:{variables['deployment']['port']}"
    if door is Door.PRIVATE and not encrypted:
        return {"base": private}
    scheme = "https" if encrypted else "http"
    site = {"base": origin(scheme, str(crm["domain"]), int(crm["port"]))}
    if door is Door.PRIVATE:
        return site | {"via": private}
    trust = {"trust": tls["trust"]} if encrypted and tls.get("trust") else {}
    where = str(crm["outside"]) if door is Door.OUTSIDE else reachable(str(crm["address"]))
    return site | {"via": origin(scheme, where, int(crm["port"]))} | trust


def render_layers(variables: Variables, *, door: Door) -> dict[str, dict[str, Any]]:
    """What lies below every product's own probes: whether the site's port is open, and its certificate one that browsers accept."""
    crm = variables["crm"]
    where = {"address": str(crm["outside"]) if door is Door.OUTSIDE else reachable(str(crm["address"])), "port": int(crm["port"])}
    layers: dict[str, dict[str, Any]] = {"tcp": {"name": "tcp", "kind": "tcp", **where}}
    tls = crm.get("tls") or {"mode": "none"}
    if tls["mode"] != "none":
        layers["tls"] = {"name": "tls", "kind": "tls", **where, "server_name": str(crm["domain"]), "trust": tls.get("trust") or None}
    return layers


def reachable(address: str) -> str:
    """A server that listens everywhere is asked at the loopback address."""
    return "127.0.0.1" if ip_address(address).is_unspecified else address


def _render(product: Product, probe: Probe, variables: Variables, address: Mapping[str, Any]) -> dict[str, Any]:
    rendered: dict[str, Any] = {"kind": probe.kind, "timeout_seconds": probe.timeout_seconds}
    rendered |= probe.model_dump(include={"interval_seconds", "confirm_after_seconds"}, exclude_none=True)
    if isinstance(probe, WebProbe):
        rendered |= _web(probe, variables, address)
    elif isinstance(probe, SqlProbe):
        rendered |= _sql(probe, variables)
    elif isinstance(probe, CommandProbe):
        rendered |= _command(product, probe, variables)
    else:
        rendered |= _process(probe, variables)
    return rendered


def _web(probe: WebProbe, variables: Variables, address: Mapping[str, Any]) -> dict[str, Any]:
    base = address["base"]
    rendered: dict[str, Any] = {name: value for name, value in address.items() if name != "base"}
    rendered["url"] = base + fill_in(probe.path, variables)
    if isinstance(probe, HttpProbe):
        return rendered | {"status": probe.status, "match": _pattern(probe.match, variables)}
    if isinstance(probe, JsonRpcProbe):
        asked = {"version": probe.version, "method": probe.method, "params": list(probe.params)}
        return rendered | asked | {"equals": _optional(probe.equals, variables)}
    account = {"username": fill_in(probe.username, variables), "password_file": f"{variables['secrets']['directory']}/{probe.secret}"}
    if isinstance(probe, JsonRpcLoginProbe):
        return rendered | account | probe.model_dump(mode="json", include={"version", "login", "authorization", "then", "logout"})
    rendered |= account
    return rendered | {
        "username_field": probe.username_field,
        "password_field": probe.password_field,
        "csrf_field": probe.csrf_field,
        "final_path": probe.final_path,
        "then": base + fill_in(probe.then, variables) if probe.then else None,
        "then_match": _pattern(probe.then_match, variables),
    }


def _sql(probe: SqlProbe, variables: Variables) -> dict[str, Any]:
    crm = variables["crm"]
    return {
        "socket_directory": crm["socket_directory"],
        "port": crm["database_port"],
        "user": MONITOR_ROLE,
        "database": variables["deployment"]["database"],
        "query": fill_in(probe.query, variables),
        "equals": _optional(probe.equals, variables),
    }


def _command(product: Product, probe: CommandProbe, variables: Variables) -> dict[str, Any]:
    environment = {name: fill_in(value, variables) for name, value in product.definition.environment.items()}
    return {
        "argv": shlex.split(fill_in(probe.command, variables)),
        "user": variables["crm"]["user"],
        "environment": environment,
        "stdin": product.file(probe.stdin).read_text(encoding="utf-8") if probe.stdin else None,
        "match": _pattern(probe.match, variables),
    }


def _process(probe: ProcessProbe, variables: Variables) -> dict[str, Any]:
    return {"pattern": _pattern(probe.pattern, variables), "user": _optional(probe.user, variables), "min": probe.min}


def _optional(text: str | None, variables: Variables) -> str | None:
    return None if text is None else fill_in(text, variables)


def _pattern(text: str | None, variables: Variables) -> str | None:
    """Values are taken literally in a pattern: the dots of 2.8.6 match dots only."""
    return None if text is None else fill_in(text, _literal(variables))


def _literal(variables: Variables) -> dict[str, dict[str, Any]]:
    return {
        group: {name: re.escape(value) if isinstance(value, str) else value for name, value in values.items()}
        for group, values in variables.items()
    }
