"""Count and check-sum a live database."""

from pydantic import JsonValue

from backup.engines.registry import engine_of
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.points import PointQueries
from backup.spec import InspectSpec


def inspect(spec: InspectSpec, _reporter: Reporter) -> dict[str, JsonValue]:
    """Answer the queries, all at one moment."""
    with leaving_unchanged("Nothing was changed."):
        measures = engine_of(spec.database).measure(PointQueries(counts=spec.counts, checksums=spec.checksums))
        return {"counts": dict(measures.counts), "checksums": dict(measures.checksums)}
