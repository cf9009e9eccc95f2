"""What a restore in place would leave behind, asked before it is requested. Nothing is changed, so no operation is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.errors import CommandFailed, NotFound
from appliance.hosts.streams import stream
from appliance.operations.browsing import CHANNEL, LIST_SECONDS, Comparison, Wanted, compare_files
from appliance.operations.kinds.backup import serving
from appliance.operations.machines import machine_of, require_reachable
from appliance.operations.steps.copying import choose_point
from appliance.operations.steps.health import count_spec
from appliance.operations.steps.settling import told_differences
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What was entered and uploaded since a recovery point, in words, and for the files in numbers where they could be compared."""

    point: RecoveryPoint
    records: str
    files: Comparison | None
    uploads: str


def foresee_loss(appliance: Appliance, name: str, *, point: str | None, repository: str | None) -> Loss:
    """Count what serves, and compare it. What cannot be counted, as in a destroyed database, is said to be so.

    Raises NotFound, InvalidRequest, Conflict, PreflightFailed, HostUnreachable and HostRefused.
    """
    instance, chosen = serving(appliance, name), choose_point(appliance, name, point)
    require_reachable(appliance, instance.host)
    try:
        files = compare_files(appliance, Wanted(instance=name, point=chosen.id, repository=repository))
    except (CommandFailed, NotFound) as failure:  # the latter: it holds no files
        return Loss(point=chosen, records=_records(appliance, instance, chosen), files=None, uploads=f"could not be compared ({failure})")
    uploads = f"{files.gone} files would be gone, {files.changed} become what they were, {files.new} come back"
    return Loss(point=chosen, records=_records(appliance, instance, chosen), files=files, uploads=uploads)


def _records(appliance: Appliance, instance: Instance, point: RecoveryPoint) -> str:
    try:
        return told_differences(point.record, _counted(appliance, instance))
    except CommandFailed as failure:
        return f"could not be counted ({failure})"


def _counted(appliance: Appliance, instance: Instance) -> Mapping[str, Any]:
    assert instance.deployment is not None  # noqa: S101 - asked only of an instance that serves
    machine = machine_of(appliance, instance.host, channel=CHANNEL)
    spec = {**count_spec(appliance, instance, instance.deployment), "deadline_seconds": LIST_SECONDS}
    argv = [machine.layout.tools_python, "-m", "backup", "inspect"]
    return stream(machine.reach, argv, spec, environment={}, on_event=lambda _: None, is_cancelled=lambda: False)
