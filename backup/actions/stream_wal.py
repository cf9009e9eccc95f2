"""Keep the log of a cluster coming: received as it is written, and shipped into the repository again and again."""

import time
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import NoReturn

from backup.children import started
from backup.database_spec import PostgreSQLSpec
from backup.engines.postgresql_log import let_keep, received, receiver_command
from backup.events import Reporter
from backup.failures import BackupFailure
from backup.relays import Relays
from backup.repository import open_repository
from backup.shipping import Shipping
from backup.spec import StreamSpec
from backup.spool import Spool

PAUSE_SECONDS = 1.0
RECEIVING_PATIENCE_SECONDS = 5.0


def stream_wal(spec: StreamSpec, database: PostgreSQLSpec, reporter: Reporter) -> NoReturn:
    """Go on until somebody ends it. A server that is down is awaited; a repository that is not reached is told, and tried again.

    Raises failures `other_log` and `log_lost`.
    """
    spool = Spool(directory=Path(spec.spool))
    spool.make()
    shipping = Shipping(crm=spec.crm, spool=spool, repository=open_repository(spec.repository, reporter))
    with Relays(spec.relays) as relays:
        while True:
            _prepare(spec, database, spool)
            with started(receiver_command(database, directory=spool.receiving, slot=spec.slot)) as receiver:
                _ship_while(receiver, spec, database, shipping, relays=relays, reporter=reporter)
            time.sleep(PAUSE_SECONDS)


def _prepare(spec: StreamSpec, database: PostgreSQLSpec, spool: Spool) -> None:
    try:
        system = let_keep(database, spec.slot)
    except BackupFailure as failure:
        if failure.code != "database_stopped":
            raise
        return
    spool.claim(system)


def _ship_while(
    receiver: Popen[bytes], spec: StreamSpec, database: PostgreSQLSpec, shipping: Shipping, *, relays: Relays, reporter: Reporter
) -> None:
    began_seconds = time.monotonic()
    while receiver.poll() is None:
        relays.see_to(reporter)
        with suppress(TimeoutExpired):
            receiver.wait(max(0.0, began_seconds + spec.ship_every_seconds - time.monotonic()))
        began_seconds = time.monotonic()
        try:
            saved = shipping.ship(received(database, patience_seconds=RECEIVING_PATIENCE_SECONDS))
        except BackupFailure as failure:
            reporter.log(f"The log could not be shipped, and will be tried again: {failure}")
            continue
        if saved:
            reporter.finish("shipped", {"snapshot": saved.snapshot_id, "bytes_added": saved.data_added_packed})
