"""Make a deployment, start it on its private port and see that it is healthy there, before anybody is sent to it."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from appliance.domain.instance import Deployment
from appliance.errors import Cancelled, StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.health import BACKGROUND_PROBES, await_health, count_spec, probes_of
from appliance.operations.steps.subject import configured, new, old, product, stops, subject, told
from appliance.operations.variables import source_variables, steps_variables, variables
from appliance.operations.workflow import StepDefinition
from appliance.products.probing import Door


def create_with_empty_database(run: Run) -> None:
    """Directory, environment, service definitions and an empty database."""
    run.playbook("deployment_create", told(run, database_source="empty"))


def create_on_a_standby(run: Run, **more: Any) -> None:
    """The same while the old one serves, and for the releases on the way; a standby of its cluster is ready when the downtime begins."""
    source = source_variables(run.machine.layout, subject(run), old(run))
    for number, deployment in enumerate((*stops(run), new(run))):
        begins = {"database_source": "none"} if number else {"database_source": "standby", "source": source}
        run.playbook("deployment_create", told(run, deployment, **begins, **more))


def remove_deployment(run: Run) -> None:
    """Take the new deployment away: services, directory, database, and files unless the old one uses them. Those on the way, too."""
    if run.memory.get("opened"):
        remove_stops(run)  # visitors were let in: it is kept with what they wrote, as the way forward
        return
    for deployment in (*stops(run), new(run)):
        remove(run, deployment, staying=_earlier(run))


def remove_stops(run: Run) -> None:
    """Take away what the releases on the way have left; the releases themselves stay."""
    for stop in stops(run):
        remove(run, stop, staying=(*_earlier(run), new(run)))


def remove(run: Run, deployment: Deployment, *, staying: Collection[Deployment]) -> None:
    """Take a deployment away, with its cluster, database and files as far as none of those that stay uses them."""
    shared_files = deployment.files in {other.files for other in staying}
    shared_cluster = deployment.cluster in {other.cluster for other in staying}
    own_database = deployment.database not in {other.database for other in staying}
    going = variables(run.appliance, subject(run), deployment=deployment)
    dropped = {"drop_database": own_database, "drop_cluster": not shared_cluster, "drop_files": not shared_files}
    run.playbook("deployment_remove", {**going, **dropped})


def _earlier(run: Run) -> list[Deployment]:
    return [Deployment(**run.memory[name]) for name in ("old", "older") if run.memory.get(name)]


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
    """Probe the new deployment on its private port: log in, read, code and database of one series; a scratch copy's queue, too."""
    instance, deployment = configured(run), new(run)
    every = run.appliance.catalogue.get(instance.product).definition.probes_of(deployment.version)
    # a probe leaves no trace among production's records, and production's queue begins with the switch
    names = [name for name in every if name not in ("write", *BACKGROUND_PROBES) or deployment.role == "scratch"]
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
DEPLOYMENT_FOLLOWING = StepDefinition(
    name="deployment", title="Prepare the deployment and a standby", run=create_on_a_standby, undo=remove_deployment
)
INITIALISE = StepDefinition(name="initialise", title="Set the CRM up", run=initialise)
START = StepDefinition(name="start", title="Start on a private port", run=start, undo=stop)
VERIFY = StepDefinition(name="verify", title="Probe it on the private port", run=verify)
VERIFY_RECORDS = StepDefinition(name="verify", title="Probe it and compare every record", run=verify_and_compare)
