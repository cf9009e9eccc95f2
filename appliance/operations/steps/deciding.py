"""Decide, before anything is done, which deployment will be made and which names and ports it takes; written down first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.objectives import Objectives
from appliance.domain.tls import TlsMode
from appliance.errors import Conflict
from appliance.operations.addresses import Site, choose_site, is_taken_by_name, place_is_free, preferred_port
from appliance.operations.certifying import brought_before, certify, forget_certificates
from appliance.operations.run import Run
from appliance.operations.variables import new_deployment
from appliance.products.builds import build_of

ATTEMPTS = 20
SCRATCH_SITE = Site(address="127.0.0.1", domain="127.0.0.1", mode=TlsMode.NONE, hsts=False)
"""Nobody visits the copy of a drill."""


def decide_on_release(
    run: Run, instance: Instance, *versions: str, follows: bool, apart: bool = False, role: str = "production", afresh: bool = False
) -> None:
    """Remember the deployment to make, those of the releases on the way to it, and the ones it comes after.

    `follows` and `apart` are as for `new_deployment`. A second call keeps the first decision unless it is to be `afresh`.
    """
    if run.memory.get("new") and not afresh:
        return
    product = run.appliance.catalogue.get(instance.product)
    *stops, target = (
        new_deployment(
            run.machine.layout,
            instance,
            product.definition.release(version),
            build_of(product, version),
            operation_id=run.operation.id,
            follows=follows,
            apart=apart,
            role=role,
            release_owner=run.memory.get("secrets_of"),
            stop=stop,
        ).as_variables()
        for stop, version in enumerate(versions)
    )
    current, previous = instance.deployment, instance.previous
    run.remember(
        new=target,
        stops=stops,
        old=None if current is None else current.as_variables(),
        older=None if previous is None else previous.as_variables(),
    )


def reserve_instance(run: Run, wanted: Mapping[str, Any], *, state: InstanceState) -> Instance:
    """Take name, slot and ports for an instance that is to be made; one that this operation has taken already is kept."""
    instances = run.appliance.store.instances
    name = str(wanted["name"])
    known = instances.find(name)
    lost = known if known is not None and known.is_lost else None
    if run.memory.get("created") == name and known is not None and lost is None:
        return known
    run.remember(subject=name, created=name, lost=lost is not None)
    site = SCRATCH_SITE if state is InstanceState.SCRATCH else choose_site(run.appliance, run.machine.host.name, wanted)
    made, taken = _placeless(run, wanted, site, state=state, lost=lost), set[int]()
    for _ in range(ATTEMPTS):
        slot = instances.free_slot(besides=taken)
        port = _free_port(run, site, run.machine.layout.crm_port_base + slot)
        if port is None:
            taken.add(slot)
            continue
        instance = replace(made, slot=slot, port=port)
        try:
            instances.add(instance, instead_of_lost=lost is not None)
        except Conflict:
            if (there := instances.find(name)) is not None and not there.is_lost:
                run.remember(created=None)
                raise
            continue
        return instance
    raise Conflict("No free port block could be taken; nothing was changed. Try again.")


def _placeless(run: Run, wanted: Mapping[str, Any], site: Site, *, state: InstanceState, lost: Instance | None) -> Instance:
    """All of an instance but its slot and port. One that was lost keeps its age, its promises, its certificate, and who has to agree."""
    name = str(wanted["name"])
    return Instance(
        name=name,
        product=wanted["product"],
        release=wanted["release"],
        series=run.appliance.catalogue.get(wanted["product"]).definition.release(wanted["release"]).series,
        state=state,
        slot=0,
        address=site.address,
        port=0,
        host=run.machine.host.name,
        domain=site.domain,
        tls=(lost and brought_before(run.appliance, lost, site, run.now())) or certify(run.appliance, name, site, wanted, run.now()),
        settings=wanted["settings"],
        created_at=lost.created_at if lost else run.now(),
        asks_approval=lost is not None and lost.asks_approval,
        is_public=lost is not None and lost.is_public,
        measures_adoption=lost is None or lost.measures_adoption,
        objectives=lost.objectives if lost else Objectives(),
    )


def _free_port(run: Run, site: Site, base: int) -> int | None:
    """The port for a site, None when the one that belongs to its slot is taken. Raises Conflict when another was wanted."""
    port = preferred_port(site, base)
    if site.port is None and is_taken_by_name(run.appliance, run.machine, site, port):
        port = base  # a copy stands beside the CRM that has the name
    problem = place_is_free(run.appliance, run.machine, site, port)()
    if problem is not None and port != base:
        raise Conflict(f"{problem}. Nothing was changed.")
    return port if problem is None else None


def release_reservation(run: Run) -> None:
    """Give name, ports and certificate back, if it was this operation that took them; what was lost before is lost again."""
    name = run.memory.get("created")
    if name is None:
        return
    if run.memory.get("lost"):
        run.appliance.store.instances.lose(name)
        return
    forget_certificates(run.appliance, name)
    run.appliance.store.instances.remove(name)
