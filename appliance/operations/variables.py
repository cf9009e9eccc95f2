"""What playbooks are told: the host, the instance, its product, release and deployment, as JSON without a secret in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.domain.instance import Deployment, Instance
from appliance.domain.names import USUAL_PORTS, as_address
from appliance.domain.product_releases import Release
from appliance.domain.tls import TlsMode
from appliance.hosts.layout import Layout
from appliance.operations.machines import layout_on
from appliance.wiring import Appliance

CLUSTERS_PER_INSTANCE = 3
"""One for what serves, one for the way back, one for what an upgrade makes."""
INSTANCES_PER_HOST = 1000
"""So far apart are the ports of one instance's clusters; they are but the names of sockets."""
HTTP_PORT, HTTPS_PORT = USUAL_PORTS["http"], USUAL_PORTS["https"]
PORTS_PER_INSTANCE = 10
"""Each instance has a block of private ports, so that old and new deployments listen side by side."""


def host_variables(layout: Layout) -> dict[str, Any]:
    """How long-running processes, nginx and Python environments are handled on the host."""
    return {
        "service_manager": layout.service_manager,
        "supervisor_socket": str(layout.supervisor_socket),
        "supervisor_directory": str(layout.supervisor_directory),
        "python": layout.python,
        "uv": layout.uv,
        "tools_python": layout.tools_python,
        "nginx_configuration": str(layout.nginx_configuration),
        "nginx_directory": str(layout.nginx_directory),
        "nginx_reload": layout.nginx_reload,
        "log_directory": str(layout.log_directory),
        "cache_directory": str(layout.cache_directory),
        "firewall_doors": str(layout.firewall_doors or ""),
    }


def crm_variables(layout: Layout, instance: Instance, *, cluster: int = 0) -> dict[str, Any]:
    """Where the instance lives and who it is there; of its clusters it is told all, and which one it is about."""
    clusters = [_cluster_variables(layout, instance, number) for number in range(CLUSTERS_PER_INSTANCE)]
    return {
        "name": instance.name,
        "root": str(layout.crm_root / instance.name),
        "user": instance.user,
        **clusters[cluster],
        "clusters": clusters,
        "socket_directory": str(layout.socket_directory),
        "address": instance.address,
        "port": instance.port,
        "domain": instance.domain,
        "url": instance.url.rstrip("/"),
        "tls": tls_variables(instance),
    }


def _cluster_variables(layout: Layout, instance: Instance, number: int) -> dict[str, Any]:
    cluster = instance.cluster(number)
    return {
        "cluster": cluster,
        "cluster_service": f"crm-{instance.name}-postgresql" + (f"-{number}" if number else ""),
        "cluster_state": str(layout.crm_root / instance.name / ("cluster" + (f"-{number}" if number else "") + ".state")),
        "database_port": layout.database_port_base + number * INSTANCES_PER_HOST + instance.slot,
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
        "crm": crm_variables(layout, instance, cluster=deployment.cluster),
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
    follows: bool,
    apart: bool = False,
    release_owner: str | None = None,
    role: str = "production",
    stop: int = 0,
) -> Deployment:
    """Decide on a deployment that no other of the instance collides with.

    One that `follows` the current deployment goes on with its uploads, and its database begins as a standby in a cluster of its own; any
    other has a new directory for uploads, and its database beside the current one, or, `apart`, in a cluster of its own.
    `release_owner` lets it use a release that another instance on the host has built (releases are immutable). Deployments of one
    operation are told apart by their `stop`.
    """
    current = instance.deployment
    number = 1 + stop + max((int(kept.id.partition("-")[0]) for kept in instance.kept), default=0)
    deployment_id = f"{number:04d}-{operation_id}"
    root = layout.crm_root / instance.name
    releases = layout.crm_root / (release_owner or instance.name) / "releases"
    return Deployment(
        id=deployment_id,
        version=release.version,
        series=release.series,
        build=build,
        directory=str(root / "deployments" / deployment_id),
        release_directory=str(releases / f"{release.version}-{build}"),
        files=current.files if follows and current else str(root / "files" / deployment_id),
        database=f"crm_{number:04d}_{operation_id}",
        port=_free_port(layout, instance),
        cluster=_cluster_of(instance, free=follows or apart),
        role=role,
        mail=role == "production",
    )


def database_spec(layout: Layout, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """How the backup package reaches a deployment's database."""
    return {
        "engine": "postgresql",
        "name": deployment.database,
        "port": _cluster_variables(layout, instance, deployment.cluster)["database_port"],
        "socket_directory": str(layout.socket_directory),
        "user": "postgres",
    }


def source_variables(layout: Layout, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """Where playbooks find the database that another deployment is to take over."""
    return {**_cluster_variables(layout, instance, deployment.cluster), "database": deployment.database}


def steps_variables(steps: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Product steps as playbooks take them."""
    return [step.model_dump(mode="json", exclude_none=True) for step in steps]


def cluster_ports(layout: Layout) -> tuple[int, int]:
    """The first port that a database cluster of an instance can have, and the one after the last."""
    return layout.database_port_base, layout.database_port_base + CLUSTERS_PER_INSTANCE * INSTANCES_PER_HOST


def _free_port(layout: Layout, instance: Instance) -> int:
    first = layout.deployment_port_base + instance.slot * PORTS_PER_INSTANCE
    taken = {deployment.port for deployment in instance.kept}
    return next(port for port in range(first, first + PORTS_PER_INSTANCE) if port not in taken)


def _cluster_of(instance: Instance, *, free: bool) -> int:
    """That of the current deployment, or one that none has."""
    if not free:
        return instance.deployment.cluster if instance.deployment else 0
    taken = {deployment.cluster for deployment in instance.kept} or {0}  # the first is made with the instance
    return next(number for number in range(CLUSTERS_PER_INSTANCE) if number not in taken)
