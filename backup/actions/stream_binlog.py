"""Keep the binary log of a MariaDB server coming: received as it is written, and shipped into the repository again and again."""

import time
from pathlib import Path
from typing import NoReturn

from backup.binlog_spool import BinlogShipping, run_of
from backup.children import started
from backup.database_spec import MariaDBSpec
from backup.engines.mariadb_log import first_needed, received, receiver_command
from backup.events import Reporter
from backup.failures import BackupFailure
from backup.receiving import PATIENCE_SECONDS, ship_while
from backup.repository import open_repository
from backup.spec_log import StreamSpec
from backup.spool import Spool

PAUSE_SECONDS = 1.0
HOPELESS = frozenset({"log_gap", "other_log"})


def stream_binlog(spec: StreamSpec, database: MariaDBSpec, reporter: Reporter) -> NoReturn:
    """Go on until somebody ends it. A server that is down is awaited; a repository that is not reached is told, and tried again.

    Raises failures `other_log`, `log_gap` and `log_lost`.
    """
    spool = Spool(directory=Path(spec.spool))
    spool.make()
    shipping = BinlogShipping(crm=spec.crm, spool=spool, repository=open_repository(spec.repository, reporter))
    while True:
        first = _first(database, spool)
        if first:
            log = spool.require_identity().log
            with run_of(spool) as run, started(receiver_command(database, directory=run, first=first, log=log)) as receiver:
                ship_while(
                    receiver,
                    lambda: shipping.ship(received(database, spool, patience_seconds=PATIENCE_SECONDS)),
                    every_seconds=spec.ship_every_seconds,
                    reporter=reporter,
                    hopeless=HOPELESS,
                )
        time.sleep(PAUSE_SECONDS)


def _first(database: MariaDBSpec, spool: Spool) -> str | None:
    try:
        return first_needed(database, spool)
    except BackupFailure as failure:
        if failure.code != "database_stopped":
            raise
        return None
