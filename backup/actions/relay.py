"""Ship what a spool receives into a repository elsewhere, too: however slow or far away that one is, the first waits for nothing."""

import time
from pathlib import Path

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.repository import open_repository
from backup.shipping import Shipping
from backup.spec_log import RelaySpec
from backup.spool import Spool


def relay(spec: RelaySpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Go on until somebody ends it; what could not be shipped is told, and tried again."""
    with leaving_unchanged("The log that was received so far is kept."):
        spool = Spool(directory=Path(spec.spool), outlet=f"log-{spec.name}")
        spool.make()
        shipping = Shipping(crm=spec.crm, spool=spool, repository=open_repository(spec.repository, reporter), trims=False)
        while True:
            began_seconds = time.monotonic()
            _ship(shipping, reporter)
            time.sleep(max(0.0, began_seconds + spec.ship_every_seconds - time.monotonic()))


def _ship(shipping: Shipping, reporter: Reporter) -> None:
    try:
        saved = shipping.ship(None)
    except BackupFailure as failure:
        reporter.log(f"The log could not be shipped to {shipping.repository.spec.location}, and will be tried again: {failure}")
        return
    if saved:
        reporter.finish("relayed", {"snapshot": saved.snapshot_id, "bytes_added": saved.data_added_packed})
