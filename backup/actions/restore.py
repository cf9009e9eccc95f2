"""Restore one recovery point beside what is live, and prove that what came back is what was saved."""

import time

from pydantic import JsonValue

from backup.database_spec import DatabaseSpec
from backup.engines.registry import engine_of
from backup.engines.shape import Engine, Measures
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import RecoveryPoint
from backup.recorded import readable_contents
from backup.repository import Repository, open_repository
from backup.spec import RestoreSpec
from backup.streaming import stream
from backup.trees import require_trees, restore_trees

NOTHING = "Nothing was restored; no database and no directory was changed."
HALF = "What is live is unchanged. The targets of this restore are incomplete: drop them before trying again."


def restore(spec: RestoreSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Restore into an existing empty database and new directories; raises a failure `mismatch` if figures differ."""
    started_seconds = time.monotonic()
    with leaving_unchanged(NOTHING):
        repository = open_repository(spec.repository, reporter)
        repository.clear_stale_locks()
        point = readable_contents(repository, crm=spec.crm).point(spec.point)
        _require_held(point, spec)
        if spec.database:
            engine_of(spec.database).require_empty()
    with leaving_unchanged(HALF):
        measures = restore_database(repository, point, spec.database, owner=spec.owner, role=spec.role) if spec.database else None
        restore_trees(repository, point, spec.files or {}, owner=spec.owner)
    return {
        "point": point.id,
        "crm": point.crm,
        "counts": dict(measures.counts) if measures else {},
        "checksums": dict(measures.checksums) if measures else {},
        "verified": True,
        "duration_seconds": round(time.monotonic() - started_seconds, 3),
    }


def differences_between(point: RecoveryPoint, measures: Measures) -> list[JsonValue]:
    """List what was counted or check-summed otherwise than at the moment of the point."""
    counts: list[tuple[str, str, JsonValue, JsonValue]] = [
        ("count", name, value, measures.counts.get(name)) for name, value in point.counts.items()
    ]
    checksums: list[tuple[str, str, JsonValue, JsonValue]] = [
        ("checksum", name, value, measures.checksums.get(name)) for name, value in point.checksums.items()
    ]
    return [
        {"kind": kind, "name": name, "recorded": recorded, "restored": restored}
        for kind, name, recorded, restored in (*counts, *checksums)
        if recorded != restored
    ]


def restore_database(
    repository: Repository, point: RecoveryPoint, database: DatabaseSpec, *, owner: str | None = None, role: str | None = None
) -> Measures:
    """Stream a point's dump into an empty database; raises a failure `mismatch` if what came back differs from the point's record."""
    engine = engine_of(database)
    engine.prepare(owner=owner)
    stream(
        repository.executor,
        snapshot=str(point.snapshots.database),
        filename=engine.dump_file,
        into=engine.restore_command(role=role),
        expected_bytes=point.sizes.get("database"),
    )
    return _verified(engine, database, point)


def _verified(engine: Engine, database: DatabaseSpec, point: RecoveryPoint) -> Measures:
    measures = engine.measure(point.queries)
    if differences := differences_between(point, measures):
        raise BackupFailure(
            f"What was restored into {database.name} differs from recovery point {point.id} in {len(differences)} figures.",
            code="mismatch",
            details={"differences": differences},
        )
    return measures


def _require_held(point: RecoveryPoint, spec: RestoreSpec) -> None:
    if spec.database and (point.snapshots.database is None or point.engine != spec.database.engine):
        raise BackupFailure(f"Recovery point {point.id} holds no {spec.database.engine} database.", code="part_missing")
    require_trees(point, spec.files or {}, owner=spec.owner)
