"""Keep the log of a cluster coming: received as it is written, and shipped into the repository again and again."""

import time
from pathlib import Path
from typing import NoReturn

from backup.children import started
from backup.database_spec import PostgreSQLSpec
from backup.engines.postgresql_log import let_keep, received, receiver_command
from backup.events import Reporter
from backup.failures import BackupFailure
from backup.receiving import PATIENCE_SECONDS, ship_while
from backup.relays import Relays
from backup.repository import open_repository
from backup.shipping import Shipping
from backup.spec_log import StreamSpec
from backup.spool import Spool

PAUSE_SECONDS = 1.0


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
                ship_while(
                    receiver,
                    lambda: shipping.ship(received(database, patience_seconds=PATIENCE_SECONDS)),
                    every_seconds=spec.ship_every_seconds,
                    reporter=reporter,
                    each_time=lambda: relays.see_to(reporter),
                )
            time.sleep(PAUSE_SECONDS)


def _prepare(spec: StreamSpec, database: PostgreSQLSpec, spool: Spool) -> None:
    try:
        system = let_keep(database, spec.slot)
    except BackupFailure as failure:
        if failure.code != "database_stopped":
            raise
        return
    spool.claim(system)
