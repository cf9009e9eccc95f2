"""List the bases, and until when the log of each goes on."""

from pydantic import JsonValue

from backup.bases import Base, Log, bases_among, logs_among, reaching
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.repository import open_repository
from backup.spec_log import BasesSpec


def bases(spec: BasesSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give them newest first. `until` is the moment that each leads up to; None where no log was shipped that makes it whole."""
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        snapshots = repository.snapshots([f"crm={spec.crm}"])
        logs = logs_among(snapshots)
        found = bases_among(repository, snapshots)
        return {"bases": [_shown(base, reaching(base, logs, lsn=None, until=None)) for base in found]}


def _shown(base: Base, log: Log | None) -> dict[str, JsonValue]:
    known: dict[str, JsonValue] = base.model_dump(mode="json", exclude={"files"})
    return known | {"at": base.files.at.isoformat(), "version": base.files.version, "until": log.tags.until.isoformat() if log else None}
