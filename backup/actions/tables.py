"""List the tables that a recovery point's dump holds."""

from pydantic import JsonValue

from backup.engines.postgresql import DUMP_FILE
from backup.engines.postgresql_tables import tables_in
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import RecoveryPoint
from backup.recorded import point_held
from backup.repository import Repository, open_repository
from backup.spec_files import TablesSpec
from backup.streaming import text_from

WITH_TABLES = "postgresql"


def tables(spec: TablesSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give their names. Raises a failure `part_missing`."""
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        listing = listing_of(repository, point_held(repository, spec.point, crm=spec.crm))
    return {"tables": [str(table) for table in tables_in(listing)]}


def listing_of(repository: Repository, point: RecoveryPoint) -> str:
    """What the dump of a recovery point holds, as `pg_restore --list` says it; only the dump's beginning is read."""
    if point.snapshots.database is None or point.engine != WITH_TABLES:
        raise BackupFailure(f"Recovery point {point.id} holds no dump that single tables can be taken from.", code="part_missing")
    return text_from(repository.executor, snapshot=point.snapshots.database, filename=DUMP_FILE, into=["pg_restore", "--list"])
