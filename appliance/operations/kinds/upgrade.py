"""Upgrade: migrate a copy of the database with the new release, prove it on a private port, then switch; the original stays untouched."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.versions import Path as VersionPath
from appliance.domain.versions import plan
from appliance.errors import InvalidRequest, PreflightFailed, StepFailed
from appliance.operations.kinds.backup import backup_checks, serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import (
    COPIES,
    RELEASE_BYTES,
    database_bytes,
    disk_has_room,
    is_healthy,
    lock_is_intact,
    queries_hold,
    require,
    runtime_fits,
)
from appliance.operations.run import Run
from appliance.operations.steps.deciding import decide_on_release
from appliance.operations.steps.deploying import DEPLOYMENT_BARE, at_once, compare_records, count_records, stop, verify
from appliance.operations.steps.health import probes_of
from appliance.operations.steps.hosting import RELEASE
from appliance.operations.steps.snapshots import SAFETY_BACKUP
from appliance.operations.steps.subject import new, old, subject, told
from appliance.operations.steps.takeover import MAINTENANCE, OPEN, SWITCH
from appliance.operations.variables import database_spec, steps_variables
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.products.probing import Door
from appliance.wiring import Appliance


class UpgradeParameters(Parameters):
    """`to` is the release to go to: a later one of the same series (a patch), or of the next series."""

    to: str


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict, and PreflightFailed for a way that the product does not allow."""
    current = serving(appliance, instance)
    wanted = read(UpgradeParameters, parameters)
    try:
        plan(appliance.catalogue.get(current.product).definition, current.release, wanted.to)
    except InvalidRequest as refused:
        raise PreflightFailed((str(refused),)) from None
    return wanted.model_dump()


def check(run: Run) -> str:
    """Refuse before anything is changed."""
    appliance, instance = run.appliance, serving(run.appliance, run.operation.instance)
    assert instance.deployment is not None  # noqa: S101 - it serves
    product, to = appliance.catalogue.get(instance.product), run.operation.parameters["to"]
    reach, layout = run.machine.reach, run.machine.layout
    database = database_spec(layout, instance, instance.deployment)
    probes = probes_of(appliance, instance, instance.deployment, door=Door.PROXY)
    checked = require(
        [
            *backup_checks(run, instance),
            runtime_fits(reach, product.definition, to),
            lock_is_intact(product, to),
            disk_has_room(reach, layout.crm_root, RELEASE_BYTES),
            disk_has_room(reach, layout.crm_root, COPIES * database_bytes(reach, database)),
            is_healthy(run.machine, probes),
            *queries_hold(reach, _way(run, instance.release).pre_checks, database),
        ]
    )
    decide_on_release(run, instance, to, own_files=False)
    return checked


def migrate(run: Run) -> None:
    """Copy the database, let the new release migrate the copy, and start it on its private port: one playbook run, since visitors wait."""
    way = _way(run, old(run).version)
    more: dict[str, Any] = {"database_source": old(run).database, "steps": steps_variables(way.steps), "start_services": True}
    if way.hop and way.hop.pre_sql:
        more["pre_sql"] = way.hop.pre_sql
    run.playbook("deployment_migrate", told(run, **more))


def verify_upgrade(run: Run) -> str:
    """Healthy, with every record of the old one, which stands still, and with what the product itself wants to be true after this hop."""
    healthy, before, after, _ = at_once(
        lambda: verify(run), lambda: count_records(run, old(run)), lambda: count_records(run, new(run)), lambda: _check_arrival(run)
    )
    return f"{healthy}; {compare_records(before, after)}"


def _check_arrival(run: Run) -> None:
    database = database_spec(run.machine.layout, subject(run), new(run))
    checks = queries_hold(run.machine.reach, _way(run, old(run).version).post_checks, database)
    if broken := [problem for check in checks if (problem := check()) is not None]:
        raise StepFailed("; ".join(broken))


def _way(run: Run, from_release: str) -> VersionPath:
    product = run.appliance.catalogue.get(subject(run).product)
    return plan(product.definition, from_release, run.operation.parameters["to"])


UPGRADE = Workflow(
    kind="upgrade",
    accept=accept,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        SAFETY_BACKUP,
        RELEASE,
        DEPLOYMENT_BARE,
        MAINTENANCE,
        StepDefinition(name="migrate", title="Migrate a copy of the database and start on it", run=migrate, undo=stop),
        StepDefinition(name="verify", title="Probe it and compare every record", run=verify_upgrade),
        SWITCH,
        OPEN,
    ),
)
