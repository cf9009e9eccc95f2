"""Make a deployment, start it on its private port and see that it is healthy there, before anybody is sent to it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from appliance.domain.instance import Deployment
from appliance.errors import Cancelled, StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.health import await_health, count_spec, probes_of
from appliance.operations.steps.subject import new, product, stops, subject, told
from appliance.operations.variables import steps_variables
from appliance.operations.workflow import StepDefinition
from appliance.products.probing import Door


def create_with_empty_database(run: Run) -> None:
    """Directory, environment, service definitions and an empty database."""
    run.playbook("deployment_create", told(run, database_source="empty"))


def create_without_database(run: Run) -> None:
    """The same, before the downtime begins; the database is copied in it. Those of the releases on the way, too."""
    for deployment in (*stops(run), new(run)):
        run.playbook("deployment_create", told(run, deployment, database_source="none"))


def remove_deployment(run: Run) -> None:
    """Take the new deployment away: services, directory, database, and files unless the old one uses them."""
    remove_stops(run)
    deployment, before = new(run), run.memory.get("old")
    if run.memory.get("opened"):
        return  # visitors were let in: it is kept with what they wrote, as the way forward
    own_files = before is None or Deployment(**before).files != deployment.files
    run.playbook("deployment_remove", told(run, drop_database=True, drop_files=own_files))


def remove_stops(run: Run) -> None:
    """Take away what the releases on the way have left; the releases themselves stay."""
    for stop in stops(run):
        run.playbook("deployment_remove", told(run, stop, drop_database=True, drop_files=False))


def initialise(run: Run) -> None:
    """Run the product's own installation steps."""
    run.playbook("product_steps", told(run, steps=steps_variables(product(run).install)))


def start(run: Run) -> None:
    """Start the new deployment on its private port."""
    run.playbook("deployment_start", told(run))


def stop(run: Run) -> None:
    """Stop the new deployment."""
    run.playbook("deployment_stop", told(run))


def verify(run: Run) -> str:
    """Probe the new deployment on its private port: log in, read, queue alive, code and database of one series."""
    instance, deployment = subject(run), new(run)
    every = run.appliance.catalogue.get(instance.product).definition.probes_of(deployment.version)
    # a probe leaves no trace among production's records
    names = [name for name in every if name != "write" or deployment.role == "scratch"]
    return await_health(run.machine, probes_of(run.appliance, instance, deployment, door=Door.PRIVATE, names=names))


def count_records(run: Run, deployment: Deployment) -> dict[str, Any]:
    """The counts and checksums of a deployment's records, as they are now."""
    counted = run.backup("inspect", count_spec(run.appliance, subject(run), deployment))
    return {"counts": counted["counts"], "checksums": counted["checksums"]}


def compare_records(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Every count and checksum must be what it was. Raises StepFailed with those that are not."""
    differing = [
        f"{name}: {before[kind].get(name)} before, {after[kind].get(name)} after"
        for kind in ("counts", "checksums")
        for name in before[kind]
        if before[kind][name] != after[kind].get(name)
    ]
    if differing:
        raise StepFailed("Records changed: " + "; ".join(differing))
    return ", ".join(f"{count} {name}" for name, count in sorted(after["counts"].items()))


def verify_and_compare(run: Run) -> str:
    """Healthy, and with every record that the recovery point has."""
    healthy, after = at_once(lambda: verify(run), lambda: count_records(run, new(run)))
    return f"{healthy}; {compare_records(run.memory['before'], after)}"


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make several calls at once, since visitors wait; gives their results when all have ended, or raises the first error.

    Cancelled goes before: it ends the programs of all calls, which then fail for no other reason.
    """
    with ThreadPoolExecutor(len(calls)) as pool:
        made = [pool.submit(call) for call in calls]
    errors = [error for call in made if (error := call.exception()) is not None]
    for error in sorted(errors, key=lambda error: not isinstance(error, Cancelled)):
        raise error
    return [call.result() for call in made]


DEPLOYMENT_EMPTY = StepDefinition(name="deployment", title="Prepare the deployment", run=create_with_empty_database, undo=remove_deployment)
DEPLOYMENT_BARE = StepDefinition(name="deployment", title="Prepare the deployment", run=create_without_database, undo=remove_deployment)
INITIALISE = StepDefinition(name="initialise", title="Set the CRM up", run=initialise)
START = StepDefinition(name="start", title="Start on a private port", run=start, undo=stop)
VERIFY = StepDefinition(name="verify", title="Probe it on the private port", run=verify)
VERIFY_RECORDS = StepDefinition(name="verify", title="Probe it and compare every record", run=verify_and_compare)
