"""A PostgreSQL server's side of its log: a slot, so that it keeps what was not received, the receiver, and how far that one is."""

import time
from pathlib import Path

from backup.database_spec import PostgreSQLSpec
from backup.engines.postgresql import SYSTEM, connected, only, server_arguments
from backup.failures import BackupFailure
from backup.wal import Received, bytes_of

SLOT = "select pg_create_physical_replication_slot(%s, true) where not exists (select from pg_replication_slots where slot_name = %s)"
LOST = "select count(*) from pg_replication_slots where slot_name = %s and wal_status = 'lost'"
DROP = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s and not active"
WRITTEN = "select pg_current_wal_flush_lsn()::text, clock_timestamp()"
FLUSHED = "select max(flush_lsn)::text from pg_stat_replication where application_name = 'pg_receivewal'"
START = "0/0"
PAUSE_SECONDS = 0.05
REPORT_SECONDS = 1


def let_keep(database: PostgreSQLSpec, slot: str) -> str:
    """Let the server keep what is not received yet; gives its system identifier.

    Raises a failure `log_lost` where it has thrown away some of that, because it was more than it may keep.
    """
    with connected(database) as connection:
        connection.execute(SLOT, (slot, slot))
        if only(connection, LOST, slot)[0]:
            raise BackupFailure(
                "The server has thrown away some of its log before it was received. Begin a new log with a new base.", code="log_lost"
            )
        return str(only(connection, SYSTEM)[0])


def let_go(database: PostgreSQLSpec, slot: str) -> None:
    """Let the server no longer keep what was not received; one that is down keeps no more than it may (`max_slot_wal_keep_size`)."""
    try:
        with connected(database.model_copy(update={"name": "postgres"})) as connection:
            connection.execute(DROP, (slot,))
    except BackupFailure as failure:
        if failure.code != "database_stopped":
            raise


def receiver_command(database: PostgreSQLSpec, *, directory: Path, slot: str) -> list[str]:
    """Give the command that receives the log until it is ended; each piece is on the disk before the server is told so.

    Of a segment that has become full it is told only with the next report, which would come each ten seconds.
    """
    kept = [f"--directory={directory}", f"--slot={slot}", "--synchronous", f"--status-interval={REPORT_SECONDS}"]
    return ["pg_receivewal", *server_arguments(database), *kept]


def received(database: PostgreSQLSpec, *, patience_seconds: float, beyond: str = START) -> Received | None:
    """Ask the server how far it is, and wait until the receiver has told it to have that on disk, and what lies before `beyond`.

    None if that does not come to be.
    """
    deadline = time.monotonic() + patience_seconds
    try:
        with connected(database) as connection:
            written, at = only(connection, WRITTEN)
            wanted = max(bytes_of(written), bytes_of(beyond))
            while time.monotonic() < deadline:
                (lsn,) = only(connection, FLUSHED)
                if lsn is not None and bytes_of(lsn) >= wanted:
                    return Received(lsn=lsn, at=at)
                time.sleep(PAUSE_SECONDS)
    except BackupFailure:
        return None
    return None


def required(database: PostgreSQLSpec, *, patience_seconds: float, beyond: str = START) -> Received:
    """The same. Raises a failure `no_log` where it does not come to be."""
    if (reached := received(database, patience_seconds=patience_seconds, beyond=beyond)) is None:
        raise BackupFailure("The log of this time is not received. Is the verb stream at work?", code="no_log")
    return reached
