"""Remove: take an instance away from its host; its recovery points and secrets stay unless told otherwise."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus
from appliance.operations.certifying import forget_certificates
from appliance.operations.kinds.backup import backup_checks, serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import require
from appliance.operations.run import Run
from appliance.operations.steps.elsewhere import purge_everywhere
from appliance.operations.steps.hosting import remove_instance
from appliance.operations.steps.snapshots import take_snapshot
from appliance.operations.telling import publish_targets
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class RemoveParameters(Parameters):
    """`purge` also gives up every recovery point and secret of the instance; `final_backup` takes one more before."""

    purge: bool = False
    final_backup: bool = True


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict. Of one that was lost there is nothing on a host; it is only forgotten."""
    if not appliance.store.instances.get(instance).is_lost:
        serving(appliance, instance)
    return read(RemoveParameters, parameters).model_dump()


def check(run: Run) -> str | None:
    """Refuse before anything is changed, and write down what will go."""
    if _is_lost(run):
        run.remember(lost=True)
        return "it is lost, nothing of it is on a host"
    instance = serving(run.appliance, run.operation.instance)
    assert instance.deployment is not None  # noqa: S101 - it serves
    checked = require(backup_checks(run, instance)) if _wants_backup(run) else None
    run.remember(new=instance.deployment.as_variables())
    return checked


def back_up(run: Run) -> str:
    """Keep what was there at the end."""
    return take_snapshot(run) if _wants_backup(run) else "not wanted"


def take_away(run: Run) -> None:
    """Stop watching, then leave nothing on the host."""
    if run.memory.get("lost"):
        return
    if run.appliance.store.instances.find(run.operation.instance) is not None:
        run.appliance.store.instances.mark(run.operation.instance, InstanceState.REMOVING)
    publish_targets(run.appliance)
    remove_instance(run)


def forget(run: Run) -> str:
    """Forget the instance; with `purge` its recovery points and secrets too."""
    name, store = run.operation.instance, run.appliance.store
    store.instances.remove(name)
    forget_certificates(run.appliance, name)
    points = store.points.list(name)
    if not run.operation.parameters["purge"]:
        return f"{len(points)} recovery points are kept"
    stayed = purge_everywhere(run, name)
    store.points.forget([point.id for point in points])
    store.vault.forget(name)
    return "; ".join([f"{len(points)} recovery points were given up", *stayed])


def _is_lost(run: Run) -> bool:
    instance = run.appliance.store.instances.find(run.operation.instance)
    return instance is not None and instance.is_lost


def _wants_backup(run: Run) -> bool:
    return not run.memory.get("lost") and run.operation.parameters["final_backup"] and not run.operation.parameters["purge"]


REMOVE = Workflow(
    kind="remove",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        StepDefinition(name="backup", title="Take a last recovery point", run=back_up),
        StepDefinition(name="remove", title="Take it away from the host", run=take_away, cancellable=False),
        StepDefinition(name="forget", title="Forget it", run=forget, cancellable=False),
    ),
)
