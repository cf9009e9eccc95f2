"""Give a CRM other settings: a deployment that has them is proven on a private port beside the one that serves, and takes its place.

Both have the release, the database and the files in common, so nothing that visitors enter meanwhile is lost, whichever serves at the end.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.domain.instance import Deployment, Instance
from appliance.errors import ApplianceError, NotFound, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.run import Run
from appliance.operations.steps.deploying import START, remove, start, verify
from appliance.operations.steps.health import BACKGROUND_PROBES, await_health
from appliance.operations.steps.subject import new, old, product, subject, told, told_of_old
from appliance.operations.steps.takeover import (
    OPEN_PATIENCE_SECONDS,
    RETRY_AFTER_SECONDS,
    enter_maintenance,
    open_probes,
    serve_old_again,
    stand_as_before,
    switching,
)
from appliance.operations.telling import publish_targets
from appliance.operations.variables import new_deployment, variables
from appliance.operations.workflow import Action, StepDefinition
from appliance.products.probing import Door

LINES = 40
"""Of a service that is not well, so many are shown; one traceback is mostly shorter."""


def decide_on_settings(run: Run, instance: Instance, changed: Mapping[str, Any]) -> None:
    """Remember the settings from before and the new ones, and the deployment to make; a second call keeps the first decision."""
    current = instance.deployment
    assert current is not None  # noqa: S101 - accepted only for an instance that serves
    if run.memory.get("new"):
        return
    release, before = product(run).release(current.version), product(run).settings_in_force(instance.settings)
    place = new_deployment(run.machine.layout, instance, release, current.build, operation_id=run.operation.id, follows=False)
    run.remember(
        new=replace(current, id=place.id, directory=place.directory, port=place.port).as_variables(),
        old=current.as_variables(),
        older=None if instance.previous is None else instance.previous.as_variables(),
        settings_before=before,
        settings={**before, **changed},
    )


def create(run: Run) -> None:
    """Directory, environment and service definitions with the new settings; it shares the database of the one that serves."""
    run.playbook("deployment_create", told(run, database_source="none", settings=run.memory["settings"]))


def remove_new(run: Run) -> None:
    """Take it away; database and files belong to the one that serves."""
    remove(run, new(run), staying=(old(run), *_way_back(run)))


def start_settings(run: Run) -> str | None:
    """Start it on the private port."""
    return _telling_why(run, start)


def verify_settings(run: Run) -> str | None:
    """Probe it on the private port."""
    return _telling_why(run, verify)


def _telling_why(run: Run, act: Action) -> str | None:
    """Act; where the CRM is not well, the log holds what it has said of that itself."""
    try:
        return act(run)
    except StepFailed:
        for service in product(run).services:
            if service.serves:
                run.log(_last_lines(run, f"crm-{subject(run).name}-{new(run).id}-{service.name}"))
        raise


def _last_lines(run: Run, service: str) -> str:
    layout, journal = run.machine.layout, ["journalctl", "--no-pager", "--output=cat", f"--lines={LINES}", f"--unit={service}.service"]
    file = layout.crm_root / subject(run).name / "log" / f"{service}.log"
    return ask(run.machine.reach, journal if layout.service_manager == "systemd" else ["tail", f"--lines={LINES}", str(file)]).stdout


def describe_way_back(run: Run) -> str:
    """Write the new settings into the way back too: a rollback goes back in code and data, not in settings."""
    return _describe_way_back(run, run.memory["settings"])


def describe_way_back_as_before(run: Run) -> None:
    """With the settings from before."""
    _describe_way_back(run, run.memory["settings_before"])


def _describe_way_back(run: Run, settings: Mapping[str, Any]) -> str:
    for deployment in _way_back(run):
        try:
            product(run).release(deployment.version)
        except NotFound:
            return f"{deployment.version}, which the product's definition knows no longer, is left as it is"
        given = variables(run.appliance, subject(run), deployment=deployment, settings=dict(settings), database_source="none")
        run.playbook("deployment_create", given)
        return f"{deployment.version} has them"
    return "none is kept"


def switch(run: Run) -> None:
    """Point the instance at the deployment with the new settings, let visitors in, and write down that these are in force."""
    if run.interrupted:
        stand_as_before(run)
    run.playbook("deployment_switch", switching(run))
    _note(run, new(run), settings=run.memory["settings"])


def switch_back(run: Run) -> None:
    """Point the instance at the deployment from before again, behind the maintenance page, with its settings."""
    message = {"message": f"{subject(run).name} returns to its former settings.", "retry_after_seconds": RETRY_AFTER_SECONDS}
    run.playbook("maintenance", told_of_old(run, maintenance_state="on", stop_deployment=False, maintenance=message))
    if run.memory.get("clearing"):
        run.playbook("deployment_create", told_of_old(run, database_source="none", settings=run.memory["settings_before"]))
    run.playbook("deployment_switch", told_of_old(run, leave_maintenance=False))
    _note(run, old(run), settings=run.memory["settings_before"])


def _note(run: Run, serves: Deployment, *, settings: Mapping[str, Any]) -> None:
    """Which one serves, with which settings. The log of its database goes on being received: it is the same database."""
    instance, instances = subject(run), run.appliance.store.instances
    archive, is_ours = instance.archive, (old(run).id, new(run).id)
    if archive is not None and archive.deployment in is_ours:
        instances.archive(instance.name, replace(archive, deployment=serves.id))
    instances.serve(instance.name, serves, previous=next(iter(_way_back(run)), None), settings=settings)


def see_served(run: Run) -> str:
    """See that visitors are served and the background works."""
    instance = subject(run)
    probes = open_probes(run, new(run), Door.PROXY, *BACKGROUND_PROBES)
    seen = await_health(run.machine, probes, patience_seconds=OPEN_PATIENCE_SECONDS)
    publish_targets(run.appliance)
    return f"{instance.url} {seen}"


def remove_old(run: Run) -> str:
    """Take away the deployment with the settings from before. The CRM serves already: what cannot be cleared is told, and tidied later."""
    run.remember(clearing=True)
    try:
        remove(run, old(run), staying=(new(run), *_way_back(run)))
    except ApplianceError as error:
        return f"{old(run).id} was left behind: {error}"
    return f"{old(run).id}; its database and files serve on"


def _way_back(run: Run) -> list[Deployment]:
    """That of the last upgrade or restore, which stays the way back."""
    kept = run.memory.get("older")
    return [Deployment(**kept)] if kept else []


DEPLOYMENT_CONFIGURED = StepDefinition(name="deployment", title="Prepare a deployment with the new settings", run=create, undo=remove_new)
START_SETTINGS = replace(START, run=start_settings)
VERIFY_SETTINGS = StepDefinition(name="verify", title="Probe it on the private port", run=verify_settings)
WAY_BACK = StepDefinition(
    name="way-back", title="Write them into the way back too", run=describe_way_back, undo=describe_way_back_as_before
)
MAINTENANCE_BRIEFLY = StepDefinition(
    name="maintenance", title="Show the maintenance page and stop the CRM", run=enter_maintenance, undo=serve_old_again
)
SWITCH_SETTINGS = StepDefinition(name="switch", title="Switch over and let visitors in", run=switch, undo=switch_back, cancellable=False)
OPEN_CONFIGURED = StepDefinition(name="open", title="See that visitors are served", run=see_served, cancellable=False)
CLEAR = StepDefinition(name="clear", title="Remove the deployment from before", run=remove_old, cancellable=False)
