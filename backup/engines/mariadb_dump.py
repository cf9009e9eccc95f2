"""`python -m backup.engines.mariadb_dump ASKED ANSWER`: write a dump to standard output, and answer queries as of its very moment.

restic runs it. Commits are held back (BACKUP STAGE BLOCK_COMMIT) while two sessions begin their transactions, ours and mariadb-dump's: a
few hundredths of a second. mariadb-dump then says which position of the binary log it sees, and it has to be ours.
https://mariadb.com/kb/en/backup-stage/
"""

import os
import re
import select
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

from backup.binlog import BinlogPosition
from backup.children import CHUNK_BYTES, started
from backup.engines.mariadb import Answer, Asked, Dumped, Failed, dump_command
from backup.engines.mariadb_connection import BEGIN, Session, ask, connected, measured
from backup.failures import BackupFailure

HOLD_COMMITS = ("backup stage start", "backup stage flush", "backup stage block_ddl", "backup stage block_commit")
LET_COMMITS_GO = "backup stage end"
LOGS = "select @@log_bin"
SEEN = "show status like 'binlog\\_snapshot\\_%'"
NUMBER = "select binlog_gtid_pos(%s, %s)"
AT = re.compile(rb"^-- CHANGE MASTER TO MASTER_LOG_FILE='(?P<file>[^']+)', MASTER_LOG_POS=(?P<position>\d+);$", re.MULTILINE)
LONGEST_BEGINNING_BYTES = 16 * CHUNK_BYTES
PATIENCE_SECONDS = 10
"""How long commits wait at most for mariadb-dump to begin."""


def main(arguments: Sequence[str]) -> int:
    """Dump, and say what was seen, or why not."""
    asked, answer = (Path(argument) for argument in arguments)
    try:
        told = Answer(dumped=_dumped(Asked.model_validate_json(asked.read_text())))
    except BackupFailure as failure:
        told = Answer(failed=Failed(code=failure.code, message=failure.message))
        sys.stderr.write(f"{failure.message}\n")
    answer.write_text(told.model_dump_json())
    return 0 if told.dumped else 1


def _dumped(asked: Asked) -> Dumped:
    with connected(asked.database) as holder, connected(asked.database) as seeing:
        _require_log(holder)
        for stage in HOLD_COMMITS:
            ask(holder, stage)
        ask(seeing, BEGIN)
        at, binlog = datetime.now(UTC), _position(seeing, asked)
        with started(dump_command(asked.database), stderr=sys.stderr.fileno()) as dump:
            beginning = _beginning(dump)
            ask(holder, LET_COMMITS_GO)
            _require_same(beginning, binlog)
            _write_on(dump, beginning)
            if dump.wait():
                raise BackupFailure(f"mariadb-dump ended with code {dump.returncode}.", code="backup_failed")
        measures = measured(seeing, asked.queries)
    return Dumped(at=at, counts=measures.counts, checksums=measures.checksums, binlog=binlog)


def _require_log(connection: Session) -> None:
    if ask(connection, LOGS) != [(1,)]:
        raise BackupFailure("The server writes no binary log (log_bin), which alone says what moment a dump is of.", code="no_log")


def _position(connection: Session, asked: Asked) -> BinlogPosition:
    """Where the transaction of a connection is in the binary log."""
    seen = {name.lower(): value for name, value in ask(connection, SEEN)}
    file, position = str(seen["binlog_snapshot_file"]), int(seen["binlog_snapshot_position"])
    ((gtid,),) = ask(connection, NUMBER, file, position)
    return BinlogPosition(database=asked.database.name, file=file, position=position, gtid=gtid or "", log=asked.log)


def _beginning(dump: Popen[bytes]) -> bytes:
    """Read on until mariadb-dump has said where it is."""
    assert dump.stdout is not None  # noqa: S101 - asked for as a pipe
    read = b""
    while not AT.search(read):
        if not select.select([dump.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise BackupFailure("mariadb-dump could not begin; is a table locked?", code="database_busy")
        chunk = os.read(dump.stdout.fileno(), CHUNK_BYTES)
        read += chunk
        if not chunk or len(read) > LONGEST_BEGINNING_BYTES:
            raise BackupFailure("mariadb-dump did not say where in the binary log it began.", code="backup_failed")
    return read


def _require_same(beginning: bytes, binlog: BinlogPosition) -> None:
    at = AT.search(beginning)
    if at is None or (at["file"].decode(), int(at["position"])) != (binlog.file, binlog.position):
        raise BackupFailure("The dump began at another moment than the counting.", code="backup_failed")


def _write_on(dump: Popen[bytes], beginning: bytes) -> None:
    assert dump.stdout is not None  # noqa: S101 - asked for as a pipe
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as out:
        out.write(beginning)
        while chunk := os.read(dump.stdout.fileno(), CHUNK_BYTES):
            out.write(chunk)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
