"""List the recovery points."""

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.recorded import readable_contents
from backup.repository import open_repository
from backup.spec import PointsSpec


def points(spec: PointsSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give the records, newest first. Takes no lock, so that it works on a read-only copy of a repository too."""
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        return {"points": [point.as_json() for point in readable_contents(repository, crm=spec.crm).points]}
