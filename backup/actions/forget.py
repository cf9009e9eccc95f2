"""Give up recovery points."""

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.recorded import contents, drop_forgotten
from backup.repository import open_repository, require_writable
from backup.spec import ForgetSpec


def forget(spec: ForgetSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Forget points, each one's record first: interrupted, it leaves leftovers, never a point without its data."""
    with leaving_unchanged("No recovery point was forgotten."):
        require_writable(spec.repository.location)
        repository = open_repository(spec.repository, reporter)
        with repository.held(f"forgetting points of {spec.crm}"):
            found = contents(repository, crm=spec.crm)
            points = [found.point(name) for name in dict.fromkeys(spec.points)]
            records = [one for point in points for one in found.snapshots_of(point, records=True)]
            repository.forget(records)
            drop_forgotten(repository, records)
            with leaving_unchanged("The recovery points are forgotten, but some of their data is still in the repository."):
                repository.forget([one for point in points for one in found.snapshots_of(point, records=False)])
                if spec.prune:
                    repository.prune()
    return {"forgotten": [point.id for point in points], "pruned": spec.prune}
