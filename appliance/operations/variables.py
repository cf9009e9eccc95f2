"""What playbooks are told: the host, the instance, its product, release and deployment, as JSON without a secret in it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from appliance.domain.instance import Deployment, Instance
from appliance.domain.names import USUAL_PORTS, as_address
from appliance.domain.product_releases import Release
from appliance.domain.tls import TlsMode
from appliance.hosts.layout import Layout
from appliance.operations.machines import layout_on
from appliance.wiring import Appliance

HTTP_PORT, HTTPS_PORT = USUAL_PORTS["http"], USUAL_PORTS["https"]
PORTS_PER_INSTANCE = 10
"""Each instance has a block of private ports, so that old and new deployments listen side by side."""


def host_variables(layout: Layout) -> dict[str, Any]:
    """How long-running processes, nginx and Python environments are handled on the host."""
    return {
        "service_manager": layout.service_manager,
        "supervisorctl": list(layout.supervisorctl),
        "supervisor_directory": str(layout.supervisor_directory),
        "python": layout.python,
        "uv": layout.uv,
        "nginx_configuration": str(layout.nginx_configuration),
        "nginx_directory": str(layout.nginx_directory),
        "nginx_reload": layout.nginx_reload,
        "log_directory": str(layout.log_directory),
        "cache_directory": str(layout.cache_directory),
        "firewall_doors": str(layout.firewall_doors or ""),
    }


def crm_variables(layout: Layout, instance: Instance) -> dict[str, Any]:
    """Where the instance lives and who it is there."""
    return {
        "name": instance.name,
        "root": str(layout.crm_root / instance.name),
        "user": instance.user,
        "cluster": instance.cluster,
        "database_port": layout.database_port_base + instance.slot,
        "socket_directory": str(layout.socket_directory),
        "address": instance.address,
        "port": instance.port,
        "domain": instance.domain,
        "url": instance.url.rstrip("/"),
        "tls": tls_variables(instance),
    }


def tls_variables(instance: Instance) -> dict[str, Any]:
    """How its visitors are protected. `http_port` is where they are sent on from, and where an authority looks for its proof."""
    tls = instance.tls
    wants_plain = tls.is_on and (instance.port == HTTPS_PORT or tls.mode is TlsMode.ACME)
    return {
        "mode": tls.mode.value,
        "hsts": tls.hsts,
        "certificate": tls.certificate,
        "trust": tls.trust,
        "nameless": as_address(instance.domain) is not None,
        "http_port": HTTP_PORT if wants_plain else None,
    }


def release_variables(appliance: Appliance, product: str, deployment: Deployment) -> dict[str, Any]:
    """The release a deployment runs, its lock on this machine and where it is built."""
    found = appliance.catalogue.get(product)
    release = found.definition.release(deployment.version)
    tools = found.definition.build_tools
    return {
        **release.model_dump(mode="json", exclude_none=True, include={"version", "series", "package"}),
        "node": str(found.file(release.node.directory)) if release.node else "",
        "build_tools": str(found.file(tools.lock)) if tools else "",
        "build": deployment.build,
        "directory": deployment.release_directory,
        "bin": f"{deployment.release_directory}/venv/bin",
        "lock": str(found.file(release.lock or "")),
        "prebuild": [step.model_dump(mode="json", exclude_none=True) for step in found.definition.prebuild_of(release.version)],
    }


def variables(
    appliance: Appliance, instance: Instance, *, deployment: Deployment, previous: Deployment | None = None, **more: Any
) -> dict[str, Any]:
    """Everything for a playbook run about one deployment of an instance."""
    product = appliance.catalogue.get(instance.product)
    layout = layout_on(appliance, instance.host)
    told = {
        "host": host_variables(layout),
        "crm": crm_variables(layout, instance),
        "settings": dict(instance.settings),
        "product": product.definition.for_playbooks(product.directory),
        "release": release_variables(appliance, instance.product, deployment),
        "deployment": deployment.as_variables(),
        "secrets": {"directory": str(layout.crm_root / instance.name / "secrets")},
        **more,
    }
    if previous is not None:
        told["previous"] = previous.as_variables()
    return told


def new_deployment(
    layout: Layout,
    instance: Instance,
    release: Release,
    build: str,
    *,
    operation_id: int,
    own_files: bool,
    release_owner: str | None = None,
    role: str = "production",
    stop: int = 0,
) -> Deployment:
    """Decide on a deployment that no other of the instance collides with.

    `own_files` gives it a new directory for uploads instead of the current one's; `release_owner` lets it use a release that another
    instance on the host has built (releases are immutable). Deployments of one operation are told apart by their `stop`.
    """
    current = instance.deployment
    number = 1 + stop + max((int(kept.id.partition("-")[0]) for kept in _kept(instance)), default=0)
    deployment_id = f"{number:04d}-{operation_id}"
    root = layout.crm_root / instance.name
    releases = layout.crm_root / (release_owner or instance.name) / "releases"
    files = root / "files" / deployment_id if own_files or current is None else Path(current.files)
    return Deployment(
        id=deployment_id,
        version=release.version,
        series=release.series,
        build=build,
        directory=str(root / "deployments" / deployment_id),
        release_directory=str(releases / f"{release.version}-{build}"),
        files=str(files),
        database=f"crm_{number:04d}_{operation_id}",
        port=_free_port(layout, instance),
        role=role,
        mail=role == "production",
    )


def database_spec(layout: Layout, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """How the backup package reaches a deployment's database."""
    return {
        "engine": "postgresql",
        "name": deployment.database,
        "port": layout.database_port_base + instance.slot,
        "socket_directory": str(layout.socket_directory),
        "user": "postgres",
    }


def steps_variables(steps: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Product steps as playbooks take them."""
    return [step.model_dump(mode="json", exclude_none=True) for step in steps]


def _kept(instance: Instance) -> list[Deployment]:
    return [deployment for deployment in (instance.deployment, instance.previous) if deployment is not None]


def _free_port(layout: Layout, instance: Instance) -> int:
    first = layout.deployment_port_base + instance.slot * PORTS_PER_INSTANCE
    taken = {deployment.port for deployment in _kept(instance)}
    return next(port for port in range(first, first + PORTS_PER_INSTANCE) if port not in taken)
