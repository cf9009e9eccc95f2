"""Decide, before anything is done, which deployment will be made and which names and ports it takes; written down first."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.instance import Instance, InstanceState
from appliance.errors import Conflict
from appliance.operations.preflight import port_is_free
from appliance.operations.run import Run
from appliance.operations.variables import new_deployment
from appliance.products.builds import build_of

ATTEMPTS = 20


def decide_on_release(run: Run, instance: Instance, version: str, *, own_files: bool, role: str = "production") -> None:
    """Remember the deployment to make and the ones it follows; a second call keeps the first decision."""
    if run.memory.get("new"):
        return
    product = run.appliance.catalogue.get(instance.product)
    deployment = new_deployment(
        run.machine.layout,
        instance,
        product.definition.release(version),
        build_of(product, version),
        operation_id=run.operation.id,
        own_files=own_files,
        role=role,
        release_owner=run.memory.get("secrets_of"),
    )
    current, previous = instance.deployment, instance.previous
    run.remember(
        new=deployment.as_variables(),
        old=None if current is None else current.as_variables(),
        older=None if previous is None else previous.as_variables(),
    )


def reserve_instance(run: Run, wanted: Mapping[str, Any], *, state: InstanceState) -> Instance:
    """Take name, slot and ports for an instance that is to be made; one that this operation has taken already is kept."""
    instances = run.appliance.store.instances
    name = str(wanted["name"])
    if run.memory.get("created") == name and (kept := instances.find(name)) is not None:
        return kept
    run.remember(subject=name, created=name)
    machine, taken = run.machine, set[int]()
    for _ in range(ATTEMPTS):
        slot = instances.free_slot(besides=taken)
        address, port = wanted.get("address") or machine.layout.crm_address, wanted.get("port") or machine.layout.crm_port_base + slot
        if not wanted.get("port") and port_is_free(machine.reach, address, port)() is not None:
            taken.add(slot)
            continue
        instance = Instance(
            name=name,
            product=wanted["product"],
            release=wanted["release"],
            series=run.appliance.catalogue.get(wanted["product"]).definition.release(wanted["release"]).series,
            state=state,
            slot=slot,
            address=address,
            port=port,
            host=machine.host.name,
            domain=wanted.get("domain") or machine.host.address,
            settings=wanted["settings"],
            created_at=run.now(),
        )
        try:
            instances.add(instance)
        except Conflict:
            if instances.find(name) is not None:
                run.remember(created=None)
                raise
            continue
        return instance
    raise Conflict("No free port block could be taken; nothing was changed. Try again.")


def release_reservation(run: Run) -> None:
    """Give name and ports back, if it was this operation that took them."""
    if (name := run.memory.get("created")) is not None:
        run.appliance.store.instances.remove(name)
