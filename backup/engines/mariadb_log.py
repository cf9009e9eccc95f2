"""A MariaDB server's side of its binary log: the receiver, how far that one is, and the replaying."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backup.binlog import NAME, BinlogPosition, BinlogReceived, stops_before
from backup.binlog_spool import received_files
from backup.database_spec import MariaDBSpec
from backup.engines.mariadb_connection import ask, connected, server_arguments
from backup.failures import BackupFailure
from backup.spool import Spool

STATUS = "show master status"
FILES = "show binary logs"
SERVER = "select @@server_uid"
OWN = ("information_schema", "mysql", "performance_schema", "sys")
DATABASES = "select schema_name from information_schema.schemata"
PAUSE_SECONDS = 0.1


def first_needed(database: MariaDBSpec, spool: Spool) -> str:
    """Say from which file on the log is to be received: anew from the last one that is there, or from where the server is now.

    Raises failures `no_log` where the server writes none, `log_lost` where it no longer has that file.
    """
    with connected(database) as connection:
        status = ask(connection, STATUS)
        if not status or not NAME.match(status[0][0]):
            raise BackupFailure("The server writes no binary log (log_bin), or one with a name that is not plain.", code="no_log")
        spool.claim(str(ask(connection, SERVER)[0][0]))
        there = [row[0] for row in ask(connection, FILES)]
    known = list(received_files(spool.receiving))
    if known and known[-1] not in there:
        raise BackupFailure(
            f"The server no longer has {known[-1]}, which was not received to its end. Begin a new log with a new dump.", code="log_lost"
        )
    return known[-1] if known else str(status[0][0])


def receiver_command(database: MariaDBSpec, *, directory: Path, first: str, log: str) -> list[str]:
    """Give the command that receives the log until it is ended. No two receivers may have the same number."""
    receiving = ["--read-from-remote-server", "--raw", "--stop-never", f"--stop-never-slave-server-id={1 + int(log[:7], 16)}"]
    return ["mariadb-binlog", *server_arguments(database), *receiving, f"--result-file={directory}/", first]


def received(database: MariaDBSpec, spool: Spool, *, patience_seconds: float) -> BinlogReceived | None:
    """Ask the server how far it is, and wait until that is on disk here; None if that does not come to be."""
    deadline = time.monotonic() + patience_seconds
    try:
        with connected(database) as connection:
            at = datetime.now(UTC)
            file, position = ask(connection, STATUS)[0][:2]
    except BackupFailure:
        return None
    while time.monotonic() < deadline:
        found = received_files(spool.receiving).get(file)
        if found and found.stat().st_size >= position:
            return BinlogReceived(file=file, position=position, at=at)
        time.sleep(PAUSE_SECONDS)
    return None


def require_own_server(database: MariaDBSpec) -> None:
    """Refuse a server with other databases: what a log says of them would be done there, too."""
    with connected(database) as connection:
        others = [name for (name,) in ask(connection, DATABASES) if name not in (*OWN, database.name)]
    if others:
        raise BackupFailure(f"The server also has {', '.join(others)}. Replay into a server of its own.", code="not_empty")


def replay_command(position: BinlogPosition, files: Sequence[Path], *, until: datetime | None) -> list[str]:
    """Give the command that writes what a log says of a database, from a position on, as SQL. What it does is not logged again."""
    moment = [f"--stop-datetime={stops_before(until)}"] if until else []
    reading = ["--no-defaults", "--disable-log-bin", "--verify-binlog-checksum", f"--database={position.database}"]
    return ["mariadb-binlog", *reading, f"--start-position={position.position}", *moment, *(str(file) for file in files)]
