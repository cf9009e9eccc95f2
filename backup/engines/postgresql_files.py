"""PostgreSQL's files, copied while it serves: a base backup, which is whole once the log of the time of the copying is replayed onto it.

PostgreSQL's documentation, "Making a Base Backup Using the Low Level API" (25.3.4 of version 17).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from pydantic import AwareDatetime, BaseModel, ConfigDict

from backup.children import run
from backup.database_spec import PostgreSQLSpec
from backup.engines.postgresql import SYSTEM, connected, only
from backup.failures import BackupFailure
from backup.wal import PARTIAL

# Of the server's life and not of the data; "pg_wal/*" keeps the directory itself.
EXCLUDED = (
    *("postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "recovery.signal", "standby.signal", "pg_internal.init"),
    *(f"{directory}/*" for directory in ("pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots")),
    *("pg_stat_tmp/*", "pg_subtrans/*", "pgsql_tmp*"),
)
START = re.compile(r"^START WAL LOCATION: (?P<lsn>\S+) \(file (?P<segment>[0-9A-F]{24})\)$", re.MULTILINE)
TIMELINE_DIGITS = 8
SERVERS = Path("/usr/lib/postgresql")
# "... desc: COMMIT 2026-11-22 18:00:00.123456 UTC; ...", also COMMIT_PREPARED
COMMITTED = re.compile(r"desc: COMMIT\w* (?:\S+: )?(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")


class CopiedFiles(BaseModel):
    """What is to be known of copied files to make a server of them: `label` becomes their `backup_label`.

    Replaying begins at `start_lsn` in `segment`; from `stop_lsn` on, and not before, they are a database. `at` is that moment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    segment: str
    start_lsn: str
    stop_lsn: str
    timeline: int
    system: str
    version: str
    at: AwareDatetime


class Copying:
    """A server that knows it is being copied; when it has been told the end, `files` says what was copied."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Look where its files are; raises a failure `tablespaces` for one that keeps some elsewhere."""
        self.connection = connection
        self.directory = Path(only(connection, "show data_directory")[0])
        self.files: CopiedFiles | None = None
        if list((self.directory / "pg_tblspc").iterdir()):
            raise BackupFailure("The cluster has tablespaces outside of its directory, which a base does not hold.", code="tablespaces")

    def start(self, name: str) -> None:
        """Checkpoint, so that replaying begins here."""
        only(self.connection, "select pg_backup_start(%s, fast => true)", name)

    def stop(self) -> None:
        """Take note of what makes the copy usable. The log up to here is received elsewhere, so none is awaited."""
        row = only(self.connection, "select lsn::text, labelfile, clock_timestamp() from pg_backup_stop(wait_for_archive => false)")
        stop_lsn, label, at = row
        began = START.search(label)
        if began is None:
            raise BackupFailure("PostgreSQL gave a backup label that does not say where the log begins.", code="database_failed")
        self.files = CopiedFiles(
            label=label,
            segment=began["segment"],
            start_lsn=began["lsn"],
            stop_lsn=stop_lsn,
            timeline=int(began["segment"][:TIMELINE_DIGITS], 16),
            system=str(only(self.connection, SYSTEM)[0]),
            version=str(only(self.connection, "show server_version")[0]),
            at=at,
        )


@contextmanager
def copying(database: PostgreSQLSpec, *, name: str) -> Iterator[Copying]:
    """Tell the server of `database` that its files are copied within the block. Left by an error, it forgets about it."""
    with connected(database) as connection:
        server = Copying(connection)
        server.start(name)
        yield server
        server.stop()


def complete_log(wal: Path) -> None:
    """Let the last segment, which was not full yet, be one like the others: what is missing in it is empty, where the log ends."""
    for partial in wal.glob(f"*{PARTIAL}"):
        partial.rename(partial.with_suffix(""))


def is_anything_committed_after(moment: datetime, *, files: CopiedFiles, wal: Path) -> bool:
    """Say whether the log of a base goes on with a commit after a moment: else PostgreSQL does not accept that moment as a target."""
    waldump = SERVERS / files.version.partition(".")[0] / "bin" / "pg_waldump"
    where = [f"--path={wal}", f"--timeline={files.timeline}", f"--start={files.start_lsn}", "--rmgr=Transaction"]
    found = False

    def look(line: str) -> bool:
        nonlocal found
        if told := COMMITTED.search(line):
            found = found or datetime.fromisoformat(told["at"]).replace(tzinfo=UTC) > moment
        return False

    run([str(waldump), *where], keep=look, environment={"TZ": "UTC"})  # it ends with an error where the log ends
    return found


def prepare_recovery(directory: Path, *, label: str, wal: Path, target: dict[str, str]) -> None:
    """Let the server whose files were restored there replay the log in `wal` up to a target, then serve.

    `target` holds settings of PostgreSQL, like `recovery_target_name`; without one, it replays all that there is.
    """
    (directory / "backup_label").write_text(label)
    settings = {
        "restore_command": f"cp '{wal}/%f' '%p'",
        "recovery_target_action": "promote",
        "recovery_target_timeline": "latest",
        **target,
    }
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    with (directory / "postgresql.auto.conf").open("a") as file:
        file.write("# of one recovery\n" + "\n".join(lines) + "\n")
    (directory / "recovery.signal").touch()
