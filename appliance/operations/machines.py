"""The machine that an operation works on: how it is reached, and where things are on it."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appliance.domain.host import LOCALHOST, Host, HostState, host_of_subject
from appliance.domain.operation import Operation
from appliance.errors import ApplianceError, PreflightFailed
from appliance.hosts.layout import Layout, layout_of
from appliance.hosts.reach import Local, Reach, Ssh
from appliance.hosts.ssh_files import lay_down
from appliance.wiring import Appliance

KEY_SECRET = "ssh_key"  # noqa: S105 - the name of a secret


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A host as steps and checks use it."""

    host: Host
    reach: Reach
    layout: Layout


def machine_of(appliance: Appliance, host: str, *, channel: str) -> Machine:
    """The machine of that name; `channel` names the shared connection to it. Raises NotFound."""
    found = appliance.store.hosts.get(host)
    return Machine(host=found, reach=_reach(appliance, found, channel), layout=layout_of(appliance.settings, found))


def layout_on(appliance: Appliance, host: str) -> Layout:
    """Where things are on the host of that name. Raises NotFound."""
    return layout_of(appliance.settings, appliance.store.hosts.get(host))


def host_of(appliance: Appliance, operation: Operation, memory: Mapping[str, Any]) -> str:
    """The host that an operation works on: its own, its instance's, or the one where its instance is to be."""
    if (host := host_of_subject(operation.instance)) is not None:
        return host
    if "host" in memory:
        return str(memory["host"])
    instance = appliance.store.instances.find(str(memory.get("subject", operation.instance)))
    if instance is not None:
        return instance.host
    return str(operation.parameters.get("host") or LOCALHOST)


def require_prepared(appliance: Appliance, host: str) -> None:
    """Raises NotFound, and PreflightFailed for a managed host that does not have what instances need, or one that cannot be worked on."""
    found = appliance.store.hosts.get(host)
    require_reachable(appliance, host)
    if not found.is_local and found.state != HostState.READY:
        raise PreflightFailed((f"{host} is not prepared yet; run: appliance host prepare {host}",))


def require_reachable(appliance: Appliance, host: str) -> None:
    """Raises PreflightFailed for this machine in production, where the worker is not root and goes to every host over SSH."""
    if appliance.settings.production and host == LOCALHOST:
        raise PreflightFailed(
            (
                "the worker does not run as root here (bin/up --production), so it cannot change this machine directly; "
                "add it as a host: appliance host add here --address 127.0.0.1",
            )
        )


def close_connection(appliance: Appliance, operation: Operation) -> None:
    """Give up the connection that an operation has kept to its host; whatever is wrong with it is no concern of the operation any more."""
    with suppress(ApplianceError, subprocess.TimeoutExpired):
        host = host_of(appliance, operation, appliance.store.operations.memory(operation.id))
        machine_of(appliance, host, channel=channel_of(operation)).reach.close()


def channel_of(operation: Operation) -> str:
    """The name of an operation's own connection."""
    return f"operation-{operation.id}"


def _reach(appliance: Appliance, host: Host, channel: str) -> Reach:
    if host.is_local:
        return Local()
    key = appliance.store.vault.get(host.subject, KEY_SECRET)
    configuration = lay_down(appliance.settings.run, host, key)
    return Ssh(name=host.name, user=host.user, configuration=configuration, channel=channel)
