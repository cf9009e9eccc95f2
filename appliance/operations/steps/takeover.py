"""Hand an instance over from one deployment to another, with the way back kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appliance.domain.closure import page_of
from appliance.domain.instance import Deployment, InstanceState
from appliance.errors import ApplianceError
from appliance.operations.run import Run
from appliance.operations.steps.deploying import remove, remove_stops
from appliance.operations.steps.health import BACKGROUND_PROBES, OPEN_PROBES, await_health, probes_of
from appliance.operations.steps.settling import left_behind
from appliance.operations.steps.subject import new, old, subject, told, told_of_old
from appliance.operations.telling import publish_targets
from appliance.operations.workflow import StepDefinition
from appliance.products.probing import Door

RETRY_AFTER_SECONDS = 60
OPEN_PATIENCE_SECONDS = 60


def close_for_a_start(run: Run) -> None:
    """Close the CRM for a deployment that has its database already and is only started."""
    enter_maintenance(run, ("deployment_start", told(run)))


def enter_maintenance(run: Run, *coming: tuple[str, Mapping[str, Any]]) -> None:
    """Answer visitors with the maintenance page and stop the old deployment.

    Before that, the playbooks they would wait for are loaded: those that are `coming`, the switch, and the way back.
    """
    back = (("deployment_start", told_of_old(run)), ("maintenance", _as_visitors_found_it(run)))
    for playbook, given in (*coming, ("deployment_switch", switching(run)), *back):
        run.prepare(playbook, given)
    run.ahead.await_loaded()
    message = {"message": f"{subject(run).name} is being updated.{_expected_end(run)}", "retry_after_seconds": RETRY_AFTER_SECONDS}
    run.playbook("maintenance", told(run, maintenance_state="on", stop_deployment=True, maintenance=message))


def _expected_end(run: Run) -> str:
    """What the rehearsal has forecast, if there was one."""
    forecast_seconds = run.memory.get("facts", {}).get("forecast_seconds")
    return "" if forecast_seconds is None else f" It is expected back at {run.now() + timedelta(seconds=forecast_seconds):%H:%M %Z}."


def serve_old_again(run: Run) -> None:
    """Start the untouched old deployment, see that it is healthy, and let visitors in, unless somebody had closed it before."""
    run.playbook("deployment_start", told_of_old(run))
    await_health(run.machine, open_probes(run, old(run), Door.PRIVATE))
    run.playbook("maintenance", _as_visitors_found_it(run))
    publish_targets(run.appliance)


def switch(run: Run) -> None:
    """Point the instance at the new deployment and let visitors in, in one playbook run, since they wait."""
    instance = subject(run)
    run.remember(opened=True)
    if run.interrupted:
        stand_as_before(run)
    run.playbook("deployment_switch", switching(run))
    run.appliance.store.instances.serve(instance.name, new(run), previous=_old_or_none(run))


def switching(run: Run) -> dict[str, Any]:
    """What the switch is told; the same when it is loaded ahead."""
    return told(run, leave_maintenance=True)


def _as_visitors_found_it(run: Run) -> dict[str, Any]:
    """Open, or with the page of who has closed it: what failed ends nobody's closure."""
    closed = subject(run).closed
    if closed is None:
        return told_of_old(run, maintenance_state="off", stop_deployment=False)
    return told_of_old(run, maintenance_state="on", stop_deployment=False, maintenance=page_of(closed.message))


def stand_as_before(run: Run) -> None:
    """Have what is about to serve run, and nothing else: a machine that was restarted meanwhile has started what served."""
    if run.memory.get("old"):
        run.playbook("deployment_stop", told_of_old(run))
    run.playbook("deployment_start", told(run))


def switch_back(run: Run) -> None:
    """Point the instance at the old deployment again, behind the maintenance page."""
    instance, before = subject(run), old(run)
    message = {"message": f"{instance.name} returns to its former release.", "retry_after_seconds": RETRY_AFTER_SECONDS}
    run.playbook("maintenance", told_of_old(run, maintenance_state="on", stop_deployment=False, maintenance=message))
    if run.memory.get("opened"):
        run.log(f"Visitors had been let in already; {left_behind(run, served=new(run), to=before)}. `appliance rollback` goes to it.")
    run.playbook("deployment_switch", told_of_old(run, leave_maintenance=False))
    run.appliance.store.instances.serve(instance.name, before, previous=_kept_after_going_back(run))


def see_served(run: Run) -> str:
    """See that visitors are served and the background works, then clear away what is older than the way back."""
    instance = subject(run)
    probes = open_probes(run, new(run), Door.PROXY, *BACKGROUND_PROBES)
    seen = await_health(run.machine, probes, patience_seconds=OPEN_PATIENCE_SECONDS)
    run.appliance.store.instances.mark(instance.name, InstanceState.ACTIVE)
    run.appliance.store.instances.close(instance.name, None)
    publish_targets(run.appliance)
    _clear_older(run)
    _clear_stops(run)
    return f"{instance.url} {seen}"


def _kept_after_going_back(run: Run) -> Deployment | None:
    """What visitors wrote into the new deployment must not be lost: once they were let in, it is kept and can be gone to by a rollback."""
    if run.memory.get("opened"):
        _clear_older(run)
        return new(run)
    kept = run.memory.get("older")
    return Deployment(**kept) if kept else None


def _clear_older(run: Run) -> None:
    """The CRM serves already: what cannot be cleared is told and left, never a reason to go back."""
    kept = run.memory.get("older")
    if not kept:
        return
    older = Deployment(**kept)
    try:
        remove(run, older, staying=(new(run), old(run)))
    except ApplianceError as error:
        run.log(f"The older deployment {older.id} was left behind: {error}")


def _clear_stops(run: Run) -> None:
    try:
        remove_stops(run)
    except ApplianceError as error:
        run.log(f"What the releases on the way have left stays behind: {error}")


def open_probes(run: Run, deployment: Deployment, door: Door, *more: str) -> dict[str, dict[str, Any]]:
    """The probes that tell whether visitors are served, and `more`."""
    return probes_of(run.appliance, subject(run), deployment, door=door, names=(*OPEN_PROBES, *more))


def _old_or_none(run: Run) -> Deployment | None:
    return old(run) if run.memory.get("old") else None


MAINTENANCE = StepDefinition(
    name="maintenance", title="Show the maintenance page and stop the CRM", run=close_for_a_start, undo=serve_old_again
)
FIRST_SWITCH = StepDefinition(name="switch", title="Point the address at it and let visitors in", run=switch)
SWITCH = StepDefinition(name="switch", title="Switch over and let visitors in", run=switch, undo=switch_back, cancellable=False)
OPEN = StepDefinition(name="open", title="See that visitors are served", run=see_served, cancellable=False)
