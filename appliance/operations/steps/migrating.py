"""Let another release migrate a copy of the database, and see that all is there; the original is only read."""

from typing import Any

from appliance.domain.versions import Path as VersionPath
from appliance.domain.versions import plan
from appliance.errors import StepFailed
from appliance.operations.preflight import queries_hold
from appliance.operations.run import Run
from appliance.operations.steps.deploying import at_once, compare_records, count_records, verify
from appliance.operations.steps.subject import new, old, subject, told
from appliance.operations.variables import database_spec, steps_variables


def migrate(run: Run) -> None:
    """Copy the database, let the new release migrate the copy, and start it on its private port: one playbook run, since visitors wait."""
    path = way(run, old(run).version)
    more: dict[str, Any] = {"database_source": old(run).database, "steps": steps_variables(path.steps), "start_services": True}
    if path.hop and path.hop.pre_sql:
        more["pre_sql"] = path.hop.pre_sql
    run.playbook("deployment_migrate", told(run, **more))


def verify_upgrade(run: Run) -> str:
    """Healthy, with every record of the old one, which stands still, and with what the product itself wants to be true after this hop."""
    healthy, before, after, _ = at_once(
        lambda: verify(run), lambda: count_records(run, old(run)), lambda: count_records(run, new(run)), lambda: _check_arrival(run)
    )
    return f"{healthy}; {compare_records(before, after)}"


def _check_arrival(run: Run) -> None:
    database = database_spec(run.machine.layout, subject(run), new(run))
    checks = queries_hold(run.machine.reach, way(run, old(run).version).post_checks, database)
    if broken := [problem for check in checks if (problem := check()) is not None]:
        raise StepFailed("; ".join(broken))


def way(run: Run, from_release: str) -> VersionPath:
    """The way from a release to the wanted one. Raises InvalidRequest when the product does not allow it."""
    product = run.appliance.catalogue.get(subject(run).product)
    return plan(product.definition, from_release, run.operation.parameters["to"])
