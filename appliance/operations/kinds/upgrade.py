"""Upgrade: migrate a copy of the database with the new release, prove it on a private port, then switch; the original stays untouched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.domain.instance import Instance
from appliance.domain.versions import itinerary
from appliance.errors import InvalidRequest, PreflightFailed
from appliance.operations.kinds.backup import backup_checks, require_open, serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import (
    COPIES,
    RELEASE_BYTES,
    Check,
    certificate_lasts,
    clock_is_right,
    database_bytes,
    disk_has_room,
    is_healthy,
    lock_is_intact,
    port_is_free,
    queries_hold,
    require,
    runtime_fits,
)
from appliance.operations.run import Run
from appliance.operations.steps.deciding import decide_on_release
from appliance.operations.steps.deploying import DEPLOYMENT_FOLLOWING
from appliance.operations.steps.health import probes_of
from appliance.operations.steps.hosting import RELEASE
from appliance.operations.steps.migrating import close_for_a_migration, migrate, open_again, verify_upgrade, ways
from appliance.operations.steps.rehearsing import REHEARSAL
from appliance.operations.steps.settling import WATCH
from appliance.operations.steps.snapshots import SAFETY_BACKUP
from appliance.operations.steps.subject import new
from appliance.operations.steps.takeover import MAINTENANCE, OPEN, SWITCH
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.products.probing import Door
from appliance.wiring import Appliance


class UpgradeParameters(Parameters):
    """`to` is the release to go to: a later one of the same series (a patch), or of the next series. `rehearsal` tries it on a copy."""

    to: str
    rehearsal: bool = True


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict, and PreflightFailed for a way that the product does not allow."""
    current = serving(appliance, instance)
    require_open(current)
    wanted = read(UpgradeParameters, parameters)
    try:
        itinerary(appliance.catalogue.get(current.product).definition, current.release, wanted.to)
    except InvalidRequest as refused:
        raise PreflightFailed((str(refused),)) from None
    return wanted.model_dump()


def check(run: Run) -> str:
    """Refuse before anything is changed."""
    instance = serving(run.appliance, run.operation.instance)
    versions = [path.target.version for path in ways(run, instance.release)]
    copies = COPIES * len(versions) * (2 if run.operation.parameters.get("rehearsal", True) else 1)
    decide_on_release(run, instance, *versions, follows=True)
    door = port_is_free(run.machine.reach, "127.0.0.1", new(run).port, mend="end what listens there")
    checked = require([*upgrade_checks(run, instance, copies=copies), door])
    return f"{checked}; {' to '.join([instance.release, *versions])}"


def upgrade_checks(run: Run, instance: Instance, *, copies: int) -> list[Check]:
    """What must hold before an upgrade, or its rehearsal; `copies` of the database have to find room."""
    appliance = run.appliance
    assert instance.deployment is not None  # noqa: S101 - it serves
    product, paths = appliance.catalogue.get(instance.product), ways(run, instance.release)
    versions = [path.target.version for path in paths]
    reach, layout = run.machine.reach, run.machine.layout
    database = database_spec(layout, instance, instance.deployment)
    probes = probes_of(appliance, instance, instance.deployment, door=Door.PROXY)
    return [
        *backup_checks(run, instance),
        *(runtime_fits(reach, product.definition, version) for version in versions),
        *(lock_is_intact(product, version) for version in versions),
        disk_has_room(reach, layout.crm_root, RELEASE_BYTES * len(versions)),
        disk_has_room(reach, layout.cluster_root, copies * database_bytes(reach, database)),
        is_healthy(run.machine, probes),
        clock_is_right(run.machine, run.now),
        certificate_lasts(instance, run.now()),
        *queries_hold(reach, paths[0].pre_checks, database),
    ]


UPGRADE = Workflow(
    kind="upgrade",
    accept=accept,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        SAFETY_BACKUP,
        RELEASE,
        *REHEARSAL,
        DEPLOYMENT_FOLLOWING,
        replace(MAINTENANCE, run=close_for_a_migration, undo=open_again),
        StepDefinition(name="migrate", title="Migrate the standby and start on it", run=migrate),
        StepDefinition(name="verify", title="Probe it and compare every record", run=verify_upgrade),
        SWITCH,
        WATCH,
        OPEN,
    ),
)
