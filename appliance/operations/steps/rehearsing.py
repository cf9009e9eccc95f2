"""Rehearse an upgrade on a copy that is restored from the newest recovery point: production is only read, and nothing of the copy is left.

The copy's part of the memory is its own: there the copy is the subject, with an old and a new deployment of its own.
"""

from datetime import datetime

from appliance.domain.instance import REHEARSAL_SUFFIX, InstanceState, scratch_name
from appliance.operations.run import Run
from appliance.operations.steps.copying import choose_point, newest_of_what_serves, reserve_copy
from appliance.operations.steps.deciding import decide_on_release, release_reservation
from appliance.operations.steps.deploying import create_on_a_standby
from appliance.operations.steps.hosting import create_instance, remove_instance
from appliance.operations.steps.migrating import migrate, verify_upgrade, ways
from appliance.operations.steps.restoring import restore_point
from appliance.operations.steps.subject import new, subject, told
from appliance.operations.workflow import Action, StepDefinition

SCOPE = "rehearsal"
NOT_WANTED = "not wanted"
SWITCHING_SECONDS = 5.0
"""What the downtime has beyond migrating and verifying: stopping, switching. Measured: 3.9 s (`python -m benchmarks downtime_large`)."""


def reserve(run: Run) -> str:
    """Take name and ports for the copy; it uses the releases and secrets of its source."""
    source, decided = run.operation.instance, run.memory.get("restored_point")
    run.remember(secrets_of=source)
    point = newest_of_what_serves(run.appliance, source) if decided is None else choose_point(run.appliance, source, decided)
    copy = reserve_copy(run, scratch_name(source, REHEARSAL_SUFFIX), point, state=InstanceState.SCRATCH)
    return f"{copy.name}, from recovery point {point.id}"


def restore(run: Run) -> str:
    """The release and the data of the recovery point, in a deployment that is not started."""
    if not run.memory.get("restored"):
        run.playbook("deployment_create", told(run, database_source="empty", build_release=True))
        restored = restore_point(run)
        run.appliance.store.instances.serve(subject(run).name, new(run), previous=None)
        run.remember(restored=restored)
    return str(run.memory["restored"])


def prepare(run: Run) -> None:
    """Build the release to go to and those on the way, where the upgrade will find them, and prepare the copy's deployments."""
    copy = subject(run)
    if not run.memory.get("old"):
        versions = [path.target.version for path in ways(run, copy.release)]
        decide_on_release(run, copy, *versions, follows=True, role="scratch", afresh=True)
    create_on_a_standby(run, build_release=True)


def migrate_copy(run: Run) -> None:
    """As the upgrade will, step by step."""
    if run.interrupted:
        run.playbook("deployment_stop", told(run))
    run.remember(migrating_since=run.now().isoformat())
    migrate(run)


def verify_copy(run: Run) -> str:
    """As the upgrade will, and by writing and reading back. What it took is the forecast of the downtime."""
    healthy = verify_upgrade(run)
    took = (run.now() - datetime.fromisoformat(run.memory["migrating_since"])).total_seconds()
    forecast_seconds = took + SWITCHING_SECONDS
    run.within(None).remember(facts={"forecast_seconds": forecast_seconds})
    return f"{healthy}; the upgrade will turn visitors away for about {forecast_seconds:.0f} s"


def clear(run: Run) -> None:
    """Leave nothing of the copy; the release that was built stays. Its name may be another's from here on, so nothing is undone later."""
    remove_instance(run)
    release_reservation(run)
    run.remember(created=None, new=None)


def _on_the_copy(action: Action) -> Action:
    def act(run: Run) -> str | None:
        return action(run.within(SCOPE)) if run.operation.parameters.get("rehearsal", True) else NOT_WANTED

    return act


def _step(name: str, title: str, action: Action, *, undo: Action | None = None, cancellable: bool = True) -> StepDefinition:
    undone = None if undo is None else _on_the_copy(undo)
    return StepDefinition(
        name=f"rehearsal-{name}", title=f"Rehearsal: {title}", run=_on_the_copy(action), undo=undone, cancellable=cancellable
    )


REHEARSAL = (
    _step("reserve", "take ports for a copy", reserve, undo=release_reservation),
    _step("instance", "create the copy's user and database cluster", create_instance, undo=remove_instance),
    _step("restore", "restore the newest recovery point", restore),
    _step("prepare", "build the release", prepare),
    _step("migrate", "migrate the copy and start on it", migrate_copy),
    _step("verify", "log in, read, write and count in the copy", verify_copy),
    _step("clear", "throw the copy away", clear, cancellable=False),
)
