"""Ship what was received of a log, at once: before it is needed, or at its end."""

from pathlib import Path

from pydantic import JsonValue

from backup.binlog_spool import BinlogShipping
from backup.database_spec import MariaDBSpec, PostgreSQLSpec
from backup.engines import mariadb_log
from backup.engines.postgresql_log import let_go, received
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.repository import Repository, Saved, open_repository
from backup.shipping import Shipping
from backup.spec_log import ShipSpec
from backup.spool import Spool

PATIENCE_SECONDS = 5.0


def ship(spec: ShipSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Ship it, if there is anything. The server may be gone: what was received is there."""
    with leaving_unchanged("The log that was received is kept."):
        spool = Spool(directory=Path(spec.spool))
        spool.make()
        repository = open_repository(spec.repository, reporter)
        with repository.stage("log"):
            if isinstance(spec.database, MariaDBSpec):
                saved = _ship_binlog(spec, spec.database, spool, repository)
            else:
                saved = _ship_wal(spec, spec.database, spool, repository)
    return {"snapshot": saved.snapshot_id if saved else None}


def _ship_wal(spec: ShipSpec, database: PostgreSQLSpec, spool: Spool, repository: Repository) -> Saved | None:
    known = None if spec.ended else received(database, patience_seconds=PATIENCE_SECONDS)
    saved = Shipping(crm=spec.crm, spool=spool, repository=repository).ship(known)
    if spec.ended:
        let_go(database, spec.slot)
    return saved


def _ship_binlog(spec: ShipSpec, database: MariaDBSpec, spool: Spool, repository: Repository) -> Saved | None:
    known = None if spec.ended else mariadb_log.received(database, spool, patience_seconds=PATIENCE_SECONDS)
    return BinlogShipping(crm=spec.crm, spool=spool, repository=repository).ship(known)
