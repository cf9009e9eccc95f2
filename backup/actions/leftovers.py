"""List the snapshots that interrupted backups left."""

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.points import leftovers_among
from backup.recorded import contents
from backup.repository import open_repository
from backup.spec import LeftoversSpec


def leftovers(spec: LeftoversSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give the data snapshots that belong to no point; while a backup runs, these are its own."""
    with leaving_unchanged("Nothing was changed."):
        found = contents(open_repository(spec.repository, reporter), crm=spec.crm)
        return {
            "leftovers": [
                {"snapshot": one.id, "at": one.time.isoformat(), "crm": one.tag("crm"), "point": one.tag("point"), "part": one.tag("part")}
                for one in leftovers_among(found.snapshots, found.points)
            ]
        }
