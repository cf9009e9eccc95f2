"""The hosts under /api/v1."""

from typing import Any

from fastapi import APIRouter, Response

from appliance.domain.host import Host
from appliance.hosts.host_keys import fingerprint
from appliance.web import hosting
from appliance.web.api.bodies import OperationBody
from appliance.web.api.host_bodies import HostBody, MachineBody, NewHostBody, PolicyChangeBody, ShownKeyBody, StackBody, TrustBody
from appliance.web.api.once import OnceDependency
from appliance.web.api.refusals import BUSY, PROBLEMS, refusal
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Bearer

SILENT: dict[int | str, dict[str, Any]] = {504: refusal("The machine does not answer")}
REFUSED: dict[int | str, dict[str, Any]] = {
    409: refusal("The name is taken, or the machine shows another key, or does not let the appliance in, or not become root"),
    502: refusal("The machine lets the appliance in and cannot be looked at"),
    **SILENT,
}

router = APIRouter(prefix="/api/v1/hosts", responses=PROBLEMS)


def _body(panel: Panel, host: Host) -> HostBody:
    return HostBody.of(host, hosting.instances_on(panel.appliance.store, host.name))


@router.get("")
def list_hosts(panel: PanelDependency, _: Bearer) -> list[HostBody]:
    """Give the machines that CRMs run on, by name; the appliance's own is `localhost`."""
    there = panel.appliance.store.instances.glances()
    return [HostBody.of(host, [one.name for one in there if one.host == host.name]) for host in panel.appliance.store.hosts.list()]


@router.post("", status_code=201, responses=REFUSED)
def add_host(panel: PanelDependency, principal: Bearer, body: NewHostBody, response: Response) -> HostBody:
    """Add a machine that is reached over SSH and shows the key of that fingerprint; nothing is changed on it."""
    secret = body.private_key.get_secret_value() if body.private_key else None
    machine = body.model_dump(include={"name", "address", "port", "user"})
    host = hosting.add(panel, principal, **machine, expected=body.fingerprint, private_key=secret)
    response.headers["Location"] = f"/api/v1/hosts/{host.name}"
    return _body(panel, host)


@router.post("/scan", responses=SILENT)
def scan_host(principal: Bearer, body: MachineBody) -> ShownKeyBody:
    """Give the key that a machine shows; compare its fingerprint on the machine itself, then send it with the request to add."""
    host_key = hosting.show_key(principal, **body.model_dump())
    return ShownKeyBody(host_key=host_key, fingerprint=fingerprint(host_key))


@router.get("/{name}")
def get_host(panel: PanelDependency, _: Bearer, name: str) -> HostBody:
    """Give one host."""
    return _body(panel, panel.appliance.store.hosts.get(name))


@router.delete("/{name}", status_code=204, responses=BUSY)
def remove_host(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Forget a host that no CRM is on; what was installed there stays."""
    hosting.remove(panel, principal, name)


@router.post("/{name}/prepare", status_code=202, responses=BUSY)
def prepare_host(
    panel: PanelDependency, principal: Bearer, name: str, once: OnceDependency, body: PolicyChangeBody | None = None
) -> OperationBody:
    """Request that a host is brought to what CRMs need; a second time changes nothing that is as wanted."""
    wanted = body.model_dump(exclude_none=True) if body else {}
    return once.answer(lambda key: hosting.prepare(panel, principal, name, wanted, key=key))


@router.post("/{name}/stack", status_code=202, responses=BUSY)
def request_stack(
    panel: PanelDependency, principal: Bearer, name: str, once: OnceDependency, body: StackBody | None = None
) -> OperationBody:
    """Request that Prometheus, Alertmanager and exporters are installed on a host, or brought to what there is to watch now, or removed."""
    wanted = body.model_dump(exclude_none=True) if body else {}
    return once.answer(lambda key: hosting.request_stack(panel, principal, name, wanted, key=key))


@router.post("/{name}/trust", responses=REFUSED)
def trust_host(panel: PanelDependency, principal: Bearer, name: str, body: TrustBody) -> HostBody:
    """Know a host that was set up anew by the key that it shows now, if it has that fingerprint."""
    return _body(panel, hosting.trust(panel, principal, name, body.fingerprint))
