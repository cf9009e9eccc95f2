"""Keep the log of a cluster coming: received as it is written, and shipped into the repository again and again."""

import time
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from pydantic import JsonValue

from backup.children import started
from backup.engines.postgresql_log import let_keep, received, receiver_command
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.relays import Relays
from backup.repository import open_repository
from backup.shipping import Shipping
from backup.spec import StreamSpec
from backup.spool import Spool

PAUSE_SECONDS = 1.0
RECEIVING_PATIENCE_SECONDS = 5.0
UNCHANGED = "The log that was received so far is kept."


def stream(spec: StreamSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Go on until somebody ends it. A server that is down is awaited; a repository that is not reached is told, and tried again.

    Raises failures `other_log` and `log_lost`.
    """
    with leaving_unchanged(UNCHANGED):
        spool = Spool(directory=Path(spec.spool))
        spool.make()
        shipping = Shipping(crm=spec.crm, spool=spool, repository=open_repository(spec.repository, reporter))
        with Relays(spec.relays) as relays:
            while True:
                _prepare(spec, spool)
                with started(receiver_command(spec.database, directory=spool.receiving, slot=spec.slot)) as receiver:
                    _ship_while(receiver, spec, shipping, relays, reporter)
                time.sleep(PAUSE_SECONDS)


def _prepare(spec: StreamSpec, spool: Spool) -> None:
    try:
        system = let_keep(spec.database, spec.slot)
    except BackupFailure as failure:
        if failure.code != "database_stopped":
            raise
        return
    spool.claim(system)


def _ship_while(receiver: Popen[bytes], spec: StreamSpec, shipping: Shipping, relays: Relays, reporter: Reporter) -> None:
    began_seconds = time.monotonic()
    while receiver.poll() is None:
        relays.see_to(reporter)
        with suppress(TimeoutExpired):
            receiver.wait(max(0.0, began_seconds + spec.ship_every_seconds - time.monotonic()))
        began_seconds = time.monotonic()
        try:
            saved = shipping.ship(received(spec.database, patience_seconds=RECEIVING_PATIENCE_SECONDS))
        except BackupFailure as failure:
            reporter.log(f"The log could not be shipped, and will be tried again: {failure}")
            continue
        if saved:
            reporter.finish("shipped", {"snapshot": saved.snapshot_id, "bytes_added": saved.data_added_packed})
