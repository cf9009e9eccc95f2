"""What is asked of the hosts in somebody's name, and what there is to say of each."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.host import Host, HostState
from appliance.domain.operation import Operation
from appliance.domain.request_key import RequestKey
from appliance.operations.hosts import add_host, remove_host, require_fingerprint, scan_again, scan_host, subject_of_host, trust_host
from appliance.store import Store
from appliance.web.access import Principal
from appliance.web.panel import Panel
from appliance.web.requesting import send
from appliance.wiring import Appliance


def show_key(principal: Principal, *, name: str, address: str, port: int, user: str) -> str:
    """The key that a machine shows which somebody wants to add. Raises Forbidden, InvalidRequest, HostUnreachable."""
    principal.demand("host-add")
    return scan_host(name, address, port, user)


def add(
    panel: Panel, principal: Principal, *, name: str, address: str, port: int, user: str, expected: str, private_key: str | None
) -> Host:
    """Add a machine that shows the expected fingerprint still. Raises Forbidden and what `add_host` raises."""
    host_key = show_key(principal, name=name, address=address, port=port, user=user)
    require_fingerprint(name, host_key, expected)
    return add_host(
        panel.appliance,
        name=name,
        address=address,
        port=port,
        user=user,
        host_key=host_key,
        private_key=private_key,
        requested_by=principal.name,
        now=panel.clock(),
    )


def show_key_again(panel: Panel, principal: Principal, name: str) -> str:
    """The key that a managed host shows now. Raises Forbidden and what `scan_again` raises."""
    principal.demand("host-trust")
    return scan_again(panel.appliance, name)


def trust(panel: Panel, principal: Principal, name: str, expected: str) -> Host:
    """Know a host by the key of that fingerprint, which it shows now. Raises Forbidden, NotFound, HostRefused, HostUnreachable."""
    host_key = show_key_again(panel, principal, name)
    require_fingerprint(name, host_key, expected)
    trust_host(panel.appliance, name, host_key, requested_by=principal.name, now=panel.clock())
    return panel.appliance.store.hosts.get(name)


def remove(panel: Panel, principal: Principal, name: str) -> None:
    """Forget a host. Raises Forbidden and what `remove_host` raises."""
    principal.demand("host-remove")
    remove_host(panel.appliance, name, requested_by=principal.name, now=panel.clock())


def prepare(panel: Panel, principal: Principal, name: str, policy: Mapping[str, Any], *, key: RequestKey | None = None) -> Operation:
    """Request that a host is prepared. Raises Forbidden, NotFound and what `request` raises."""
    return send(panel, principal, "host-prepare", subject_of_host(panel.appliance, name), policy, key=key)


def request_stack(
    panel: Panel, principal: Principal, name: str, parameters: Mapping[str, Any], *, key: RequestKey | None = None
) -> Operation:
    """Request that the monitoring stack of a host is installed or removed. Raises Forbidden, NotFound and what `request` raises."""
    return send(panel, principal, "monitoring-stack", subject_of_host(panel.appliance, name), parameters, key=key)


def instances_on(store: Store, host: str) -> list[str]:
    """The names of the CRMs on a host."""
    return [instance.name for instance in store.instances.glances() if instance.host == host]


def prepared_hosts(appliance: Appliance) -> list[Host]:
    """The hosts that a CRM can be installed on; this machine is one unless the worker has no rights on it."""
    hosts = appliance.store.hosts.list()
    return [host for host in hosts if (not appliance.settings.production if host.is_local else host.state == HostState.READY)]
