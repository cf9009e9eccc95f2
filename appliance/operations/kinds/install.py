"""Install: from a product and a name to a CRM that serves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from appliance.domain.host import LOCALHOST
from appliance.domain.instance import InstanceState, check_name
from appliance.domain.tls import TlsMode
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.addresses import choose_site, place_is_free, preferred_port
from appliance.operations.certifying import Handover, examine_request
from appliance.operations.machines import require_prepared
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import RELEASE_BYTES, disk_has_room, lock_is_intact, require, runtime_fits
from appliance.operations.run import Run
from appliance.operations.steps.deciding import decide_on_release, release_reservation, reserve_instance
from appliance.operations.steps.deploying import DEPLOYMENT_EMPTY, INITIALISE, START, VERIFY
from appliance.operations.steps.hosting import HOST, INSTANCE, RELEASE
from appliance.operations.steps.takeover import FIRST_SWITCH, OPEN
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

DATABASE_BYTES = 500 * 1024**2
"""A new cluster with an empty CRM and its write-ahead log."""


def _an_address(value: str) -> str:
    return str(ip_address(value))


class InstallParameters(Parameters):
    """What to install; what is left out is decided by the definition and the appliance's settings."""

    product: str
    name: str | None = None
    release: str | None = None
    host: str = LOCALHOST
    settings: dict[str, Any] = Field(default_factory=dict)
    address: Annotated[str, AfterValidator(_an_address)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    domain: str | None = None
    tls: TlsMode | None = None
    hsts: bool | None = None
    certificate: str | None = None
    key: str | None = None
    handover: Handover = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest for a bad name, field or certificate, NotFound for an unknown product or release, Conflict for a taken name."""
    name = check_name(instance)
    wanted = read(InstallParameters, parameters)
    require_prepared(appliance, wanted.host)
    definition = appliance.catalogue.get(wanted.product).definition
    release = definition.release(wanted.release or definition.default_release)
    settings = definition.complete_settings(wanted.settings)
    if wanted.name not in (None, name):
        raise InvalidRequest(f"The new instance has two names, {name} and {wanted.name}. Nothing was changed.", field="name")
    if appliance.store.instances.find(name) is not None:
        raise Conflict(f"An instance named {name} exists already. Nothing was changed.")
    if appliance.store.points.list(name):
        raise Conflict(
            f"Recovery points of a removed instance named {name} are kept, with the secrets they need. Nothing was changed; "
            f"bring it back with: appliance restore {name} --as {name}, or choose another name."
        )
    given = wanted.model_dump(mode="json")
    site = choose_site(appliance, wanted.host, given)
    placed = {"address": site.address, "domain": site.domain, "tls": site.mode.value, "hsts": site.hsts}
    brought = examine_request(appliance, site, given, datetime.now(UTC))
    return {**given, "name": name, "release": release.version, "settings": settings, **placed, **brought}


def check(run: Run) -> str:
    """Refuse before anything is changed."""
    wanted, appliance = run.operation.parameters, run.appliance
    product = appliance.catalogue.get(wanted["product"])
    reach, layout = run.machine.reach, run.machine.layout
    checks = [
        runtime_fits(reach, product.definition, wanted["release"]),
        lock_is_intact(product, wanted["release"]),
        disk_has_room(reach, layout.crm_root, RELEASE_BYTES + DATABASE_BYTES),
    ]
    site = choose_site(appliance, run.machine.host.name, wanted)
    if port := preferred_port(site, base=0):
        checks.append(place_is_free(appliance, run.machine, site, port))
    return require(checks)


def reserve(run: Run) -> str:
    """Take the name, the ports and make the secrets."""
    wanted = run.operation.parameters
    instance = reserve_instance(run, wanted, state=InstanceState.INSTALLING)
    for secret in run.appliance.catalogue.get(instance.product).definition.secrets:
        run.appliance.store.vault.ensure(instance.name, secret.name, secret.length)
    decide_on_release(run, instance, wanted["release"], follows=False)
    return f"{instance.name} will answer at {instance.url}"


def give_back(run: Run) -> None:
    """Forget the name, the ports and the secrets."""
    if run.memory.get("created"):
        run.appliance.store.vault.forget(run.operation.instance)
    release_reservation(run)


INSTALL = Workflow(
    kind="install",
    accept=accept,
    secrets=("key",),
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        StepDefinition(name="reserve", title="Take name and ports", run=reserve, undo=give_back),
        HOST,
        INSTANCE,
        RELEASE,
        DEPLOYMENT_EMPTY,
        INITIALISE,
        START,
        VERIFY,
        FIRST_SWITCH,
        OPEN,
    ),
)
