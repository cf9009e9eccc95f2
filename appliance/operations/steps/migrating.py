"""Let other releases migrate a copy of the database, one after the other, and see that all is there; the original is only read."""

from typing import Any

from appliance.domain.instance import Deployment
from appliance.domain.product_steps import Check
from appliance.domain.versions import Path as VersionPath
from appliance.domain.versions import itinerary
from appliance.errors import StepFailed
from appliance.operations.preflight import queries_hold
from appliance.operations.run import Run
from appliance.operations.steps.deploying import at_once, compare_records, count_records, verify
from appliance.operations.steps.subject import new, old, stops, subject, told
from appliance.operations.variables import database_spec, steps_variables


def migrate(run: Run) -> None:
    """Copy the database, let the next release migrate the copy, hop by hop, and start the last on its private port.

    Each hop is one playbook run, since visitors wait, and has a copy of its own: where a hop had come to its end, it is not begun again.
    """
    source, paths, targets = old(run), ways(run, old(run).version), (*stops(run), new(run))
    for path, target in zip(paths, targets, strict=True):
        if path is not paths[0]:  # those of the first were asked before anything was changed
            _require(run, source, path.pre_checks)
        _hop(run, path, source, target, start_services=target == targets[-1])
        if target != targets[-1]:  # those of the last are asked together with all else
            _require(run, target, path.post_checks)
        source = target


def _hop(run: Run, path: VersionPath, source: Deployment, target: Deployment, *, start_services: bool) -> None:
    more: dict[str, Any] = {"database_source": source.database, "steps": steps_variables(path.steps), "start_services": start_services}
    if path.hop and path.hop.pre_sql:
        more["pre_sql"] = path.hop.pre_sql
    run.log(f"{path.source.version} to {path.target.version}")
    run.playbook("deployment_migrate", told(run, target, **more))


def verify_upgrade(run: Run) -> str:
    """Healthy, with every record of the old one, which stands still, and with what the product itself wants to be true after this hop."""
    last = ways(run, old(run).version)[-1]
    healthy, before, after, _ = at_once(
        lambda: verify(run),
        lambda: count_records(run, old(run)),
        lambda: count_records(run, new(run)),
        lambda: _require(run, new(run), last.post_checks),
    )
    return f"{healthy}; {compare_records(before, after)}"


def _require(run: Run, deployment: Deployment, checks: tuple[Check, ...]) -> None:
    database = database_spec(run.machine.layout, subject(run), deployment)
    made = queries_hold(run.machine.reach, checks, database)
    if broken := [problem for check in made if (problem := check()) is not None]:
        raise StepFailed("; ".join(broken))


def ways(run: Run, from_release: str) -> tuple[VersionPath, ...]:
    """The hops from a release to the wanted one, or to itself from another lock. Raises InvalidRequest where the product allows none."""
    product = run.appliance.catalogue.get(subject(run).product)
    return itinerary(product.definition, from_release, run.operation.parameters["to"], anew=True)
