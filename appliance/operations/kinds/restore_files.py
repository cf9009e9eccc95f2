"""Restore some files of a recovery point into the CRM that serves, or beside it; it goes on serving, and nothing that is there is lost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.hosts.reach import ask
from appliance.operations.browsing import require_files
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import disk_has_room, require
from appliance.operations.run import Run
from appliance.operations.steps.copying import choose_point
from appliance.operations.steps.repositories import lent, source_repository
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance
from backup.spec_values import InnerPath

MOST_PATHS = 1000
SPARE_BYTES = 64 * 1024**2
REPLACED, RESTORED = "replaced", "restored"
"""Directories of an instance: of what restored files took the place of, and of files that were restored beside, by operation."""


class FilesParameters(Parameters):
    """`paths` are among the CRM's uploads, the empty one is all of them. What is there is left alone if they go `beside`."""

    point: str | None = None
    paths: Annotated[list[InnerPath], Field(min_length=1, max_length=MOST_PATHS)]
    beside: bool = False
    repository: str | None = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    wanted = read(FilesParameters, parameters)
    if wanted.repository is not None:
        appliance.store.repositories.get(wanted.repository)
    point = choose_point(appliance, instance, wanted.point)
    require_files(point)
    return {**wanted.model_dump(mode="json"), "point": point.id}


def check(run: Run) -> str:
    """Look what would change, and whether there is room for it."""
    instance, point = _of(run)
    counts = {"new": 0, "changed": 0, "same": 0, "bytes": 0}
    with lent(run, source_repository(run, point)) as repository:
        for path in run.operation.parameters["paths"]:
            found = run.backup(
                "preview", {"repository": repository, **_held(point), "path": path, "target": _uploads(instance), "named": 0}
            )
            counts = {name: count + found[name] for name, count in counts.items()}
    require([disk_has_room(run.machine.reach, _root(run, instance), counts["bytes"] + SPARE_BYTES)])
    return f"{counts['new']} files are not there now, {counts['changed']} are others now, {counts['same']} are the same"


def restore_files(run: Run) -> str:
    """Bring them back; a call that was cut off goes on where it was."""
    instance, point = _of(run)
    beside = run.operation.parameters["beside"]
    kept, target = _root(run, instance) / REPLACED / str(run.operation.id), _root(run, instance) / RESTORED / str(run.operation.id)
    if beside and run.interrupted and ask(run.machine.reach, ["test", "-d", str(target)]).returncode == 0:
        return _beside(target)
    where = {"target": str(target), "kept": None} if beside else {"target": _uploads(instance), "kept": str(kept)}
    with lent(run, source_repository(run, point)) as repository:
        spec = {"repository": repository, **_held(point), "paths": run.operation.parameters["paths"], "owner": instance.user}
        put = run.backup("put", {**spec, **where, "stage": f"{target}.part"})
    return _beside(target) if beside else _in_place(put, kept)


def clear_stage(run: Run) -> None:
    """Leave nothing of what was not put yet; what was put stays, and what it took the place of is kept. Raises HostUnreachable."""
    instance, _ = _of(run)
    ask(run.machine.reach, ["rm", "-rf", f"{_root(run, instance) / RESTORED / str(run.operation.id)}.part"])


def _beside(target: Path) -> str:
    return f"the files are in {target}; the CRM's own are as they were"


def _in_place(put: Mapping[str, int], kept: Path) -> str:
    said = f"{put['new']} files were put back, {put['same']} were the same"
    if not put["replaced"]:
        return said
    return f"{said}, {put['replaced']} took the place of others, which are kept in {kept} until you remove that directory"


def _of(run: Run) -> tuple[Instance, RecoveryPoint]:
    return serving(run.appliance, run.operation.instance), run.appliance.store.points.get(run.operation.parameters["point"])


def _held(point: RecoveryPoint) -> dict[str, Any]:
    return {"crm": point.instance, "point": point.id, "source": require_files(point)}


def _uploads(instance: Instance) -> str:
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    return instance.deployment.files


def _root(run: Run, instance: Instance) -> Path:
    return run.machine.layout.crm_root / instance.name


RESTORE_FILES = Workflow(
    kind="restore-files",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="See what would change", run=check),
        StepDefinition(name="files", title="Restore the files", run=restore_files, undo=clear_stage),
    ),
)
