"""Tidy: clear what is left behind of an instance and on its host; what serves, and the way back, are never touched."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.domain.instance import Deployment, Instance, InstanceState
from appliance.domain.operation import OperationStatus
from appliance.domain.tls import Tls
from appliance.errors import PreflightFailed, ProbeFailed, StepFailed
from appliance.operations.kinds.backup import serving
from appliance.operations.leftovers import Leftovers, View, left_behind, see
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.deciding import SCRATCH_SITE
from appliance.operations.steps.health import OPEN_PROBES, await_health, probes_of
from appliance.operations.steps.takeover import OPEN_PATIENCE_SECONDS, RETRY_AFTER_SECONDS
from appliance.operations.variables import new_deployment, variables
from appliance.operations.workflow import Done, StepDefinition, Workflow
from appliance.products.builds import build_of
from appliance.products.probing import Door
from appliance.wiring import Appliance

PROCESSES_PATIENCE_SECONDS = 10
HEALTH_PATIENCE_SECONDS = 20


class TidyParameters(Parameters):
    """`start` also starts the CRM behind a maintenance page, `unknown` also removes deployments that no known operation has made."""

    start: bool = False
    unknown: bool = False


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict for an instance that does not serve."""
    serving(appliance, instance)
    return read(TidyParameters, parameters).model_dump()


def look(run: Run) -> str:
    """See what there is, now that nothing else works on the instance; refuse where the appliance does not know what serves."""
    _, left = _seen(run)
    if left.stranger is not None:
        raise PreflightFailed((_told_stranger(run, left.stranger),))
    if not left.is_its_own and not left.operations and not _unknown(run, left):
        return Done(f"nothing to clear; {left}" if left.unknown else "nothing is left behind")
    return str(left)


def end_processes(run: Run) -> str:
    """End what operations have started that have ended themselves."""
    _, left = _seen(run)
    for number in left.operations:
        run.end_on_host(number, patience_seconds=PROCESSES_PATIENCE_SECONDS)
    return _told("of operations", map(str, left.operations))


def open_site(run: Run) -> str:
    """Lift the maintenance page if the CRM behind it is well; it comes back when visitors are not served even so. Raises StepFailed."""
    instance, (_, left) = _instance(run), _seen(run)
    if not left.page and not run.memory.get("lifted"):
        return "visitors are let in" if instance.closed is None else f"closed by {instance.closed.by}, who has to open it"
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    if run.operation.parameters["start"]:
        run.playbook("deployment_start", variables(run.appliance, instance, deployment=instance.deployment))
    _require_well(run, instance, Door.PRIVATE, patience_seconds=HEALTH_PATIENCE_SECONDS)
    run.remember(lifted=True)
    _set_page(run, "off")
    try:
        return f"{instance.url} {_require_well(run, instance, Door.PROXY, OPEN_PROBES, patience_seconds=OPEN_PATIENCE_SECONDS)}"
    except StepFailed:
        _set_page(run, "on")
        raise


def remove_deployments(run: Run) -> str:
    """Take away the deployments that nothing refers to, with their databases, and with files and clusters that no other has."""
    view, left = _seen(run)
    instance = _instance(run)
    removed = (*left.deployments, *_unknown(run, left))
    for one in removed:
        others = _what_stays(instance, view, removed)
        own_files = Path(one.files).name == one.id and one.files not in {made.get("files") for made in others}
        own_cluster = one.cluster not in {made.get("cluster", 0) for made in others}
        own_database = one.database not in {made.get("database") for made in others}
        going = variables(run.appliance, instance, deployment=one)
        dropped = {"drop_database": own_database, "drop_cluster": own_cluster, "drop_files": own_files}
        run.playbook("deployment_remove", {**going, **dropped})
    return _told("removed:", (one.id for one in removed))


def remove_copies(run: Run) -> str:
    """Take away scratch copies of the instance; it is their source's operations that make and use them."""
    _, left = _seen(run)
    for name in left.copies:
        run.playbook("instance_remove", _variables_of_copy(run, name))
    return _told("removed:", left.copies)


def _seen(run: Run) -> tuple[View, Leftovers]:
    view = see(run.appliance, run.machine)
    return view, left_behind(run.appliance, _instance(run), view)


def _instance(run: Run) -> Instance:
    return serving(run.appliance, run.operation.instance)


def _unknown(run: Run, left: Leftovers) -> list[Deployment]:
    """Those to be removed, because somebody has asked for that and they say what they are made of."""
    return [one for one in left.unknown.values() if one is not None] if run.operation.parameters["unknown"] else []


def _what_stays(instance: Instance, view: View, removed: tuple[Deployment, ...]) -> list[Mapping[str, Any]]:
    """What the deployments are made of that are not removed."""
    gone = {one.id for one in removed}
    there = view.directories[instance.name].deployments
    return [kept.as_variables() for kept in instance.kept] + [made or {} for id_, made in there.items() if id_ not in gone]


def _variables_of_copy(run: Run, name: str) -> dict[str, Any]:
    """What a playbook is told to take a copy away: what it would be if it were made now."""
    source, layout = _instance(run), run.machine.layout
    slot = run.appliance.store.instances.free_slot()
    copy = replace(
        source,
        name=name,
        state=InstanceState.SCRATCH,
        slot=slot,
        address=SCRATCH_SITE.address,
        domain=SCRATCH_SITE.domain,
        port=layout.crm_port_base + slot,
        tls=Tls(),
        deployment=None,
        previous=None,
    )
    product = run.appliance.catalogue.get(source.product)
    release, build = product.definition.release(source.release), build_of(product, source.release)
    made = new_deployment(layout, copy, release, build, operation_id=run.operation.id, follows=False, role="scratch")
    return variables(run.appliance, copy, deployment=made)


def _require_well(run: Run, instance: Instance, door: Door, names: Collection[str] | None = None, *, patience_seconds: float) -> str:
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    try:
        asked = probes_of(run.appliance, instance, instance.deployment, door=door, names=names)
        return await_health(run.machine, asked, patience_seconds=patience_seconds)
    except ProbeFailed as error:
        mend = f"Mend that; `appliance instance tidy {instance.name} --start` starts the CRM and lets visitors in"
        raise StepFailed(f"The maintenance page stays, since the CRM behind it is not well. {str(error).rstrip('.')}. {mend}") from None


def _set_page(run: Run, state: str) -> None:
    instance = _instance(run)
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    message = {"message": f"{instance.name} is being looked after.", "retry_after_seconds": RETRY_AFTER_SECONDS}
    told = variables(run.appliance, instance, deployment=instance.deployment, maintenance_state=state, maintenance=message)
    run.playbook("maintenance", told)


def _told_stranger(run: Run, stranger: str) -> str:
    root, remembered = run.machine.layout.crm_root / run.operation.instance, _instance(run).deployment
    return (
        f"{root}/current points to {stranger}, and the appliance remembers {remembered.id if remembered else 'nothing'}: it may have been "
        "brought back from an older state of its own; see what serves before anything is cleared"
    )


def _told(what: str, which: Iterable[str]) -> str:
    named = ", ".join(which)
    return f"{what} {named}" if named else "none"


TIDY = Workflow(
    kind="tidy",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="look", title="See what is left behind", run=look),
        StepDefinition(name="processes", title="End processes of operations that have ended", run=end_processes),
        StepDefinition(name="open", title="Let visitors in if the CRM is well", run=open_site, cancellable=False),
        StepDefinition(name="deployments", title="Remove deployments that nothing refers to", run=remove_deployments),
        StepDefinition(name="copies", title="Remove scratch copies", run=remove_copies),
    ),
)
