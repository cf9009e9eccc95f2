"""List what was kept under a name beside the recovery points."""

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.points import Snapshot, kept_tags
from backup.repository import Repository, open_repository
from backup.spec import KeptSpec


def kept(spec: KeptSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give each with its snapshot and the moment it was kept, newest first. What it holds is not looked at: see `fetch`."""
    with leaving_unchanged("Nothing was changed."):
        found = newest_first(open_repository(spec.repository, reporter), spec.name)
    return {"kept": [{"snapshot": one.id, "at": one.time.isoformat()} for one in found]}


def newest_first(repository: Repository, name: str) -> list[Snapshot]:
    """The snapshots of what was kept under a name."""
    return sorted(repository.snapshots(kept_tags(name)), key=lambda snapshot: snapshot.time, reverse=True)
