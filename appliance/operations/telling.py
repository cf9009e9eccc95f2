"""Tell the monitor: what to watch (its targets file) and what the worker did (events in its ledger)."""

import sqlite3
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.operation import Operation, OperationStatus
from appliance.domain.schedule import Schedule
from appliance.operations.machines import Machine, machine_of
from appliance.operations.promising import promises_of
from appliance.operations.steps.health import OPEN_PROBES, layers_of, probes_of
from appliance.products.probing import Door, reachable
from appliance.wiring import Appliance
from monitoring.ledger import Ledger
from monitoring.schema import LedgerTooNew
from monitoring.targets import Target, write_targets


def publish_targets(appliance: Appliance) -> None:
    """Write the targets file anew from what the store knows."""
    file = appliance.settings.targets_file
    file.parent.mkdir(parents=True, exist_ok=True)
    schedules = appliance.store.schedules.list()
    write_targets(file, [_target(appliance, instance, schedules) for instance in appliance.store.instances.list() if _is_watched(instance)])


def tell_backup(appliance: Appliance, crm: str, *, repository: str, began: datetime, record: Mapping[str, Any]) -> None:
    """Write a successful backup into the ledger; one that is told already, before a crash, is not told again."""
    duration_seconds = float(record["duration_seconds"])
    values = {
        "recovery_point": record["id"],
        "kind": "logical",
        "repository": repository,
        "bytes_added": record["bytes_added"],
        "bytes_processed": record["bytes_processed"],
        "recovery_point_at": datetime.fromisoformat(record["at"]).timestamp(),
    }
    _write(
        appliance,
        kind="backup",
        crm=crm,
        result="success",
        at=began + timedelta(seconds=duration_seconds),
        duration_seconds=duration_seconds,
        values=values,
        once_by="recovery_point",
    )


def tell_end(appliance: Appliance, operation: Operation, status: OperationStatus, now: datetime) -> None:
    """Write how an operation ended; a successful backup was told when its recovery point was made."""
    if operation.kind == "backup" and status == OperationStatus.SUCCEEDED:
        return
    duration_seconds = (now - (operation.started_at or now)).total_seconds()
    facts = appliance.store.operations.memory(operation.id).get("facts", {})
    _write(
        appliance, kind=operation.kind, crm=operation.instance, result=status.value, at=now, duration_seconds=duration_seconds, values=facts
    )


def _write(
    appliance: Appliance,
    *,
    kind: str,
    crm: str,
    result: str,
    at: datetime,
    duration_seconds: float,
    values: Mapping[str, Any],
    once_by: str | None = None,
) -> None:
    """Monitoring never fails an operation: what the ledger does not take is said on standard error, and the journal knows it anyway."""
    try:
        appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
        with Ledger(appliance.settings.ledger_file) as ledger:
            ledger.record_event(kind=kind, crm=crm, result=result, at=at, duration_seconds=duration_seconds, values=values, once_by=once_by)
    except (OSError, sqlite3.Error, LedgerTooNew) as error:
        print(f"The monitor's ledger did not take {kind} of {crm} ({result}): {error}", file=sys.stderr)


def _is_watched(instance: Instance) -> bool:
    return instance.state == InstanceState.ACTIVE and instance.deployment is not None


def _target(appliance: Appliance, instance: Instance, schedules: Sequence[Schedule]) -> Target:
    assert instance.deployment is not None  # noqa: S101 - only watched instances come here
    machine = machine_of(appliance, instance.host, channel="monitor")
    probes = probes_of(appliance, instance, instance.deployment, door=Door.PROXY)
    far = {} if machine.host.is_local else _seen_from_there(machine, probes)
    if far:
        probes |= probes_of(appliance, instance, instance.deployment, door=Door.OUTSIDE, names=set(probes) - set(far["elsewhere"]))
    layers = layers_of(appliance, instance, instance.deployment, door=Door.OUTSIDE if far else Door.PROXY)
    return Target.model_validate(
        {
            "crm": instance.name,
            "product": instance.product,
            "release": instance.deployment.version,
            "host": instance.host,
            "interval_seconds": appliance.settings.probe_interval_seconds,
            "probes": layers | probes,
            **far,
            "promises": promises_of(instance, schedules),
            "certificate": _shown_certificate(machine, instance),
            "maintenance_flag": str(machine.layout.crm_root / instance.name / "maintenance" / "maintenance.on"),
        }
    )


def _shown_certificate(machine: Machine, instance: Instance) -> dict[str, Any] | None:
    """Where the monitor, which is here, sees the certificate."""
    if not instance.tls.is_on:
        return None
    address = reachable(instance.address) if machine.host.is_local else machine.host.address
    return {"address": address, "port": instance.port, "server_name": instance.domain}


def _seen_from_there(machine: Machine, probes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All of a managed host's probes are carried out there, but for what visitors see, which is asked from here."""
    argv = [machine.layout.tools_python, "-m", "monitoring", "probe"]
    outside = [name for name in OPEN_PROBES if probes.get(name, {}).get("kind") == "http"]
    return {"through": machine.reach.command(argv), "elsewhere": sorted(set(probes) - set(outside))}
