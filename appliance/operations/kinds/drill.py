"""Drill: restore a recovery point into a scratch copy, boot the CRM from it, log in, write, count; then throw the copy away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.domain.instance import InstanceState, scratch_name
from appliance.domain.operation import OperationStatus
from appliance.operations.kinds.restore import check_beside
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.copying import Way, choose, host_for, reserve_copy
from appliance.operations.steps.deciding import release_reservation
from appliance.operations.steps.deploying import START, compare_records, count_records, remove_deployment, verify
from appliance.operations.steps.hosting import INSTANCE, remove_instance
from appliance.operations.steps.kit import prove_kit
from appliance.operations.steps.restoring import RESTORE, create_to_restore
from appliance.operations.steps.subject import new
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class DrillParameters(Parameters):
    """`point` is the newest one of the instance when it is left out; `way` says what of it is proven, its dump or its place in the log."""

    point: str | None = None
    way: Way | None = None
    repository: str | None = None
    host: str | None = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound."""
    wanted = read(DrillParameters, parameters)
    chosen = choose(appliance, instance, point=wanted.point, at=None, way=wanted.way)
    return {
        **chosen,
        "repository": wanted.repository,
        "host": host_for(appliance, appliance.store.points.get(chosen["point"]), wanted=wanted.host, repository=wanted.repository),
    }


def reserve(run: Run) -> None:
    """Take ports for the scratch copy; it may use the releases and secrets of its source."""
    source = run.operation.instance
    run.remember(secrets_of=source, began=run.memory.get("began") or run.now().isoformat())
    point = run.appliance.store.points.get(run.operation.parameters["point"])
    reserve_copy(run, scratch_name(source), point, state=InstanceState.SCRATCH)


def prepare_deployment(run: Run) -> None:
    """The release, which is there unless it was cleared away, and the deployment, in one playbook run."""
    create_to_restore(run, build_release=True)


def verify_copy(run: Run) -> str:
    """Every probe of the product, the writing one too, and every record counted. The time it took to get here is the measured RTO."""
    healthy = f"{verify(run)}; {compare_records(run.memory['before'], count_records(run, new(run)))}"
    point = run.appliance.store.points.get(run.operation.parameters["point"])
    now = run.now()
    run.remember(
        facts={
            "rto_seconds": (now - datetime.fromisoformat(run.memory["began"])).total_seconds(),
            "data_age_seconds": (now - point.at).total_seconds(),
        }
    )
    return healthy


def note_proof(run: Run) -> str:
    """The point is proven."""
    facts = run.memory["facts"]
    proof = {**facts, "operation": run.operation.id, "counts": run.memory["before"]["counts"]}
    run.appliance.store.points.prove(run.operation.parameters["point"], at=run.now(), proof=proof)
    return f"proven; back in service after {facts['rto_seconds']:.0f} s"


def clear_away(run: Run) -> None:
    """Leave nothing of the scratch copy."""
    remove_instance(run)
    release_reservation(run)


DRILL = Workflow(
    kind="drill",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check_beside),
        StepDefinition(name="reserve", title="Take ports for a scratch copy", run=reserve, undo=release_reservation),
        INSTANCE,
        StepDefinition(name="deployment", title="Prepare release and deployment", run=prepare_deployment, undo=remove_deployment),
        RESTORE,
        START,
        StepDefinition(name="verify", title="Log in, read, write and count in the copy", run=verify_copy),
        StepDefinition(name="kit", title="Open what the recovery kit opens", run=prove_kit),
        StepDefinition(name="proof", title="Note the proof", run=note_proof),
        StepDefinition(name="clear", title="Throw the copy away", run=clear_away, cancellable=False),
    ),
)
