"""Give up recovery points, and bases and logs that nobody needs any more."""

from pydantic import JsonValue

from backup.bases import bases_among, given_up, logs_among, superseded
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.recorded import Contents, contents, drop_forgotten
from backup.repository import Repository, open_repository, require_writable
from backup.spec import ForgetSpec

HALF = "What was to be given up is no longer listed, but some of its data is still in the repository."


def forget(spec: ForgetSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Forget each record first: interrupted, it leaves leftovers, never a point or a base without its data."""
    with leaving_unchanged("Nothing was given up."):
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        with repository.held(f"forgetting points of {spec.crm}"):
            found = contents(repository, crm=spec.crm)
            points = [found.point(name) for name in dict.fromkeys(spec.points)]
            records = [one for point in points for one in found.snapshots_of(point, records=True)]
            bases, data = _of_the_log(repository, found, spec)
            repository.forget([*records, *bases])
            drop_forgotten(repository, records)
            with leaving_unchanged(HALF):
                repository.forget([*(one for point in points for one in found.snapshots_of(point, records=False)), *data])
                if spec.prune:
                    repository.prune()
    return {"forgotten": [point.id for point in points], "bases": len(bases), "pruned": spec.prune}


def _of_the_log(repository: Repository, found: Contents, spec: ForgetSpec) -> tuple[list[str], list[str]]:
    """Snapshots of bases' records, and of the data behind them: files and logs."""
    if not spec.log_at_all:
        return found.of_parts("base-record"), found.of_parts("base", "wal", "binlog")
    all_logs, before = logs_among(found.snapshots), spec.superseded_before
    old = [log.snapshot for log in superseded(all_logs) if before and log.tags.until < before]
    if spec.log_since is None:
        return [], old
    bases, logs = given_up(bases_among(repository, found.snapshots), all_logs, since=spec.log_since)
    records = [one.id for one in found.snapshots if one.tag("part") == "base-record" and one.tag("point") in {base.id for base in bases}]
    return records, list(dict.fromkeys([*(base.snapshot for base in bases), *(log.snapshot for log in logs), *old]))
