"""Ship what was received of a log, at once: before it is needed, or at its end."""

from pathlib import Path

from pydantic import JsonValue

from backup.engines.postgresql_log import let_go, received
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.repository import open_repository
from backup.shipping import Shipping
from backup.spec import ShipSpec
from backup.spool import Spool

PATIENCE_SECONDS = 5.0


def ship(spec: ShipSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Ship it, if there is anything. The server may be gone: what was received is there."""
    with leaving_unchanged("The log that was received is kept."):
        spool = Spool(directory=Path(spec.spool))
        spool.make()
        repository = open_repository(spec.repository, reporter)
        with repository.stage("log"):
            known = None if spec.ended else received(spec.database, patience_seconds=PATIENCE_SECONDS)
            saved = Shipping(crm=spec.crm, spool=spool, repository=repository).ship(known)
        if spec.ended:
            let_go(spec.database, spec.slot)
    return {"snapshot": saved.snapshot_id if saved else None}
